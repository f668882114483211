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

from hsc.kernels import Moments, dispersion_of, scores_of
from hsc.reductions.statistics.order import medians, quartiles

# The distance between the quartiles of a normal distribution of deviation 1.
_QUARTILES = 1.3489795003921634


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How the pixels of groups vary."""

    scores: NDArray[np.float64]
    """(pixels,): how far the dispersion of each is from its group's, in deviations of a normal
    distribution."""
    factor: NDArray[np.float64]
    """(groups,): a group's dispersion: of counts in units of what chance makes of them; NaN where
    there are too few pixels."""
    spread: NDArray[np.float64]
    """(groups,): how wide its scores spread; 1 where that is by chance alone; NaN likewise."""


def disperse(
    moments: Moments, starts: NDArray[np.int64], counts: bool, least_pixels: int = 1
) -> Dispersion:
    """Score the dispersion of pixels within their groups.

    The definition stands at the head of this file.

    Parameters
    ----------
    moments
        Of pixels with two good values or more, one group after the other.
    starts
        (groups + 1,): where each group begins.
    counts
        Whether values are counts.
    least_pixels
        Groups with fewer are not told of.

    Examples
    --------
    >>> frames = np.random.default_rng(1).poisson(9, (20, 300))
    >>> frames[:, 7] = 0, 18, *18 * [9]
    >>> n, mean = np.full(300, 20, "u4"), frames.mean(axis=0)
    >>> some = Moments(n, mean, frames.var(axis=0, ddof=1))
    >>> found = disperse(some, np.array([0, 300]), True)
    >>> bool((np.abs(found.scores) < 4).all()), found.factor.round(1), found.spread.round(1)
    (True, array([1.]), array([1.]))
    """
    enough = np.diff(starts) >= least_pixels
    found, deviation, shape, ratio = dispersion_of(moments, counts)
    factor, means = medians(ratio, starts, enough), np.zeros(len(enough))
    if counts:  # what is above 1 is taken for the beam's, and rises with the mean
        means = medians(moments.mean, starts, factor > 1)
    scores = scores_of(moments, starts, (factor, means), (found, deviation, shape), counts)
    low, high = quartiles(scores, starts, enough)
    return Dispersion(scores, factor, np.maximum(1.0, (high - low) / _QUARTILES))
