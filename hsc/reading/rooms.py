"""Memory that batches are read into, kept by a worker's thread from one task to the next.

The system clears each page of fresh memory when it is first touched, and threads that do so at
the same time wait for each other: a task of a few frames would spend as long on that as on them.
"""

from __future__ import annotations

import sys
import threading

import numpy as np
from numpy.typing import NDArray

_MOST_BYTES = 160_000_000
_SLACK = 2  # who needs less than half of what is kept gets memory of its own
# A list, the loop over it and the call that counts look at a room that nobody else looks at.
_OUR_REFERENCES = 3

_kept = threading.local()


def room_for(nbytes: int) -> NDArray[np.uint8]:
    """Give memory that nobody looks at, and that holds anything; at least so many bytes.

    A thread keeps up to 160 MB of what it was given for its next call, until it ends; the main
    thread, which does not end, keeps nothing. While any view of it is left, it is not given again.
    """
    if threading.current_thread() is threading.main_thread():
        return np.empty(nbytes, np.uint8)
    rooms: list[NDArray[np.uint8]] = _kept.__dict__.setdefault("rooms", [])
    for room in rooms:
        fits = nbytes <= room.size <= _SLACK * nbytes
        if fits and sys.getrefcount(room) == _OUR_REFERENCES:
            return room
    found = np.empty(nbytes, np.uint8)
    rooms.insert(0, found)
    while sum(each.nbytes for each in rooms) > _MOST_BYTES:
        rooms.pop()
    return found
