"""Whether a store has room for so many bytes and objects, where it can say."""

from __future__ import annotations

from hsc.errors import StoreFullError
from hsc.store import TellsRoom, open_objects

# Beside the objects themselves: folders, journal, claims, and what a file system rounds up.
_MARGIN = 1.02
_MARGIN_BYTES = 4 * 2**20
_INODES_PER_OBJECT = 2


MORE_ROOM = (
    "make room there (`hsc gc` lists what dead attempts left) or have the quota raised, or set "
    "HSC_STORE to another place"
)
"""What to do about a store without room."""


def check_space(store: str, nbytes: int, count: int, next_step: str = MORE_ROOM) -> None:
    """Refuse to begin what a store has no room for; one that can't tell is believed to have it.

    Parameters
    ----------
    store
        URL of the store.
    nbytes, count
        Bytes and number of the objects to be written.
    next_step
        What to do where there is no room.

    Raises
    ------
    StoreFullError
        Saying what is needed and what is free.
    """
    objects = open_objects(store)
    if not isinstance(objects, TellsRoom):
        return
    room = objects.room()
    needed = int(nbytes * _MARGIN) + _MARGIN_BYTES
    if room.nbytes is not None and needed > room.nbytes:
        free = f"{room.nbytes / 1e6:,.1f} MB"
        raise _full(store, f"{needed / 1e6:,.1f} MB", free, next_step)
    files = _INODES_PER_OBJECT * count
    if room.objects is not None and files > room.objects:
        raise _full(store, f"{files:,} files", f"{room.objects:,}", next_step)


def _full(store: str, needed: str, free: str, next_step: str) -> StoreFullError:
    return StoreFullError(
        f"the store has no room: about {needed} are needed, and {free} are free",
        where=store,
        next_step=next_step,
    )
