"""Dispersion: whether pixels vary from frame to frame as chance and the beam let them.

Of n counts with the sum T and the mean x̄ the index of dispersion is D = Σ(x - x̄)² / x̄, about
χ² with ν = n - 1 degrees of freedom where x is Poisson's (R. A. Fisher, Statistical Methods for
Research Workers, 1925). With T given its moments are exactly ν, 2ν (T - 1) / T and
4ν (T - 1) (2T + n - 6) / T² (J. B. S. Haldane, Biometrika 29 (1937) 133); the gamma
distribution with these three takes the place of χ², which it becomes for large T, as tails
of few counts are heavier. A beam that varies by κ of its square lets pixels of the mean x̄
vary 1 + κ x̄ times as much: κ follows from the median of the group, and D is divided by that.
Where the median is below 1 (values that are no counts of single photons), it is what D is
divided by. The score is the cube root of Wilson and Hilferty (Proc. Natl. Acad. Sci. 17
(1931) 684), a normal deviate. Where a group's scores spread more than chance lets them, by
the distance of their quartiles, so much is allowed to each.

Of values that are no counts D is ν times the variance over that of the group's median, and χ²
is meant as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The distance between the quartiles of a normal distribution of deviation 1.
_QUARTILES = 1.3489795003921634
_FEWEST_COUNTS = 4.0


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How the pixels of a group vary."""

    pixels: NDArray[np.intp]
    """Which pixels they are."""
    scores: NDArray[np.float64]
    """For each how far its dispersion is from the group's, in deviations of a normal
    distribution."""
    factor: float
    """The group's dispersion: of counts in units of what chance makes of them."""
    spread: float
    """How wide the group's scores spread; 1 where that is by chance alone."""


def disperse(
    pixels: NDArray[np.intp],
    n: NDArray[np.int64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    counts: bool,
) -> Dispersion:
    """Score the dispersion of pixels within their group.

    The definition stands at the head of this file.

    Parameters
    ----------
    pixels
        Which they are.
    n, mean, variance
        (pixels,): frames with a good value, at least two, mean and variance.
    counts
        Whether values are counts.

    Examples
    --------
    >>> frames = np.random.default_rng(1).poisson(9, (20, 300))
    >>> frames[:, 7] = 0, 18, *18 * [9]
    >>> n, mean = np.full(300, 20), frames.mean(axis=0)
    >>> found = disperse(np.arange(300), n, mean, frames.var(axis=0, ddof=1), True)
    >>> bool((np.abs(found.scores) < 4).all()), round(found.factor), round(found.spread)
    (True, 1, 1)
    """
    freedom = (n - 1).astype(np.float64)
    deviation, shape = np.sqrt(2 * freedom), freedom / 2
    found = freedom * variance
    if counts:
        total = np.maximum(mean * n, _FEWEST_COUNTS)
        found /= mean
        deviation *= np.sqrt((total - 1) / total)
        third = 4 * freedom * (total - 1) * (2 * total + n - 6) / total**2
        shape = 4 * deviation**6 / third**2
    # What stands in the middle of the distribution: where the score below is 0.
    middle = freedom + deviation * np.sqrt(shape) * ((1 - 1 / (9 * shape)) ** 3 - 1)
    factor = float(np.median(found / middle))
    if factor > 0:
        found = found / _expected(factor, mean, counts)
    scores = _scores(found, freedom, deviation, shape)
    if counts:  # whole numbers are the same more often than a density says: a step of D is added
        stepped = _scores(found + 2 / mean, freedom, deviation, shape)
        scores = np.where(scores < 0, np.minimum(stepped, 0), scores)
    low, high = np.quantile(scores, (0.25, 0.75))
    return Dispersion(pixels, scores, factor, max(1.0, float(high - low) / _QUARTILES))


def _scores(
    found: NDArray[np.float64],
    middle: NDArray[np.float64],
    deviation: NDArray[np.float64],
    shape: NDArray[np.float64],
) -> NDArray[np.float64]:
    drawn = np.maximum(1 + (found - middle) / deviation / np.sqrt(shape), 0.0)
    return np.asarray(3 * np.sqrt(shape) * (np.cbrt(drawn) - 1 + 1 / (9 * shape)))


def _expected(
    factor: float, mean: NDArray[np.float64], counts: bool
) -> NDArray[np.float64] | float:
    if not counts or factor <= 1:
        return factor
    return 1 + (factor - 1) * mean / float(np.median(mean))
