"""Sharing: threads of a map that have no task left do parts of the tasks of others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_HERE = threading.local()


def share_parts(function: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """Give each part's result, in the order of the parts: for a task that has many.

    In a task of `ThreadWorkers` threads of the same map that have no task left do parts of it, so
    that a few large tasks end together; anywhere else this thread does them all. Parts begin in
    their order; the first error by part is raised, when those that have begun are done.

    Parameters
    ----------
    function
        Is called with each part, perhaps in several threads at once.
    parts
        What a task consists of.

    Examples
    --------
    >>> share_parts(abs, [-1, 2])
    [1, 2]
    """
    crew: Crew | None = getattr(_HERE, "crew", None)
    if crew is None or len(parts) < 2:
        return [function(part) for part in parts]
    shared = _Shared(function, parts)
    with crew.helping_with(shared):
        shared.work()
        return shared.ended()


class Crew:
    """The threads of one map.

    Parameters
    ----------
    tasks
        How many tasks the map has.
    count
        How many threads do them.
    """

    def __init__(self, tasks: int, count: int) -> None:
        self._left = tasks
        self._count = count
        self._over = False
        self._shared: list[_Shared] = []
        self._turn = threading.Condition()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Let what this thread does in the block be shared out."""
        _HERE.crew = self
        try:
            yield
        finally:
            _HERE.crew = None

    def end_task(self) -> None:
        """Help others when a task is done and none is left for this thread."""
        with self._turn:
            self._left -= 1
            if not self._left:
                self._over = True
                self._turn.notify_all()
            idle = self._left < self._count
        if idle:
            self.help()

    def help(self) -> None:
        """Do parts of others' tasks, for as long as there are tasks."""
        while (shared := self._wait()) is not None:
            shared.work()

    def end(self) -> None:
        """Wait for no more parts."""
        with self._turn:
            self._over = True
            self._turn.notify_all()

    @contextmanager
    def helping_with(self, shared: _Shared) -> Iterator[None]:
        """Let others help with it while the block runs."""
        with self._turn:
            self._shared.append(shared)
            self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._shared.remove(shared)

    def _wait(self) -> _Shared | None:
        """Wait for something to help with; None when there are no tasks any more."""
        with self._turn:
            while not self._over:
                for shared in self._shared:
                    if shared.left:
                        return shared
                self._turn.wait()
        return None


class _Shared:
    """A task's parts, done by whoever has time."""

    def __init__(self, function: Callable[[Any], Any], parts: Sequence[Any]) -> None:
        self._function = function
        self._parts = parts
        self._results: list[Any] = [None] * len(parts)
        self._failures: dict[int, BaseException] = {}
        self._next = 0
        self._doing = 0
        self._turn = threading.Condition()

    @property
    def left(self) -> bool:
        """Whether parts are left to begin with."""
        return self._next < len(self._parts) and not self._failures

    def work(self) -> None:
        """Do parts until none is left, or one failed."""
        while True:
            with self._turn:
                if not self.left:
                    return
                number = self._next
                self._next += 1
                self._doing += 1
            try:
                self._results[number] = self._function(self._parts[number])
            except BaseException as error:  # raised in the thread whose task it is
                self._failures[number] = error
            finally:
                with self._turn:
                    self._doing -= 1
                    self._turn.notify_all()

    def ended(self) -> list[Any]:
        """Give the results when all who work on it are done."""
        with self._turn:
            self._turn.wait_for(lambda: not self._doing)
        if self._failures:
            raise self._failures[min(self._failures)]
        return self._results
