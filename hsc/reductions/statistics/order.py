"""Medians and quartiles of groups of numbers that lie one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import ranked

# To the bit those of np.median and np.quantile, which hold Python's lock between their steps.


def medians(
    values: NDArray[np.float64], starts: NDArray[np.int64], groups: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give the median of groups.

    Parameters
    ----------
    values
        One group after the other.
    starts
        (groups + 1,): where each begins.
    groups
        (groups,): those whose median is asked for, if they have numbers; others get NaN.

    Examples
    --------
    >>> some = np.array([3.0, 9.0, 1.0, 3.0, 2.0])
    >>> medians(some, np.array([0, 3, 5]), np.array([True, True])).tolist()
    [3.0, 2.5]
    """
    sizes = np.diff(starts)
    odd = sizes % 2 == 1
    ranks = np.where(groups & (sizes > 0), np.where(odd, sizes // 2, sizes // 2 - 1), -1)
    below, above = ranked(values, starts, ranks[None])[0].T
    return np.asarray(np.where(odd, below, (below + above) / 2))


def quartiles(
    values: NDArray[np.float64], starts: NDArray[np.int64], groups: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give the first and the third quartile of groups, (2, groups); parameters as of `medians`.

    Between two numbers they are interpolated, as ``np.quantile`` does.

    Examples
    --------
    >>> quartiles(np.array([4.0, 1.0, 2.0]), np.array([0, 3]), np.array([True])).tolist()
    [[1.5], [3.0]]
    """
    sizes = np.diff(starts)
    quarters = np.array([[1], [3]]) * (sizes - 1)
    ranks = np.where(groups & (sizes > 0), quarters // 4, -1)
    found = ranked(values, starts, ranks)
    below, above, weight = found[..., 0], found[..., 1], quarters % 4 / 4
    step = above - below
    return np.asarray(np.where(weight < 0.5, below + step * weight, above - step * (1 - weight)))
