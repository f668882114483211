"""Undoing shuffles: of bits (bitshuffle) and of bytes (HDF5's filter 2)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.turning import COLUMNS, turn_1, turn_2, turn_4, turn_8


@numba.njit(nogil=True, cache=True, inline="always")
def turned(word: np.uint64) -> np.uint64:
    """Turn a square of 8 x 8 bits: rows become columns (Hacker's Delight, 2nd ed., 7-3)."""
    turn = (word ^ (word >> np.uint64(7))) & np.uint64(0x00AA00AA00AA00AA)
    word ^= turn ^ (turn << np.uint64(7))
    turn = (word ^ (word >> np.uint64(14))) & np.uint64(0x0000CCCC0000CCCC)
    word ^= turn ^ (turn << np.uint64(14))
    turn = (word ^ (word >> np.uint64(28))) & np.uint64(0x00000000F0F0F0F0)
    return word ^ (turn ^ (turn << np.uint64(28)))


@numba.njit(nogil=True, cache=True)
def unshuffle_bits(
    source: NDArray[np.uint8],
    start: int,
    target: NDArray[np.uint8],
    at: int,
    elements: int,
    itemsize: int,
) -> None:
    """Undo a bitshuffle of ``elements``, a multiple of 8.

    Bit k of all elements stands in one row of ``elements / 8`` bytes, the lowest bit first. Eight
    rows are eight bits of one byte of each element: squares of 8 x 8 bits are turned at a time.
    """
    row = elements // 8
    column = np.int64(0)
    while column + COLUMNS <= row and itemsize in (1, 2, 4, 8):
        if itemsize == 1:
            turn_1(source, start, row, target, at, column)
        elif itemsize == 2:
            turn_2(source, start, row, target, at, column)
        elif itemsize == 4:
            turn_4(source, start, row, target, at, column)
        else:
            turn_8(source, start, row, target, at, column)
        column += COLUMNS
    for byte in range(itemsize):
        first = start + byte * 8 * row
        for group in range(column, row):
            word = np.uint64(0)
            for bit in range(8):
                word |= np.uint64(source[first + bit * row + group]) << np.uint64(8 * bit)
            word = turned(word)
            place = at + 8 * group * itemsize + byte
            for element in range(8):
                target[place + element * itemsize] = np.uint8(
                    (word >> np.uint64(8 * element)) & np.uint64(0xFF)
                )


@numba.njit(nogil=True, cache=True)
def unshuffle_bytes(source: NDArray[np.uint8], target: NDArray[np.uint8], itemsize: int) -> None:
    """Undo HDF5's shuffle: the first bytes of all elements stand first, then the second ones.

    Bytes beyond the last whole element stand at the end as they are.
    """
    elements = source.size // itemsize
    if itemsize == 2:
        for place in range(elements):
            target[2 * place] = source[place]
            target[2 * place + 1] = source[elements + place]
    elif itemsize == 4:
        for place in range(elements):
            target[4 * place] = source[place]
            target[4 * place + 1] = source[elements + place]
            target[4 * place + 2] = source[2 * elements + place]
            target[4 * place + 3] = source[3 * elements + place]
    else:
        # In strips, so that the lines of the target stay in the cache.
        for strip in range(0, elements, 512):
            last = min(strip + 512, elements)
            for byte in range(itemsize):
                for place in range(strip, last):
                    target[place * itemsize + byte] = source[byte * elements + place]
    for place in range(elements * itemsize, source.size):
        target[place] = source[place]
