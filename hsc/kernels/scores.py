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
        (groups,): factors and means. Dispersion is divided by 1 + (factor - 1) x / mean with x the
        mean of the pixel, by the factor where the mean is not above 0, and by nothing where the
        factor is not.
    dispersion
        (pixels,): it, and deviation and shape of its distribution. The first is overwritten.
    counts
        Whether values are counts. Whole numbers are the same more often than a density says: where
        there is too little dispersion, a step of it is added.
    """
    found, deviation, shape = dispersion
    factors, means = expected
    _divide(moments.mean, starts, factors, means, found)
    stepped = found + 2.0 / moments.mean if counts else np.empty(0)
    for each in (found, stepped):
        _draw(moments.n, deviation, shape, each)
        np.cbrt(each, out=each)
    _score(shape, found, stepped)
    return found


@numba.njit(nogil=True, cache=True)
def _distances(values, starts, middles, found):  # type: ignore[no-untyped-def]
    for group in range(middles.size):
        middle = middles[group]
        for place in range(starts[group], starts[group + 1]):
            found[place] = abs(values[place] - middle)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _divide(mean, starts, factors, means, found):  # type: ignore[no-untyped-def]
    """Divide by what is expected."""
    for group in range(factors.size):
        factor, middle, low, high = factors[group], means[group], starts[group], starts[group + 1]
        if factor > 0 and middle > 0:
            for place in range(low, high):
                found[place] /= 1.0 + (factor - 1.0) * mean[place] / middle
        elif factor > 0:
            for place in range(low, high):
                found[place] /= factor


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _draw(n, deviation, shape, found):  # type: ignore[no-untyped-def]
    """Give what cube roots are taken of."""
    for place in range(found.size):
        freedom = np.float64(n[place]) - 1.0
        drawn = 1.0 + (found[place] - freedom) / deviation[place] / np.sqrt(shape[place])
        found[place] = 0.0 if drawn <= 0 else drawn  # NaN stays


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
