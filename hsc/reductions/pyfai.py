"""Work of pyFAI's: here where it is small, else in a process that takes its memory with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hsc.errors import ReductionError, SourceCrashError, SourceTooLargeError, SourceTooSlowError
from hsc.workers import Isolation, Limits

R = TypeVar("R")

DONE_HERE_PIXELS = 6_000_000
"""pyFAI takes some 60 bytes for each pixel beside what it gives: 0.4 GB for so many, which a
worker has room for below 1 GB, and a child costs seconds to start."""

# The system bounds it: how much pyFAI needs is nobody's to say beforehand.
_LIMITS = Limits(memory_bytes=2**40, seconds=3600.0)


def work_out(
    function: Callable[..., R],
    *args: Any,
    pixels: int,
    subject: str,
    doing: str,
    here_pixels: int = DONE_HERE_PIXELS,
) -> R:
    """Call a function of a module that calls pyFAI; the same bytes come out here and in a child.

    Parameters
    ----------
    function, *args
        What is called, and with what; sent as a pickle.
    pixels
        Of a frame.
    subject, doing
        What it is for and what it does, for the error if it never comes back.
    here_pixels
        Frames of more pixels are left to a child.

    Raises
    ------
    ReductionError
        The child ended before it was done.
    """
    if pixels <= here_pixels:
        return function(*args)
    try:
        return Isolation(subject, _LIMITS, library="pyFAI").call_once(function, *args, doing=doing)
    except (SourceCrashError, SourceTooLargeError, SourceTooSlowError) as error:
        raise ReductionError(
            error.message,
            where=error.where,
            next_step="run it again where more memory is free; it needs about 100 bytes a pixel",
        ) from error
