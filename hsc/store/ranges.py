"""Many parts of an object at once: which requests are sent, and how many side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from hsc.store.objects import ObjectStore
from hsc.store.retrying import ending_as_here

T = TypeVar("T")
R = TypeVar("R")

Part = bytes | memoryview
"""Bytes of an object; read only."""

AT_ONCE = 16
"""Requests of this process that are under way at once for one object, where a store leaves that
to us; all calls share them."""
REQUEST_BYTES = 8 * 2**20
"""A request asks for no more, but for one chunk that is larger."""
HOLE_BYTES = 256 * 2**10
"""So many bytes that nobody wants are read sooner than another request is sent: at 10 ms a round
trip and 100 MB/s they would take about as long."""


@runtime_checkable
class ReadsRanges(Protocol):
    """A store that gives many parts of an object at once, faster than one after the other."""

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Give parts of an object, in the order asked for.

        Parameters
        ----------
        key
            The object.
        ranges
            First byte, and the one after the last, of each part; a part that reaches beyond the
            object's end is cut there.

        Raises
        ------
        ObjectMissingError
            There is no such object.
        """
        ...


def get_ranges(objects: ObjectStore, key: str, ranges: Sequence[tuple[int, int]]) -> Sequence[Part]:
    """Give parts of an object from any store, by several requests at once.

    Raises
    ------
    ObjectMissingError
        There is no such object.
    """
    if isinstance(objects, ReadsRanges):
        return objects.get_ranges(key, ranges)
    return at_once(lambda each: objects.get(key, *each), ranges)


def at_once(ask: Callable[[T], R], each: Sequence[T]) -> list[R]:
    """Call a function that waits for a store, on many things at once; the first error is raised.

    The threads are this process's for such calls, so ``ask`` must not call this again.
    """
    if len(each) == 1:
        return [ask(each[0])]
    ask_here = ending_as_here(ask)
    waiting = [asking_threads().submit(ask_here, one) for one in each]
    try:
        return [one.result() for one in waiting]
    finally:
        for one in waiting:
            one.cancel()


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an object that is got by one request, with the wanted parts in it."""

    start: int
    """First byte."""
    stop: int
    """The byte after the last."""
    wanted: tuple[int, ...]
    """Numbers of the wanted parts that lie in it."""


def spans(parts: Iterable[tuple[int, int, int]], most: int = REQUEST_BYTES) -> list[Span]:
    """Put wanted parts together into as few requests as is sensible.

    Parameters
    ----------
    parts
        Number, first byte and end of each wanted part.
    most
        Bytes that a request asks for at most, but for one part that is larger.
    """
    most = min(most, REQUEST_BYTES)
    made: list[Span] = []
    start, stop, wanted = 0, 0, list[int]()
    for number, low, high in sorted(parts, key=lambda part: (*part[1:], part[0])):
        if wanted and (low - stop > HOLE_BYTES or max(high, stop) - start > most):
            made.append(Span(start, stop, tuple(wanted)))
            wanted = []
        if not wanted:
            start = stop = low
        stop = max(stop, high)
        wanted.append(number)
    return [*made, Span(start, stop, tuple(wanted))] if wanted else made


_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


def asking_threads() -> ThreadPoolExecutor:
    """Give this process's threads for what waits for a store; work there must not ask for them."""
    # The threads of a parent do not live on in its fork.
    with _lock:
        pool = _pools.get(os.getpid())
        if pool is None:
            _pools.clear()
            pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hsc-ranges")
            _pools[os.getpid()] = pool
        return pool
