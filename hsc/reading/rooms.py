"""Memory that batches are read into, kept by a worker's thread from one task to the next.

The system clears each page of fresh memory when it is first touched, and threads that do so at
the same time wait for each other: a task of a few frames would spend as long on that as on them.
"""

from __future__ import annotations

import threading
import weakref

import numpy as np
from numpy.typing import NDArray

_MOST_BYTES = 160_000_000
_SLACK = 2  # who needs less than half of what is kept gets memory of its own

_kept = threading.local()


class _Room:
    """Memory of a thread, and whom it was lent to last."""

    def __init__(self, nbytes: int) -> None:
        self.memory = np.empty(nbytes, np.uint8)
        self._lent: weakref.ref[NDArray[np.uint8]] | None = None

    @property
    def free(self) -> bool:
        """Whether nothing is left of what was lent."""
        return self._lent is None or self._lent() is None

    def lend(self) -> NDArray[np.uint8]:
        """Give the memory as an array that lives for as long as any view of it."""
        # A view of a view holds the array that owns the memory, here `memory` itself. Between the
        # two stands a memoryview, which numpy does not look through: views hold `lent` instead.
        lent = np.frombuffer(self.memory.data, np.uint8)
        self._lent = weakref.ref(lent)
        return lent


def room_for(nbytes: int) -> NDArray[np.uint8]:
    """Give memory that nobody looks at, and that holds anything; at least so many bytes.

    A thread keeps up to 160 MB of what it was given for its next call, until it ends; the main
    thread, which does not end, keeps nothing. While any view of it is left, it is not given again.
    """
    if threading.current_thread() is threading.main_thread():
        return np.empty(nbytes, np.uint8)
    rooms: list[_Room] = _kept.__dict__.setdefault("rooms", [])
    for room in rooms:
        if nbytes <= room.memory.nbytes <= _SLACK * nbytes and room.free:
            return room.lend()
    found = _Room(nbytes)
    rooms.insert(0, found)
    while sum(each.memory.nbytes for each in rooms) > _MOST_BYTES:
        rooms.pop()
    return found.lend()
