"""The court: groups of pixels, many at a time, are judged by what their members count."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import Moments, choose_pixels, distances, gather_moments
from hsc.reductions.statistics.dispersion import Dispersion, disperse
from hsc.reductions.statistics.members import Members
from hsc.reductions.statistics.order import medians

# A normal distribution's standard deviation in units of its median absolute deviation.
_DEVIATION = 1.4826
# So many pixels are judged at once: what is worked out of them stays near the processor, and
# Python's lock is held for a small part of the time.
_TOGETHER = 64 * 1024


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
class Court:
    """What groups are judged by, and where it is noted: no two of them share a place."""

    moments: Moments
    """(pixels,): what they counted, in the units of the frames."""
    counts: bool
    """Whether values are counts, of which chance makes a Poisson distribution."""
    frames: int
    """How many frames there are."""
    members: Members
    """What is compared with what."""
    bounds: Bounds
    """How far apart is too far."""
    flaws: NDArray[np.uint32]
    """(pixels,): gets `Flaw` bits."""
    table: dict[str, NDArray[Any]]
    """(groups,) each: get the numbers that groups were judged by."""

    def judge(self, share: tuple[int, int]) -> None:
        """Judge groups [first, last)."""
        first, last = share
        starts = self.members.starts[first : last + 1]
        few = Members(self.members.pixels, starts)
        for low, high in few.shares(_TOGETHER):
            self._judge(first + low, first + high)

    def _judge(self, first: int, last: int) -> None:
        """Judge groups that are few enough."""
        starts = self.members.starts[first : last + 1]
        pixels = self.members.pixels[starts[0] : starts[-1]]
        sizes, starts = np.diff(starts), starts - starts[0]
        judged = sizes >= self.bounds.least_pixels
        seen = gather_moments(self.moments, pixels)
        middle = medians(seen.mean, starts, judged)
        spread = self._spread(seen, starts, middle)
        sums = _mean_sums(seen, starts, judged)
        limits = np.repeat(middle + self.bounds.hot_deviations * spread, sizes)
        self.flaws[pixels[seen.mean > limits]] |= np.uint32(Flaw.HOT)
        if self.counts:
            judged &= sums > self.bounds.dead_counts
            dead = (seen.mean == 0) & np.repeat(judged, sizes)
            self.flaws[pixels[dead]] |= np.uint32(Flaw.DEAD)
        found = self._disperse(seen, pixels, starts, judged)
        for name, values in {
            "pixels": sizes,
            "median": middle,
            "spread": spread,
            "mean_sum": sums,
            "dispersion": found.factor,
            "dispersion_spread": found.spread,
        }.items():
            self.table[name][first:last] = values

    def _spread(
        self, seen: Moments, starts: NDArray[np.int64], middle: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give how far the means of groups spread around their medians."""
        judged = ~np.isnan(middle)
        spread = _DEVIATION * medians(distances(seen.mean, starts, middle), starts, judged)
        if self.counts:
            chance = np.sqrt(np.maximum(1.0, middle * self.frames)) / self.frames
        else:
            several, ends = choose_pixels(seen, starts, judged, -np.inf)
            chance = medians(seen.variance[several], ends, judged)
            chance = np.sqrt(np.where(np.isnan(chance), 0.0, chance) / self.frames)
        return np.maximum(spread, chance)

    def _disperse(
        self,
        seen: Moments,
        pixels: NDArray[np.uint32],
        starts: NDArray[np.int64],
        judged: NDArray[np.bool_],
    ) -> Dispersion:
        """Find those that flicker; of values that are no counts constant ones are dead."""
        bounds = self.bounds
        above = bounds.dead_counts if self.counts else -np.inf
        places, starts = choose_pixels(seen, starts, judged, above)
        some = gather_moments(seen, places)
        found = disperse(some, starts, self.counts, bounds.least_pixels)
        limits = np.repeat(bounds.deviations * found.spread, np.diff(starts))
        odd = np.flatnonzero(np.abs(found.scores) > limits)
        flags = np.full(len(odd), Flaw.FLICKERING, np.uint32)
        if not self.counts:
            flags[some.variance[odd] == 0] = Flaw.DEAD
        self.flaws[pixels[places[odd]]] |= flags
        return found


def _mean_sums(
    seen: Moments, starts: NDArray[np.int64], judged: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give the mean of the sums of each group; NaN where it is not judged."""
    sums, found = seen.mean * seen.n, np.full(len(judged), np.nan)
    for group in np.flatnonzero(judged):
        found[group] = np.mean(sums[starts[group] : starts[group + 1]])
    return found
