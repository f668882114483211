"""Buffers that are used again: fresh memory costs a page fault for each 4 KiB of it."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

BUFFER_BYTES = 4 * 2**20
"""Bytes of the buffers that are kept; others are made and let go."""
_MOST_KEPT = 64

_lock = threading.Lock()
_kept: list[NDArray[np.uint8]] = []


def take_buffer(nbytes: int) -> NDArray[np.uint8]:
    """Give a buffer of ``nbytes``, or of BUFFER_BYTES where that is a little more."""
    if not BUFFER_BYTES // 4 < nbytes <= BUFFER_BYTES:
        return np.empty(nbytes, np.uint8)
    with _lock:
        if _kept:
            return _kept.pop()
    return np.empty(BUFFER_BYTES, np.uint8)


def give_back(buffer: NDArray[np.uint8]) -> None:
    """Let a buffer be used again; nobody may look at it any more."""
    # A view of somebody else's bytes is not ours to give.
    if buffer.size == BUFFER_BYTES and buffer.flags.owndata:
        with _lock:
            if len(_kept) < _MOST_KEPT:
                _kept.append(buffer)
