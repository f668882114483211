"""Doing a bitshuffle: the inverse of `hsc.transcode.planes`."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.planes import turned


@numba.njit(nogil=True, cache=True)
def shuffle_bits(
    source: NDArray[np.uint8],
    start: int,
    target: NDArray[np.uint8],
    at: int,
    elements: int,
    itemsize: int,
) -> None:
    """Bitshuffle ``elements``, a multiple of 8: bit k of all elements into one row.

    Squares of 8 x 8 bits are turned at a time.
    """
    row = elements // 8
    for byte in range(itemsize):
        first = at + byte * 8 * row
        for group in range(row):
            place = start + 8 * group * itemsize + byte
            word = np.uint64(0)
            for element in range(8):
                word |= np.uint64(source[place + element * itemsize]) << np.uint64(8 * element)
            word = turned(word)
            for bit in range(8):
                target[first + bit * row + group] = np.uint8(
                    (word >> np.uint64(8 * bit)) & np.uint64(0xFF)
                )


@numba.njit(nogil=True, cache=True)
def shuffle_bytes(source: NDArray[np.uint8], target: NDArray[np.uint8], itemsize: int) -> None:
    """Do HDF5's shuffle: the first bytes of all elements first, then the second ones.

    Bytes beyond the last whole element stay at the end as they are.
    """
    elements = source.size // itemsize
    for strip in range(0, elements, 512):
        last = min(strip + 512, elements)
        for byte in range(itemsize):
            for place in range(strip, last):
                target[byte * elements + place] = source[place * itemsize + byte]
    for place in range(elements * itemsize, source.size):
        target[place] = source[place]
