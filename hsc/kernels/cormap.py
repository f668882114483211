"""Correlation maps: the longest run of one sign in the difference of two curves, for many pairs."""

from __future__ import annotations

import math
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

_LANES = 16


def longest_runs(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.int32]:
    """Give the longest run of equal sign of first[i] - second[j] along the points, for every pair.

    A difference of zero, or one that is no number, has no sign and ends a run. This is the
    statistic of D. Franke, C. M. Jeffries and D. I. Svergun, Correlation Map, Nature Methods 12
    (2015) 419.

    Parameters
    ----------
    first, second
        Curves, shapes (n, points) and (m, points).

    Returns
    -------
    Numbers of points, shape (n, m).

    Examples
    --------
    >>> longest_runs(np.array([[1.0, 1, 0, 1, 1, 1]]), np.zeros((1, 6))).tolist()
    [[3]]
    """
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(f"curves of shapes {first.shape} and {second.shape} are not comparable")
    longest = np.empty((len(first), len(second)), dtype=np.int32)
    rows = np.ascontiguousarray(first, dtype=np.float64)
    _compare(rows, _beside(second), longest, False)
    return longest


def longest_runs_within(curves: NDArray[np.float64]) -> NDArray[np.int32]:
    """Give the same for every two of some curves: each pair is compared once.

    Parameters
    ----------
    curves
        Shape (n, points).

    Returns
    -------
    Numbers of points, shape (n, n), symmetric, 0 on the diagonal.

    Examples
    --------
    >>> longest_runs_within(np.array([[1.0, 2, 3], [1, 1, 1], [0, 0, 9]])).tolist()
    [[0, 2, 2], [2, 0, 2], [2, 2, 0]]
    """
    rows = np.ascontiguousarray(curves, dtype=np.float64)
    longest = np.zeros((len(rows), len(rows)), dtype=np.int32)
    _compare(rows, _beside(rows), longest, True)
    upper = np.triu(longest, 1)
    return upper + upper.T


def _beside(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    # Curves beside each other, point by point: neighbours in memory are compared at once.
    lanes = -(-len(curves) // _LANES)
    beside = np.zeros((lanes, curves.shape[1], _LANES))
    for lane in range(lanes):
        some = curves[lane * _LANES : (lane + 1) * _LANES]
        beside[lane, :, : len(some)] = some.T
    return beside


@lru_cache(maxsize=4096)
def run_probability(points: int, longest: int) -> float:
    """Give the probability that a fair coin, thrown so often, shows one side so often in a row.

    With A(n, c) the number of sequences of n throws without more than c heads in a row,
    A(n, c) = 2^n for n <= c and else the sum of A(n - 1 - j, c) over j = 0 ... c, the longest run
    of either side exceeds c in 2^n - 2 A(n - 1, c - 1) sequences (M. F. Schilling, The Longest Run
    of Heads, The College Mathematics Journal 21 (1990) 196). All in whole numbers, as in
    `freesas.cormap`, which this equals for all runs but of length one: there freesas gives 0,
    although every sequence has such a run.

    Examples
    --------
    >>> run_probability(3, 3), run_probability(3, 1), round(run_probability(1000, 12), 4)
    (0.25, 1.0, 0.2152)
    """
    if longest <= 1:
        return 1.0
    if longest > points:
        return 0.0
    beyond = 2**points - 2 * _sequences(points - 1, longest - 2)
    return float(min(2.0 ** (math.log2(beyond) - points), 1.0))


def _sequences(throws: int, longest: int) -> int:
    """Give A(n, c)."""
    counts: list[int] = [2**n for n in range(min(throws, longest) + 1)]
    window = sum(counts)
    for n in range(len(counts), throws + 1):
        counts.append(window)
        window += counts[n] - counts[n - longest - 1]
    return counts[throws]


@numba.njit(nogil=True, cache=True)
def _compare(rows, beside, longest, upper):  # type: ignore[no-untyped-def]
    """Fill in the longest runs; with ``upper`` only where the second curve is after the first."""
    points = rows.shape[1]
    above = np.empty(_LANES, dtype=np.int64)
    below = np.empty(_LANES, dtype=np.int64)
    best = np.empty(_LANES, dtype=np.int64)
    for lane in range(beside.shape[0]):
        some = beside[lane]
        last = min(rows.shape[0], (lane + 1) * _LANES) if upper else rows.shape[0]
        for row in range(last):
            above[:] = 0
            below[:] = 0
            best[:] = 0
            for point in range(points):
                value = rows[row, point]
                for place in range(_LANES):
                    other = some[point, place]
                    # Neither holds for equal numbers, nor for one that is no number.
                    up = above[place] + 1 if value > other else 0
                    down = below[place] + 1 if value < other else 0
                    above[place] = up
                    below[place] = down
                    best[place] = max(best[place], up, down)
            for place in range(min(_LANES, longest.shape[1] - lane * _LANES)):
                longest[row, lane * _LANES + place] = best[place]
