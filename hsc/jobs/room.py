"""Whether a store has room for what an ingest will write, asked before the first byte."""

from __future__ import annotations

from hsc.ingestion import Plan, forecast
from hsc.jobs.space import check_space
from hsc.store import Room, TellsRoom, open_objects


def check_room(plan: Plan, store: str) -> None:
    """Refuse an ingest that its store has no room for.

    A store that can't tell is believed to have room.

    Raises
    ------
    StoreFullError
        Saying what is needed and what is free.
    """
    objects = open_objects(store)
    # What is needed takes a while to tell where arrays are many: only for who sets a bound.
    if isinstance(objects, TellsRoom) and objects.room() != Room():
        told = forecast(plan, 1)
        check_space(store, told.nbytes, told.objects)
