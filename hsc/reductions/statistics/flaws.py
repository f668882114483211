"""Flaws: pixels that count too much, nothing at all, or too unsteadily beside others of a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import part_flags
from hsc.reductions.statistics.court import Bounds, Court, Flaw
from hsc.reductions.statistics.members import Members
from hsc.reductions.statistics.pictures import Pictures
from hsc.reductions.statistics.stack import Stack
from hsc.workers import ThreadWorkers

# Shares of the work for each thread: they take about the same time, but not quite.
_SHARES = 4
_COLUMNS = ("median", "spread", "mean_sum", "dispersion", "dispersion_spread")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found."""

    mask: NDArray[np.uint32]
    """(pixels,): `Flaw` bits of each pixel, and those that were known."""
    where: dict[Flaw, NDArray[np.bool_]]
    """(pixels,): which pixels have each flaw."""
    table: dict[str, NDArray[Any]]
    """For each group its pixels in use and the numbers that they were judged by; NaN: not."""
    counts: dict[Flaw, int]
    """How many pixels have each flaw."""


def judge(
    stack: Stack,
    frames: int,
    pictures: Pictures,
    members: Members,
    mask: NDArray[np.uint32],
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
    stack
        What was added up.
    frames
        How many frames were.
    pictures
        What they add up to. Pixels without a good count are noted as dead there; more is added.
    members
        What is compared with what.
    mask
        (pixels,): what was known of them: 0 is good.
    bounds
        How far apart is too far.
    threads
        How many shares of the groups are judged at once.
    """
    flaws, groups = pictures.flaws, len(members.starts) - 1
    table: dict[str, NDArray[Any]] = {name: np.full(groups, np.nan) for name in _COLUMNS}
    table["pixels"] = np.zeros(groups, np.int64)
    court = Court(pictures.moments, stack.scale.counts, frames, members, bounds, flaws, table)
    shares = members.shares(-(-len(members.pixels) // (_SHARES * threads)))
    ThreadWorkers(threads).map(court.judge, shares)
    where, counts = part_flags(flaws, mask, tuple(Flaw))
    each = zip(Flaw, where, strict=True)
    return Judgement(flaws, dict(each), table, dict(zip(Flaw, counts.tolist(), strict=True)))
