"""Reading ahead: what comes next is asked for while what came is decoded."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import chain, islice
from typing import Generic, TypeVar

from hsc.store.ranges import asking_threads
from hsc.store.retrying import ending_as_here

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2
_MOST_BYTES = 256 * 2**20


def read_ahead(
    ask: Callable[[T], R], each: Iterable[T], nbytes: Callable[[T], int]
) -> Iterator[tuple[T, R]]:
    """Call a function that waits for a store on one thing after the other, two of them ahead.

    What is ahead is bounded for the whole process (256 MiB); beyond that bound, and when there is
    but one thing, it is asked for in its turn and in this thread.

    Parameters
    ----------
    ask
        What to call; not itself something that reads ahead.
    each
        What to call it on.
    nbytes
        Gives how many bytes it will bring.
    """
    left = iter(each)
    first = list(islice(left, 2))
    if len(first) < 2:
        yield from ((one, ask(one)) for one in first)
        return
    ask_there = ending_as_here(ask)
    begun = deque[_Begun[T, R]]()
    try:
        for one in chain(first, left):
            begun.append(_Begun(ask_there, one, nbytes(one)))
            if len(begun) > _AHEAD:
                yield begun[0].one, begun.popleft().finish()
        while begun:
            yield begun[0].one, begun.popleft().finish()
    finally:
        for answer in begun:
            answer.drop()


class _Room:
    """Bytes that may be ahead."""

    def __init__(self, nbytes: int) -> None:
        self._free = nbytes
        self._lock = threading.Lock()

    def take(self, nbytes: int) -> bool:
        with self._lock:
            there = nbytes <= self._free
            self._free -= nbytes if there else 0
        return there

    def give_back(self, nbytes: int) -> None:
        with self._lock:
            self._free += nbytes


_room = _Room(_MOST_BYTES)


class _Begun(Generic[T, R]):
    """One thing that was asked for, if there was room to ask ahead."""

    def __init__(self, ask: Callable[[T], R], one: T, nbytes: int) -> None:
        self.one = one
        self._ask = ask
        self._nbytes = nbytes
        self._answer: Future[R] | None = None
        if _room.take(nbytes):
            self._answer = asking_threads().submit(ask, one)

    def finish(self) -> R:
        """Give the answer."""
        try:
            return self._ask(self.one) if self._answer is None else self._answer.result()
        finally:
            self.drop()

    def drop(self) -> None:
        """Want no answer any more."""
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
            _room.give_back(self._nbytes)
