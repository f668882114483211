"""Whether a store has room for what a job will write, asked before the first byte."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.ingestion import Plan, forecast, forecast_streams
from hsc.jobs.space import MORE_ROOM, check_space
from hsc.store import Room, Stream, TellsRoom, open_objects
from hsc.workers import Workers

# Other rows may be smaller than those looked at: rather begin than refuse what just fits.
_SURE = 0.8


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


def check_stream_room(
    streams: Sequence[Stream], store: str, workers: Workers, next_step: str = MORE_ROOM
) -> None:
    """Refuse to begin with streams that a store has no room for.

    Where they fit as they are, nothing more is asked. Else a few of their rows are made and
    encoded, to see how small they become.

    Raises
    ------
    StoreFullError
        Saying what is needed and what is free.
    """
    objects = open_objects(store)
    told = forecast_streams(streams)
    if not told.streams or not isinstance(objects, TellsRoom):
        return
    free = objects.room().nbytes
    if free is not None and told.decoded > free:
        check_space(store, int(_SURE * told.sampled(workers)), 0, next_step)
