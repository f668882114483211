"""Requests abreast: where each waits for a store, a few are under way at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hsc.store.pacing import payer, paying
from hsc.store.retrying import end_waits_with, ends_waits

_T = TypeVar("_T")
_R = TypeVar("_R")

_REQUESTS = 8


def abreast(function: Callable[[_T], _R], things: Sequence[_T]) -> list[_R]:
    """Call a function that waits for a store on each of many things; give what it gives, in order.

    The first error is raised, once the calls that run have ended; no other begins. They pay and
    stop waiting as this thread does.
    """
    if len(things) < 2:
        return [function(thing) for thing in things]
    take = payer()

    def call(thing: _T) -> _R:
        with paying(take):
            return function(thing)

    with ThreadPoolExecutor(
        min(_REQUESTS, len(things)),
        thread_name_prefix="hsc-abreast",
        initializer=end_waits_with,
        initargs=(ends_waits(),),
    ) as pool:
        return list(pool.map(call, things))
