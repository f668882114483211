"""Order statistics of groups of numbers that lie one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Partitions, and not np.median and np.quantile: the same numbers, and a tenth of the time in which
# Python's lock is held.


def median(values: NDArray[np.float64]) -> float:
    """Give the median of numbers, at least one, which are put in another order.

    Examples
    --------
    >>> median(np.array([3.0, 9.0, 1.0])), median(np.array([3.0, 9.0, 1.0, 2.0]))
    (3.0, 2.5)
    """
    half = len(values) // 2
    if not half:
        return float(values[0])
    values.partition((half - 1, half))
    if len(values) % 2:
        return float(values[half])
    return float((values[half - 1] + values[half]) / 2)


def medians(
    values: NDArray[np.float64], starts: NDArray[np.int64], without: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give the median of each group.

    Parameters
    ----------
    values
        One group after the other; they are put in another order.
    starts
        (groups + 1,): where each begins.
    without
        (groups,): those that get NaN.
    """
    found = np.full(len(without), np.nan)
    for group in np.flatnonzero(~without & (starts[1:] > starts[:-1])):
        found[group] = median(values[starts[group] : starts[group + 1]])
    return found


def quartiles(
    values: NDArray[np.float64], starts: NDArray[np.int64], without: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give the first and the third quartile of each group, (2, groups); parameters as of `medians`.

    Between two numbers they are interpolated, as ``np.quantile`` does.

    Examples
    --------
    >>> quartiles(np.array([4.0, 1.0, 2.0]), np.array([0, 3]), np.array([False])).tolist()
    [[1.5], [3.0]]
    """
    found = np.full((2, len(without)), np.nan)
    for group in np.flatnonzero(~without & (starts[1:] > starts[:-1])):
        part = values[starts[group] : starts[group + 1]]
        last = len(part) - 1
        # Where each lies: a whole number of quarters, without rounding.
        at = [divmod(quarters * last, 4) for quarters in (1, 3)]
        part.partition(sorted({min(each + more, last) for each, _ in at for more in (0, 1)}))
        for place, (whole, rest) in enumerate(at):
            below, above = part[whole], part[min(whole + 1, last)]
            found[place, group] = _between(float(below), float(above), rest / 4)
    return found


def _between(below: float, above: float, weight: float) -> float:
    """Interpolate, and give an end exactly that is nearly met."""
    if weight < 0.5:
        return below + (above - below) * weight
    return above - (above - below) * (1 - weight)
