"""Smaller and smaller pictures: sums, or the largest, of two by two pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST = 256
"""The last level has no side that is longer."""


def pyramid(picture: NDArray[Any], how: str, smallest: int = SMALLEST) -> list[NDArray[Any]]:
    """Give the levels of a picture, itself the first; each has half as many rows and columns.

    Where a side is odd, the last row or column is joined with nothing: sums stay sums of all.

    Parameters
    ----------
    picture
        Rows, columns; of NaN only the largest of others is taken.
    how
        ``sum`` or ``maximum``.
    smallest
        The last level has no side that is longer.

    Examples
    --------
    >>> [level.tolist() for level in pyramid(np.array([[1, 2, 3], [4, 5, 6]]), "sum", 2)]
    [[[1, 2, 3], [4, 5, 6]], [[12, 9]]]
    """
    join: np.ufunc = np.add if how == "sum" else np.fmax
    levels = [picture]
    while max(levels[-1].shape) > smallest:
        level = levels[-1]
        for _ in level.shape:
            level = _halved(level, join).T  # rows, then columns, then as it was
        levels.append(np.ascontiguousarray(level))
    return levels


def _halved(level: NDArray[Any], join: np.ufunc) -> NDArray[Any]:
    pairs = len(level) // 2 * 2
    made: NDArray[Any] = join(level[:pairs:2], level[1:pairs:2])
    return np.concatenate([made, level[pairs:]])
