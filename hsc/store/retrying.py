"""Asking again: how long a store that does not answer is waited for, and who may end the wait."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hsc.errors import StoreUnavailableError

T = TypeVar("T")
R = TypeVar("R")

_LOG = logging.getLogger(__name__)
_FACTOR = 2.0
_SHARE_DRAWN = 0.5  # of a wait: many workers that failed at once don't come back at once

# Which event ends the waits of a thread; a thread that has none waits on one that nobody sets.
_ends = threading.local()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store that does not answer, or answers that it can't now, is waited for."""

    total_s: float = 90.0
    """Seconds from the first failure of a request to giving up; a try that runs is let finish."""
    first_s: float = 0.2
    """Wait before the second try; each later one is twice as long."""
    longest_s: float = 8.0
    """The longest wait between two tries."""


def end_waits_with(event: threading.Event) -> None:
    """Let waits of this thread end when an event is set: nobody waits for its work any more."""
    _ends.event = event


def ending_as_here(ask: Callable[[T], R]) -> Callable[[T], R]:
    """Give a function whose waits end, in whatever thread, as they would in this one."""
    event: threading.Event | None = getattr(_ends, "event", None)

    def call(argument: T) -> R:
        _ends.event = event
        return ask(argument)

    return call


def ends_waits() -> threading.Event:
    """Give the event that ends the waits of this thread, for others that wait on its behalf."""
    event: threading.Event | None = getattr(_ends, "event", None)
    return event or threading.Event()


def persist(
    ask: Callable[[], T], cause: Callable[[Exception], str | None], where: str, patience: Patience
) -> T:
    """Ask until there is an answer, or patience ends.

    Parameters
    ----------
    ask
        One try.
    cause
        Words for an error that may pass; None for one that will not, which is raised as it is.
    where
        What is asked.
    patience
        How long.

    Raises
    ------
    StoreUnavailableError
        Every try failed until patience ended, or the wait was ended.
    """
    began: float | None = None
    wait, tries = patience.first_s, 0
    while True:
        tries += 1
        try:
            return ask()
        except Exception as error:
            words = cause(error)
            if words is None:
                raise
            now = time.monotonic()
            began = now if began is None else began
            if now - began + wait > patience.total_s or not _waited(wait, words, where, tries):
                raise _gave_up(words, where, tries, now - began) from error
        wait = min(wait * _FACTOR, patience.longest_s)


def _waited(seconds: float, words: str, where: str, tries: int) -> bool:
    """Wait; False when the wait was ended."""
    # The first failure is everyday life of a large store; the second is news.
    level = logging.DEBUG if tries == 1 else logging.WARNING
    _LOG.log(level, "no answer (%s); trying again: %s", words, where)
    drawn = seconds * (1 - _SHARE_DRAWN * random.random())  # noqa: S311 (no secret)
    return not ends_waits().wait(drawn)


def _gave_up(words: str, where: str, tries: int, seconds: float) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"the store failed {tries} times in {seconds:.0f} s: {words}",
        where=where,
        next_step="find out whether the store is up and can be reached from here "
        "(AWS_ENDPOINT_URL), and give the same command again: an ingest goes on where it was, "
        "a reduction begins anew",
    )
