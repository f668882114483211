"""Scores of dispersion: how far each pixel's is from its group's, as a normal deviate."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.kernels.moments import Moments


def distances(
    values: NDArray[np.float64], starts: NDArray[np.int64], middles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give how far values are from the middle of their group, |x - m|.

    Parameters
    ----------
    values
        (n,): one group after the other.
    starts
        (groups + 1,): where each begins.
    middles
        (groups,): of each.
    """
    found = np.empty_like(values)
    _distances(values, starts, middles, found)
    return found


def scores_of(
    moments: Moments,
    starts: NDArray[np.int64],
    expected: tuple[NDArray[np.float64], NDArray[np.float64]],
    dispersion: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    counts: bool,
) -> NDArray[np.float64]:
    """Score the dispersion of pixels.

    Parameters
    ----------
    moments, starts
        Of pixels, one group after the other, and where each begins.
    expected
        (groups,): what dispersion is divided by, and how much of it, at the mean by which the
        second is divided, rises with a pixel's mean: 1 + (factor - 1) mean / middle. Where the
        second is 0 it is the factor alone; where the factor is not above 0, nothing is divided.
    dispersion
        (pixels,): it, and deviation and shape of its distribution. The first is overwritten.
    counts
        Whether values are counts. Whole numbers are the same more often than a density says: where
        there is too little dispersion, a step of it is added.
    """
    found, deviation, shape = dispersion
    factors, means = expected
    stepped = np.empty(len(found) if counts else 0)
    _draw(moments.n, moments.mean, starts, factors, means, found, deviation, shape, stepped)
    np.cbrt(found, out=found)
    np.cbrt(stepped, out=stepped)
    _score(shape, found, stepped)
    return found


@numba.njit(nogil=True, cache=True)
def _distances(values, starts, middles, found):  # type: ignore[no-untyped-def]
    for group in range(middles.size):
        middle = middles[group]
        for place in range(starts[group], starts[group + 1]):
            found[place] = abs(values[place] - middle)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _draw(n, mean, starts, factors, means, found, deviation, shape, stepped):  # type: ignore[no-untyped-def]
    """Give what cube roots are taken of."""
    for group in range(factors.size):
        factor, middle = factors[group], means[group]
        for place in range(starts[group], starts[group + 1]):
            value = found[place]
            if factor > 0:
                value /= 1.0 + (factor - 1.0) * mean[place] / middle if middle > 0 else factor
            freedom, root = np.float64(n[place]) - 1.0, np.sqrt(shape[place])
            found[place] = _not_below_0(1.0 + (value - freedom) / deviation[place] / root)
            if stepped.size:
                value += 2.0 / mean[place]
                stepped[place] = _not_below_0(1.0 + (value - freedom) / deviation[place] / root)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _score(shape, found, stepped):  # type: ignore[no-untyped-def]
    """Turn cube roots into scores."""
    for place in range(found.size):
        root, less = 3.0 * np.sqrt(shape[place]), 1.0 / (9.0 * shape[place])
        score = root * (found[place] - 1.0 + less)
        if stepped.size and score < 0:
            score = root * (stepped[place] - 1.0 + less)
            score = 0.0 if score > 0 else score
        found[place] = score


@numba.njit(nogil=True, cache=True)
def _not_below_0(value):  # type: ignore[no-untyped-def]
    return 0.0 if value <= 0 else value  # NaN stays
