"""Pictures: what each pixel adds up to, divided once, and the groups that pixels are members of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import (
    Moments,
    PixelSums,
    count_members,
    cut_pixels,
    divide_sums,
    empty_moments,
    flag_where_none,
    list_members,
    squares_of,
)
from hsc.reductions.rings import PixelGroups
from hsc.reductions.statistics.court import Flaw
from hsc.reductions.statistics.fixed import Scale
from hsc.reductions.statistics.members import Members, places_of
from hsc.reductions.statistics.pyramid import pyramid
from hsc.reductions.statistics.stack import Stack
from hsc.workers import ThreadWorkers

_BANDS = 4


@dataclass(frozen=True, slots=True)
class Pictures:
    """What the good values of each pixel are, as it is written; (pixels,) each."""

    moments: Moments
    """Their number, mean and variance."""
    sum: NDArray[Any]
    """Their sum."""
    squares: NDArray[Any]
    """The sum of their squares; of counts the lower 64 bits."""
    squares_high: NDArray[np.uint64] | None
    """Of counts the rest, in units of 2⁶⁴; None: there is none."""
    minimum: NDArray[Any]
    """The smallest; 0 counts, or NaN, where there is none."""
    maximum: NDArray[Any]
    """The largest, likewise."""
    saturated: NDArray[np.uint32]
    """Frames at or above the saturation."""
    flaws: NDArray[np.uint32]
    """`Flaw` bits: where there is no good value a pixel is dead, unless it is known to be bad."""
    smaller: dict[str, list[NDArray[Any]]]
    """Levels of the pictures of ``sum`` and ``maximum``, (rows, columns) each."""


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A band of pixels after the other: no two of them share a place."""

    sums: PixelSums
    frames: int
    scale: Scale
    mask: NDArray[np.uint32]
    groups: PixelGroups
    into: Pictures

    def draw(self, band: tuple[int, int]) -> NDArray[np.int64]:
        """Draw pixels [first, last); count the members of each group."""
        cut, sums, into = slice(*band), cut_pixels(self.sums, *band), self.into
        moments = into.moments.cut(*band)
        divide_sums(moments, sums, self.frames, self.scale.offset, self.scale.step)
        if self.scale.counts:
            sums.minimum[moments.n == 0] = 0
            if into.squares_high is not None:
                into.squares[cut], into.squares_high[cut] = squares_of(sums)
        else:
            none = moments.n == 0
            into.sum[cut] = self.scale.totals(sums.sums, moments.n)
            into.squares[cut] = self.scale.squares(sums, self.frames)
            for values, whole in ((into.minimum, sums.minimum), (into.maximum, sums.maximum)):
                values[cut] = np.where(none, np.nan, self.scale.values(whole))
        mask = self.mask[cut]
        flag_where_none(moments.n, mask, Flaw.DEAD, into.flaws[cut])
        return count_members(self._labels(band), moments.n, mask, self.groups.count)

    def list_members(
        self, band: tuple[int, int], places: NDArray[np.int64], members: NDArray[np.uint32]
    ) -> None:
        """Note the members among pixels [first, last) in their places."""
        n, mask = self.into.moments.n[slice(*band)], self.mask[slice(*band)]
        list_members(self._labels(band), n, mask, band[0], places, members)

    def shrink(self, name: str) -> None:
        """Make a picture smaller and smaller."""
        picture: NDArray[Any] = getattr(self.into, name)
        self.into.smaller[name] = pyramid(picture.reshape(self.groups.labels.shape), name)

    def _labels(self, band: tuple[int, int]) -> NDArray[np.int32]:
        return self.groups.labels.reshape(-1)[slice(*band)]


def draw_pictures(
    stack: Stack,
    sums: PixelSums,
    frames: int,
    mask: NDArray[np.uint32],
    groups: PixelGroups,
    threads: int = 1,
) -> tuple[Pictures, Members]:
    """Divide sums, and list the pixels in use of each group.

    Parameters
    ----------
    stack
        What was added up.
    sums
        What it adds up to; the pictures are made of them, and in their place.
    frames
        How many frames were added.
    mask
        (pixels,): 0 is good; others are known to be bad, and not in use.
    groups
        What will be compared with what.
    threads
        How many bands of pixels are drawn at once.
    """
    drawing = _Drawing(sums, frames, stack.scale, mask, groups, _room(sums, stack.scale))
    count = len(mask)
    bands = list(pairwise(np.linspace(0, count, _BANDS * threads + 1).astype(int).tolist()))
    workers = ThreadWorkers(threads)
    counts = np.stack(workers.map(drawing.draw, bands))
    places, starts = places_of(counts)
    members = np.empty(starts[-1], np.uint32)
    tasks: list[Callable[[], None]] = [
        *(partial(drawing.shrink, name) for name in ("sum", "maximum")),
        *(
            partial(drawing.list_members, band, each, members)
            for band, each in zip(bands, places, strict=True)
        ),
    ]
    workers.map(_do, tasks)
    return drawing.into, Members(members, starts)


def _do(task: Callable[[], None]) -> None:
    task()


def _room(sums: PixelSums, scale: Scale) -> Pictures:
    """Give what is drawn into: of counts the sums themselves where they are what is written."""
    count = len(sums.sums)
    saturated = sums.saturated if sums.saturated.size else np.zeros(count, np.uint32)
    made, flaws = empty_moments(count), np.empty(count, np.uint32)
    if not scale.counts:
        total, squares, minimum, maximum = (np.empty(count) for _ in range(4))
        return Pictures(made, total, squares, None, minimum, maximum, saturated, flaws, {})
    high = sums.squares_high if sums.squares_high.size else None
    return Pictures(
        made, sums.sums, sums.squares, high, sums.minimum, sums.maximum, saturated, flaws, {}
    )
