"""Bragg peaks of a frame: pixels above their ring's background, joined, judged by what is around.

After peakfinder8 (A. Barty and others, J. Appl. Cryst. 47 (2014) 1118): thresholds by the distance
from the beam, then connected pixels against their own surroundings, to which a plane is fitted as
for the background of reflections (A. G. W. Leslie, Acta Cryst. D55 (1999) 1696).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels.peak_loops import (
    add_rings,
    count_rings,
    join_candidates,
    judge_peaks,
    keep_above,
    raise_thresholds,
)

PEAK_NUMBERS = ("x", "y", "total", "snr", "pixels", "maximum", "background", "saturated")
"""What `PeakFinder` gives of each peak, in order: middle along rows and columns (the middle of the
first pixel is 0), sum above the background, largest (value - background) / spread, number of
pixels, largest value, mean of the background, pixels at or above the saturation."""

MOST_COUNTS = 2.0**20
"""Values above are never background."""

CLIP_DEVIATIONS = 3.0
"""Values so many deviations above their ring's mean are no background; fewer, where a peak's pixels
are. Of N pixels one can't be more than √N deviations above their mean, and k alike no more than
√(N / k): with six, peaks near the beam, where rings are short, would hide themselves."""


@dataclass(frozen=True, eq=False)
class RingMap:
    """Which ring each pixel of a frame lies in."""

    labels: NDArray[np.int32]
    """(panels, rows, columns): number of the ring; ``count`` for pixels that are left out."""
    count: int
    """Number of rings."""

    @cached_property
    def pixels(self) -> NDArray[np.int64]:
        """Pixels of each ring."""
        counts = np.zeros(self.count + 1, np.int64)
        count_rings(np.ascontiguousarray(self.labels).reshape(-1), counts)
        return counts[: self.count]


@dataclass(frozen=True, slots=True)
class PeakRule:
    """What a peak is."""

    lowest: float
    """Values below are no counts, and left out."""
    highest: float
    """Values above likewise."""
    saturation: float
    """Values from here on are counted as saturated."""
    least_counts: float
    """Pixels of a peak are above it; at most `MOST_COUNTS`."""
    snr: float
    """So many deviations each pixel is above its ring, and the largest above its surroundings."""
    least_pixels: int = 2
    """A peak has at least so many pixels that touch, also by corners."""
    most_pixels: int = 40
    """And at most so many."""
    cycles: int = 3
    """How often mean and spread of rings are taken, without what is `CLIP_DEVIATIONS` above the
    last ones; at least 2."""
    background_pixels: int = 3
    """How far surroundings reach beyond a peak."""
    least_ring_pixels: int = 20
    """Rings with fewer good pixels have no peaks."""


class PeakFinder:
    """Finds peaks, frame after frame, in memory of its own: one for each thread.

    Parameters
    ----------
    rings
        Where pixels lie.
    rule
        What a peak is.

    Examples
    --------
    >>> frame = np.ones((1, 9, 9), "u2")
    >>> frame[0, 4, 4:6] = 90, 30
    >>> finder = PeakFinder(RingMap(np.zeros((1, 9, 9), np.int32), 1),
    ...                     PeakRule(0, 65534, 65535, least_counts=5, snr=4))
    >>> peaks, pixels = finder(frame)
    >>> peaks.round(3).tolist()
    [[4.246, 4.0, 118.0, 89.0, 2.0, 90.0, 1.0, 0.0]]
    >>> pixels.tolist()
    [40, 41]
    """

    def __init__(self, rings: RingMap, rule: PeakRule) -> None:
        self._shape = rings.labels.shape
        self._labels = np.ascontiguousarray(rings.labels, np.int32).reshape(-1)
        self._count = rings.count
        self._pixels = rings.pixels
        self._rule = rule
        self._chosen = np.full(self._labels.size, -1, np.int32)
        self._room = np.empty(4096, np.int64)

    def __call__(self, frame: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Find the peaks of a frame.

        Parameters
        ----------
        frame
            (panels, rows, columns), or (rows, columns) of a detector of one panel: integers of at
            most 32 bits or float32, C order; NaN is no count.

        Returns
        -------
        peaks, pixels
            (n, 8): `PEAK_NUMBERS` of each, in the order of their first pixels; ``y`` counts rows
            through all panels. And the flat indices of all their pixels, ascending.
        """
        rule, flat = self._rule, frame.reshape(-1)
        kind: Any = np.float64 if flat.dtype.kind == "f" else np.int64
        sums = np.zeros((self._count + 1, 2), kind)
        missing = np.zeros(self._count + 1, np.int64)
        bounds = (float(rule.lowest), float(rule.highest), float(rule.least_counts))
        found = -1
        while found < 0:
            found = add_rings(flat, self._labels, bounds, sums, missing, self._room)
            if found < 0:  # too many for the room: once more, with room for all
                self._room = np.empty(flat.size, np.int64)
                sums[...], missing[...] = 0, 0
        candidates = self._room[:found]
        counts = self._pixels - missing[: self._count]
        thresholds = np.full(self._count + 1, max(MOST_COUNTS, rule.least_counts))
        for cycle in range(rule.cycles):
            last = cycle == rule.cycles - 1
            deviations = rule.snr if last else min(CLIP_DEVIATIONS, rule.snr)
            raise_thresholds(flat, self._labels, candidates, sums, counts, thresholds,
                             rule.least_counts, deviations, rule.least_ring_pixels)  # fmt: skip
        return self._judged(flat, candidates, thresholds)

    def _judged(
        self, flat: NDArray[Any], candidates: NDArray[np.int64], thresholds: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        rule, labels = self._rule, self._labels
        above = candidates[: keep_above(flat, labels, candidates, thresholds)]
        groups = join_candidates(above, self._shape, self._chosen)
        peaks, kept = judge_peaks(
            flat, labels, self._count, above, groups, self._shape, self._chosen,
            (float(rule.lowest), float(rule.highest), float(rule.saturation), float(rule.snr)),
            (rule.least_pixels, rule.most_pixels, rule.background_pixels),
        )  # fmt: skip
        self._chosen[above] = -1
        return peaks, above[kept]
