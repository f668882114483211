"""Flaws: pixels that count too much, nothing at all, or too unsteadily beside others of a group."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.rings import PixelGroups
from hsc.reductions.statistics.dispersion import Dispersion, disperse
from hsc.workers import ThreadWorkers

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
    flicker_rate: float
    """Share of good pixels that may be taken for flickering ones by chance."""
    least_pixels: int
    """A group with fewer pixels is not judged."""

    @property
    def deviations(self) -> float:
        """Deviations of a normal distribution that so few of its numbers are beyond, either way."""
        return NormalDist().inv_cdf(1 - self.flicker_rate / 2)


@dataclass(frozen=True, slots=True)
class Seen:
    """What pixels counted, in the units of the frames."""

    n: NDArray[np.int64]
    """(pixels,): frames with a good value."""
    mean: NDArray[np.float64]
    """(pixels,): of them; NaN where there is none."""
    variance: NDArray[np.float64]
    """(pixels,): of them; NaN where there are fewer than two."""
    counts: bool
    """Whether values are counts, of which chance makes a Poisson distribution."""


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
    seen: Seen,
    frames: int,
    masked: NDArray[np.bool_],
    groups: PixelGroups,
    bounds: Bounds,
    threads: int = 1,
) -> Judgement:
    """Find hot, dead and flickering pixels.

    With m the median of a group's means, hot is what lies above m + k times the group's spread:
    the larger of 1.4826 times the median absolute deviation from m and what chance makes of the
    mean of n frames: √(max(1, m n)) / n of counts, √(median of the variances / n) of other values.
    Dead is a sum of 0 where the mean of the group's sums is above ``dead_counts``; of values that
    are no counts, one that never changes where that is too little by the test for flickering.
    Flickering is a dispersion that `disperse` finds too large or too small.

    Parameters
    ----------
    seen
        What the frames add up to.
    frames
        How many frames they are.
    masked
        (pixels,): known to be bad; neither judged nor compared with.
    groups
        What is compared with what.
    bounds
        How far apart is too far.
    threads
        How many groups are judged at once.
    """
    flaws = np.zeros(len(seen.mean), np.uint32)
    flaws[(seen.n == 0) & ~masked] |= np.uint32(Flaw.DEAD)
    names = ("median", "spread", "mean_sum", "dispersion", "dispersion_spread")
    table: dict[str, NDArray[Any]] = {name: np.full(groups.count, np.nan) for name in names}
    table["pixels"] = np.zeros(groups.count, np.int64)
    court = _Court(seen, frames, bounds, flaws, table)
    cases = list(groups.each((seen.n > 0) & ~masked))
    ThreadWorkers(threads).map(court.judge, cases)
    return Judgement(flaws, table)


@dataclass(frozen=True, slots=True)
class _Court:
    """What groups are judged by, and where it is noted: no two of them share a place."""

    seen: Seen
    frames: int
    bounds: Bounds
    flaws: NDArray[np.uint32]
    table: dict[str, NDArray[Any]]

    def judge(self, case: tuple[int, NDArray[np.intp]]) -> None:
        number, pixels = case
        seen, bounds, table = self.seen, self.bounds, self.table
        table["pixels"][number] = len(pixels)
        if len(pixels) < bounds.least_pixels:
            return
        middle, spread = _middle(seen, pixels, self.frames)
        table["median"][number], table["spread"][number] = middle, spread
        self._find(Flaw.HOT, pixels[seen.mean[pixels] > middle + bounds.hot_deviations * spread])
        table["mean_sum"][number] = mean_sum = float(np.mean(seen.mean[pixels] * seen.n[pixels]))
        if seen.counts and not mean_sum > bounds.dead_counts:
            return
        found = _dispersion(seen, pixels, bounds)
        table["dispersion"][number], table["dispersion_spread"][number] = found.factor, found.spread
        odd = np.abs(found.scores) > bounds.deviations * found.spread
        none = seen.variance[found.pixels] == 0
        if seen.counts:
            self._find(Flaw.DEAD, pixels[seen.mean[pixels] == 0])
        else:
            self._find(Flaw.DEAD, found.pixels[odd & none])
            odd &= ~none
        self._find(Flaw.FLICKERING, found.pixels[odd])

    def _find(self, flaw: Flaw, pixels: NDArray[np.intp]) -> None:
        self.flaws[pixels] |= np.uint32(flaw)


def _middle(seen: Seen, pixels: NDArray[np.intp], frames: int) -> tuple[float, float]:
    """Give the median of a group's means, and how far around it they spread."""
    means = seen.mean[pixels]
    middle = float(np.median(means))
    deviation = _DEVIATION * float(np.median(np.abs(means - middle)))
    if seen.counts:
        return middle, max(deviation, float(np.sqrt(max(1.0, middle * frames))) / frames)
    several = seen.variance[pixels][seen.n[pixels] > 1]
    chance = float(np.sqrt(np.median(several) / frames)) if len(several) else 0.0
    return middle, max(deviation, chance)


def _dispersion(seen: Seen, pixels: NDArray[np.intp], bounds: Bounds) -> Dispersion:
    """Give the dispersion of those pixels of a group that it can be told of."""
    n, mean = seen.n[pixels], seen.mean[pixels]
    used = n > 1
    if seen.counts:
        used &= mean * n > bounds.dead_counts
    pixels = pixels[used]
    if len(pixels) < bounds.least_pixels:
        return Dispersion(pixels[:0], np.empty(0), np.nan, np.nan)
    return disperse(pixels, n[used], mean[used], seen.variance[pixels], seen.counts)
