"""Whether a store has room for what an ingest will write, asked before the first byte."""

from __future__ import annotations

from hsc.ingestion import Plan, forecast
from hsc.jobs.space import check_space
from hsc.store import TellsRoom, open_objects


def check_room(plan: Plan, store: str) -> None:
    """Refuse an ingest that its store has no room for.

    A store that can't tell is believed to have room.

    Raises
    ------
    StoreFullError
        Saying what is needed and what is free.
    """
    if isinstance(open_objects(store), TellsRoom):
        told = forecast(plan, 1)
        check_space(store, told.nbytes, told.objects)
