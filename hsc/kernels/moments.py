"""Mean and variance of each pixel, from exact sums; rounded where they are divided, and nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.kernels.statistic_loops import divide_squares
from hsc.kernels.statistics import PixelSums

_LIMB = 2**32


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of each pixel."""

    mean: NDArray[np.float64]
    """NaN where there is no good count."""
    variance: NDArray[np.float64]
    """NaN where there are fewer than two."""


def moments_of(sums: PixelSums, frames: int) -> Moments:
    """Give both; parameters as for `mean_of`."""
    return Moments(mean_of(sums, frames), variance_of(sums, frames))


def mean_of(sums: PixelSums, frames: int) -> NDArray[np.float64]:
    """Give the mean of each pixel's good counts; NaN where there is none.

    Parameters
    ----------
    sums
        What the counts add up to.
    frames
        How many frames were added.
    """
    count = (np.int64(frames) - sums.missing).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums.sums.astype(np.float64) / count)


def variance_of(sums: PixelSums, frames: int) -> NDArray[np.float64]:
    """Give the variance of each pixel's good counts, (n Σx² - (Σx)²) / (n (n - 1)).

    The numerator is an exact integer, of any size. NaN where there are fewer than two counts.

    Parameters
    ----------
    sums, frames
        As for `mean_of`.

    Examples
    --------
    >>> from hsc.kernels.statistics import GoodRange, add_frames, pixel_sums
    >>> sums = pixel_sums(2, np.dtype("u4"))
    >>> frames = np.array([[2**31, 1], [2**31 + 2, 1]], "u4")
    >>> numbers = add_frames(sums, frames, GoodRange(0, 2**32 - 2, 2**32))
    >>> variance_of(sums, 2).tolist()
    [2.0, 0.0]
    """
    count = (np.int64(frames) - sums.missing).astype(np.uint64)
    variance = np.empty(len(count), np.float64)
    beyond = divide_squares(count, sums.sums, sums.squares, sums.squares_high, variance)
    for place in np.flatnonzero(np.isinf(variance)) if beyond else ():
        n, total = int(count[place]), int(sums.sums[place])
        squares = int(sums.squares[place]) + _LIMB * int(sums.squares_high[place])
        variance[place] = (n * squares - total * total) / (n * (n - 1))
    return variance


def squares_of(sums: PixelSums) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Give the sums of squares as two limbs of 64 bits: the lower one and the higher one."""
    low = sums.squares + (sums.squares_high << np.uint64(32))
    high = (sums.squares_high >> np.uint64(32)) + (low < sums.squares)
    return low, high.astype(np.uint64)
