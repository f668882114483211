"""Turns at the processors: of the tasks under way some work, the others wait for a store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hsc.store import pay

_HERE = threading.local()


class Turns:
    """Lets so many tasks of one map work at once.

    Parameters
    ----------
    count
        How many.
    """

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)

    @contextmanager
    def offered(self) -> Iterator[None]:
        """Have what this thread does in the block take its turns here, where it asks for any."""
        _HERE.turns = self
        try:
            yield
        finally:
            _HERE.turns = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Work while the block runs, when it is this thread's turn."""
        with self._free:
            pay(0)  # whose work was stopped meanwhile hears it here
            yield


@contextmanager
def at_work() -> Iterator[None]:
    """Keep a processor busy while the block runs; where its map gives turns, wait for one."""
    turns: Turns | None = getattr(_HERE, "turns", None)
    if turns is None:
        yield
        return
    with turns.taken():
        yield
