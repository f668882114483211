"""Rings about a point: which of them each pixel of a picture lies in."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray


def number_rings(
    down: NDArray[np.float64], across: NDArray[np.float64], width: float
) -> NDArray[np.int32]:
    """Give the ring of each pixel, ⌊√(down² + across²) / width⌋, counted from the innermost.

    Roots and quotients are exact to the last bit everywhere, as ``np.hypot`` is not.

    Parameters
    ----------
    down, across
        (rows,), (columns,): how far rows and columns are from the point.
    width
        Of a ring.

    Examples
    --------
    >>> number_rings(np.array([0.0]), np.array([0.0, 1.0, 2.0, 3.0, 4.0]), 2.0).tolist()
    [[0, 0, 1, 1, 2]]
    """
    labels = np.empty((len(down), len(across)), np.int32)
    if labels.size:
        nearest = math.sqrt(np.square(down).min() + np.square(across).min())
        _number(down, across, float(width), float(nearest // width), labels)
    return labels


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _number(down, across, width, innermost, labels):  # type: ignore[no-untyped-def]
    for row in range(down.size):
        square, doubtful = down[row] * down[row], False
        for column in range(across.size):
            distance = np.sqrt(square + across[column] * across[column])
            ring = np.floor(distance / width)
            doubtful |= ring * width >= distance
            labels[row, column] = np.int32(ring - innermost)
        if doubtful:
            _settle(square, across, width, innermost, labels[row])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _settle(square, across, width, innermost, labels):  # type: ignore[no-untyped-def]
    """Look again at pixels whose quotient may have been rounded up to a whole number."""
    for column in range(across.size):
        distance = np.sqrt(square + across[column] * across[column])
        ring = np.floor(distance / width)
        if ring * width >= distance:
            # The rest is exact: nearly a whole width is left where the ring begins farther out.
            begun = np.fmod(distance, width) < width / 2
            labels[column] = np.int32((ring if begun else ring - 1.0) - innermost)
