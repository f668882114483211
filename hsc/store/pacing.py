"""Bytes that a store takes, told to whoever bounds their rate in the thread that writes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PAYER = threading.local()


@contextmanager
def paying(take: Callable[[int], None]) -> Iterator[None]:
    """Have a function called before bytes are written by this thread; it waits until they may be.

    Parameters
    ----------
    take
        Is given how many bytes.
    """
    before = getattr(_PAYER, "take", None)
    _PAYER.take = take
    try:
        yield
    finally:
        _PAYER.take = before


def pay(nbytes: int) -> None:
    """Wait until so many bytes may be written by this thread."""
    payer()(nbytes)


def payer() -> Callable[[int], None]:
    """Give what this thread pays with, for other threads that write on its behalf."""
    take: Callable[[int], None] | None = getattr(_PAYER, "take", None)
    return take or _let_pass


def _let_pass(_: int) -> None:
    """Let any bytes pass."""
