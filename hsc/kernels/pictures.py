"""Pictures made smaller, and bits of pixels as pictures of their own."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


def halve_picture(picture: NDArray[Any], *, add: bool) -> NDArray[Any]:
    """Join two by two pixels: their sum, or the largest.

    Parameters
    ----------
    picture
        Rows, columns. Where a side is odd, the last row or column is joined with nothing. Rows are
        joined first. NaN is the largest only of nothing else.
    add
        Whether it is the sum.

    Examples
    --------
    >>> halve_picture(np.array([[1, 2, 3], [4, 5, 6]]), add=True).tolist()
    [[12, 9]]
    >>> halve_picture(np.array([[1.0, np.nan], [np.nan, 3.0], [np.nan, 5.0]]), add=False).tolist()
    [[3.0], [5.0]]
    """
    rows, columns = picture.shape
    made = np.empty(((rows + 1) // 2, (columns + 1) // 2), picture.dtype)
    halve = _add_pairs if add else _largest_of_pairs
    halve(np.ascontiguousarray(picture), made)
    return made


def part_flags(
    flags: NDArray[np.uint32], others: NDArray[np.uint32], bits: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Give for each bit where it is set, and how often; then add other bits, in place.

    Parameters
    ----------
    flags, others
        (pixels,): the bits of each pixel, and those that are added to them.
    bits
        Those that are looked for.

    Examples
    --------
    >>> flags = np.array([0, 2, 10], "u4")
    >>> where, counts = part_flags(flags, np.array([1, 0, 0], "u4"), (2, 8))
    >>> where.tolist(), counts.tolist(), flags.tolist()
    ([[False, True, True], [False, False, True]], [2, 1], [1, 2, 10])
    """
    where = np.zeros((len(bits), len(flags)), np.bool_)
    counts = np.zeros(len(bits), np.int64)
    _part(flags, others, np.array(bits, np.uint32), where, counts)
    return where, counts


@numba.njit(nogil=True, cache=True)
def _add_pairs(picture, made):  # type: ignore[no-untyped-def]
    rows, columns = picture.shape
    for row in range(made.shape[0]):
        one = picture[2 * row]
        other = picture[min(2 * row + 1, rows - 1)]
        single = 2 * row + 1 == rows
        for column in range(columns // 2):
            left, right = one[2 * column], one[2 * column + 1]
            if not single:
                left, right = left + other[2 * column], right + other[2 * column + 1]
            made[row, column] = left + right
        if columns % 2:
            last = one[columns - 1]
            made[row, columns // 2] = last if single else last + other[columns - 1]


@numba.njit(nogil=True, cache=True)
def _largest_of_pairs(picture, made):  # type: ignore[no-untyped-def]
    rows, columns = picture.shape
    for row in range(made.shape[0]):
        one = picture[2 * row]
        other = picture[min(2 * row + 1, rows - 1)]  # the largest of a row and itself is the row
        for column in range(columns // 2):
            left = _larger(one[2 * column], other[2 * column])
            right = _larger(one[2 * column + 1], other[2 * column + 1])
            made[row, column] = _larger(left, right)
        if columns % 2:
            made[row, columns // 2] = _larger(one[columns - 1], other[columns - 1])


@numba.njit(nogil=True, cache=True)
def _larger(one, other):  # type: ignore[no-untyped-def]
    return one if one >= other or other != other else other  # noqa: PLR0124 (NaN)


@numba.njit(nogil=True, cache=True)
def _part(flags, others, bits, where, counts):  # type: ignore[no-untyped-def]
    for place in range(flags.size):
        if flags[place]:
            for number in range(bits.size):
                found = flags[place] & bits[number] != 0
                where[number, place] = found
                counts[number] += found
        flags[place] |= others[place]
