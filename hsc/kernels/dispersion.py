"""Dispersion of counts about their mean, pixel by pixel: the loops between the functions of NumPy.

Powers and cube roots are NumPy's, between these loops: what they give in the last bit hangs on the
library, and that stays one and the same.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.kernels.moments import Moments

_FEWEST_COUNTS = 4.0


def gather_moments(moments: Moments, pixels: NDArray[np.integer[Any]]) -> Moments:
    """Give the moments of some pixels, in their order."""
    found = Moments(*(np.empty(len(pixels), kind) for kind in (np.uint32, float, float)))
    _gather(pixels, moments.n, moments.mean, moments.variance, found.n, found.mean, found.variance)
    return found


def choose_pixels(
    moments: Moments, starts: NDArray[np.int64], groups: NDArray[np.bool_], above: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the pixels that vary at all: of more than one count, and a sum that is large enough.

    Parameters
    ----------
    moments
        Of pixels, one group after the other.
    starts
        (groups + 1,): where each group begins.
    groups
        (groups,): from which pixels are chosen.
    above
        What mean · n has to be above; -inf: it may be anything.

    Returns
    -------
    places, starts
        Of the chosen pixels among all, and where each group begins among the chosen.

    Examples
    --------
    >>> some = Moments(np.array([3, 3, 1], "u4"), np.array([9.0, 0.1, 9.0]), np.ones(3))
    >>> places, starts = choose_pixels(some, np.array([0, 2, 3]), np.array([True, True]), 1.0)
    >>> places.tolist(), starts.tolist()
    ([0], [0, 1, 1])
    """
    places, found = np.empty(len(moments.n), np.int64), np.zeros(len(starts), np.int64)
    _choose(moments.n, moments.mean, starts, groups, above, places, found)
    return places[: found[-1]], found


def dispersion_of(
    moments: Moments, counts: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give the dispersion of each pixel and what chance makes of it.

    Parameters
    ----------
    moments
        Of pixels with more than one count.
    counts
        Whether values are counts.

    Returns
    -------
    found, deviation, shape, ratio
        The dispersion, the deviation and the shape of its distribution, and by how much it is above
        the distribution's middle.
    """
    found, deviation, shape = np.empty((3, len(moments.n)))
    if counts:
        _disperse_counts(moments.n, moments.mean, moments.variance, found, deviation, shape)
        _shape_counts(np.power(deviation, 6.0), shape)
    else:
        _disperse_values(moments.n, moments.variance, found, deviation, shape)
    ratio = _cube_bases(shape)
    np.power(ratio, 3.0, out=ratio)
    _divide_middles(moments.n, found, deviation, shape, ratio)
    return found, deviation, shape, ratio


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _gather(pixels, n, mean, variance, some_n, some_mean, some_variance):  # type: ignore[no-untyped-def]
    for place in range(pixels.size):
        pixel = pixels[place]
        some_n[place], some_mean[place] = n[pixel], mean[pixel]
        some_variance[place] = variance[pixel]


@numba.njit(nogil=True, cache=True)
def _choose(n, mean, starts, groups, above, places, found):  # type: ignore[no-untyped-def]
    chosen = 0
    for group in range(groups.size):
        found[group] = chosen
        if groups[group]:
            for place in range(starts[group], starts[group + 1]):
                if n[place] > 1 and mean[place] * np.float64(n[place]) > above:
                    places[chosen] = place
                    chosen += 1
    found[groups.size] = chosen


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _disperse_counts(n, mean, variance, found, deviation, third):  # type: ignore[no-untyped-def]
    for place in range(n.size):
        count = np.float64(n[place])
        freedom = count - 1.0
        total = max(mean[place] * count, _FEWEST_COUNTS)
        found[place] = freedom * variance[place] / mean[place]
        deviation[place] = np.sqrt(2.0 * freedom) * np.sqrt((total - 1.0) / total)
        third[place] = 4.0 * freedom * (total - 1.0) * (2.0 * total + count - 6.0) / (total * total)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _shape_counts(sixth, shape):  # type: ignore[no-untyped-def]
    for place in range(shape.size):
        third = shape[place]
        shape[place] = 4.0 * sixth[place] / (third * third)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _disperse_values(n, variance, found, deviation, shape):  # type: ignore[no-untyped-def]
    for place in range(n.size):
        freedom = np.float64(n[place]) - 1.0
        found[place] = freedom * variance[place]
        deviation[place] = np.sqrt(2.0 * freedom)
        shape[place] = freedom / 2.0


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _cube_bases(shape):  # type: ignore[no-untyped-def]
    bases = np.empty_like(shape)
    for place in range(shape.size):
        bases[place] = 1.0 - 1.0 / (9.0 * shape[place])
    return bases


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _divide_middles(n, found, deviation, shape, ratio):  # type: ignore[no-untyped-def]
    """Divide by what stands in the middle of the distribution: where the score is 0."""
    for place in range(n.size):
        freedom = np.float64(n[place]) - 1.0
        middle = freedom + deviation[place] * np.sqrt(shape[place]) * (ratio[place] - 1.0)
        ratio[place] = found[place] / middle
