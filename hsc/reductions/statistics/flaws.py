"""Flaws: pixels that count too much, nothing at all, or too unsteadily beside others of a group."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import Moments, PixelSums
from hsc.reductions.statistics.groups import Groups

# A normal distribution's standard deviation in units of its median absolute deviation.
_DEVIATION = 1.4826


class Flaw(IntFlag):
    """Bits of NeXus ``NXdetector/pixel_mask``."""

    DEAD = 1 << 1
    """No counts where others have many, or no good count in any frame."""
    HOT = 1 << 3
    """Over responding: far above the others."""
    FLICKERING = 1 << 4
    """Noisy: the counts vary much more, or much less, than those of the others."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far from the others a pixel may be."""

    hot_deviations: float
    """Mean above the group's median, in units of its spread."""
    dead_counts: float
    """Mean of the group's sums from which a sum of nothing is none by chance."""
    flicker_ranges: float
    """Ratio of variance and mean outside the group's quartiles, in units of their distance."""
    least_pixels: int
    """A group with fewer pixels is not judged."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found."""

    flaws: NDArray[np.uint32]
    """(pixels,): `Flaw` bits of each pixel."""
    table: dict[str, NDArray[Any]]
    """For each group its pixels in use and the numbers that they were judged by; NaN: not."""

    def count(self, flaw: Flaw) -> int:
        """Give how many pixels have a flaw."""
        return int(np.count_nonzero(self.flaws & np.uint32(flaw)))


def judge(
    sums: PixelSums,
    moments: Moments,
    frames: int,
    masked: NDArray[np.bool_],
    groups: Groups,
    bounds: Bounds,
) -> Judgement:
    """Find hot, dead and flickering pixels.

    With m the median of a group's means, hot is what lies above m + k times the group's spread:
    the larger of 1.4826 times the median absolute deviation from m and the spread of that many
    counts by chance, √(max(1, m n)) / n for n frames. Dead is a sum of 0 where the mean of the
    group's sums is above ``dead_counts``. Flickering is a ratio of variance and mean further
    outside the quartiles of the group's ratios than ``flicker_ranges`` times their distance;
    groups are judged so where the mean of their sums is above ``dead_counts``, as ratios of few
    counts say nothing.

    Parameters
    ----------
    sums, moments, frames
        What the frames add up to, means and variances, and how many frames they are.
    masked
        (pixels,): known to be bad; neither judged nor compared with.
    groups
        What is compared with what.
    bounds
        How far apart is too far.
    """
    mean, variance = moments.mean, moments.variance
    seen = sums.missing < frames
    flaws = np.zeros(len(mean), np.uint32)
    flaws[~seen & ~masked] |= np.uint32(Flaw.DEAD)
    names = ("median", "spread", "mean_sum", "lower_quartile", "upper_quartile")
    table: dict[str, NDArray[Any]] = {name: np.full(groups.count, np.nan) for name in names}
    table["pixels"] = np.zeros(groups.count, np.int64)
    for number, pixels in groups.each(seen & ~masked):
        table["pixels"][number] = len(pixels)
        if len(pixels) < bounds.least_pixels:
            continue
        middle, spread = _middle(mean[pixels], frames)
        table["median"][number], table["spread"][number] = middle, spread
        flaws[pixels[mean[pixels] > middle + bounds.hot_deviations * spread]] |= np.uint32(Flaw.HOT)
        table["mean_sum"][number] = mean_sum = float(sums.sums[pixels].mean())
        if not mean_sum > bounds.dead_counts:
            continue
        flaws[pixels[sums.sums[pixels] == 0]] |= np.uint32(Flaw.DEAD)
        steady = pixels[(sums.sums[pixels] > 0) & np.isfinite(variance[pixels])]
        if len(steady) < bounds.least_pixels:
            continue
        ratio = variance[steady] / mean[steady]
        low, high = (float(each) for each in np.quantile(ratio, (0.25, 0.75)))
        table["lower_quartile"][number], table["upper_quartile"][number] = low, high
        room = bounds.flicker_ranges * (high - low)
        flaws[steady[(ratio < low - room) | (ratio > high + room)]] |= np.uint32(Flaw.FLICKERING)
    return Judgement(flaws, table)


def _middle(means: NDArray[np.float64], frames: int) -> tuple[float, float]:
    """Give the median of a group's means, and how far around it they spread."""
    middle = float(np.median(means))
    deviation = _DEVIATION * float(np.median(np.abs(means - middle)))
    return middle, max(deviation, float(np.sqrt(max(1.0, middle * frames))) / frames)
