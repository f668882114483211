"""Smaller and smaller pictures: sums, or the largest, of two by two pixels."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from hsc.kernels import halve_picture

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
    >>> import numpy as np
    >>> [level.tolist() for level in pyramid(np.array([[1, 2, 3], [4, 5, 6]]), "sum", 2)]
    [[[1, 2, 3], [4, 5, 6]], [[12, 9]]]
    """
    levels = [picture]
    while max(levels[-1].shape) > smallest:
        levels.append(halve_picture(levels[-1], add=how == "sum"))
    return levels
