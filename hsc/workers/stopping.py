"""Stopping: tasks in threads hear at every part they write that nobody waits for them any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hsc.errors import WorkStoppedError
from hsc.store import end_waits_with, paying
from hsc.workers.rate import Pace


class _Running:
    """Counts the calls that this process is in the middle of, also of a map that Ctrl-C left."""

    def __init__(self) -> None:
        self._count = 0
        self._turn = threading.Condition()

    def add(self, calls: int) -> None:
        with self._turn:
            self._count += calls
            self._turn.notify_all()

    def ended(self, seconds: float) -> bool:
        with self._turn:
            return self._turn.wait_for(lambda: self._count == 0, seconds)


_RUNNING = _Running()


class Stop:
    """Ends the tasks of one map, each at the next part that it writes.

    Parameters
    ----------
    pace
        What the tasks may write; None: not bounded. Who waits for it stops waiting.
    """

    def __init__(self, pace: Pace | None) -> None:
        self._over = threading.Event()
        self._pace = pace

    def set(self) -> None:
        """End them."""
        self._over.set()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Let what this thread does in the block be ended.

        Raises
        ------
        WorkStoppedError
            It was.
        """
        end_waits_with(self._over)
        _RUNNING.add(1)
        try:
            with paying(self._pay):
                yield
        finally:
            _RUNNING.add(-1)

    def check(self) -> None:
        """Raise when the tasks are to end."""
        if self._over.is_set():
            raise WorkStoppedError("other work failed, or was stopped, and this with it")

    def _pay(self, nbytes: int) -> None:
        self.check()
        if self._pace is not None and nbytes:
            self._pace.take(nbytes, self._over)
            self.check()


def settled(seconds: float) -> bool:
    """Wait so long for calls to end; tell whether all of this process have."""
    return _RUNNING.ended(seconds)


def left_running() -> bool:
    """Tell whether this process is still in the middle of calls: exiting would wait for them."""
    return not _RUNNING.ended(0)
