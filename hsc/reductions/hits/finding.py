"""Peaks of a stack on workers: blocks of frames to peaks, and what hits add up to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import PEAK_NUMBERS, PeakFinder, PeakRule
from hsc.reductions.base import SourceArray
from hsc.reductions.hits.rings import PackedRings
from hsc.store import Stream, StreamedArray
from hsc.workers import Progress, Workers

HIT_FRAMES = "/entry/hits/frames"
"""Where the frames of hits stand, when they are asked for."""

FIXED_POINT = 1024
"""Values that are no whole numbers are summed in units of a 1024th: exact in any order."""

MOST_FLOAT = 2.0**32
"""Values further from 0 are no counts, as of integers: sums over two million frames fit 63 bits."""

_TASK_BYTES = 2 * 10**9
_TASKS_PER_WORKER = 2


@dataclass(frozen=True)
class Search:
    """What is looked for, and where; travels with each task."""

    frames: SourceArray
    """(frames, rows, columns) or (frames, modules, rows, columns)."""
    rings: PackedRings
    """Which pixels are compared with which."""
    rule: PeakRule
    """What a peak is."""
    least_peaks: int
    """Peaks from which a frame is a hit."""

    @cached_property
    def scale(self) -> int:
        """What sums are multiplied by."""
        return FIXED_POINT if self.frames.dtype.kind == "f" else 1


@dataclass(frozen=True, slots=True)
class Block:
    """One task: frames [start, stop)."""

    search: Search
    """What is looked for."""
    start: int
    """First frame."""
    stop: int
    """One past the last."""


@dataclass(frozen=True, slots=True)
class BlockPeaks:
    """What was found in a block."""

    counts: NDArray[np.int64]
    """Peaks of each frame."""
    peaks: NDArray[np.float64]
    """(peaks, 8): `PEAK_NUMBERS` of each, frame after frame."""
    powder_pixels: NDArray[np.int64]
    """Pixels in which hits have peaks, ascending."""
    powder: NDArray[np.int64]
    """What hits' peaks have there, summed."""
    maximum: NDArray[Any] | None
    """Largest good value of each pixel over the hits; None: no hit."""


@dataclass(frozen=True, slots=True)
class StackPeaks:
    """What was found in a stack."""

    counts: NDArray[np.int64]
    """Peaks of each frame."""
    peaks: NDArray[np.float64]
    """(peaks, 8): `PEAK_NUMBERS` of each, frame after frame."""
    hit: NDArray[np.bool_]
    """Which frames are hits."""
    powder: NDArray[np.int64]
    """Sum of the peaks' pixels over the hits, times the scale; the shape of a frame."""
    maximum: NDArray[Any]
    """Largest good value over the hits; 0 or NaN where there is none, or the pixel is left out."""


def find_stack(search: Search, workers: Workers, progress: Progress) -> StackPeaks:
    """Find the peaks of all frames: the same bytes for any workers, order and cut."""
    frames = search.frames
    shape, count = frames.shape[1:], frames.shape[0]
    blocks = _cut(search, workers.count)
    powder = np.zeros(math.prod(shape), np.int64)
    maximum = _nothing(shape, frames.dtype)
    found: dict[int, BlockPeaks] = {}

    def take(each: tuple[int, BlockPeaks]) -> None:
        start, part = each
        powder[part.powder_pixels] += part.powder
        if part.maximum is not None:
            np.fmax(maximum, part.maximum, out=maximum)
        # Only what is small is kept: of a long stack, pictures would fill the memory.
        none = np.zeros(0, np.int64)
        found[start] = replace(part, powder_pixels=none, powder=none, maximum=None)

    progress.start("find peaks", count, "frames")
    workers.fold(find_block, blocks, take, progress=progress,
                 weights=[each.stop - each.start for each in blocks])  # fmt: skip
    progress.finish()
    parts = [found[start] for start in sorted(found)]
    counts = np.concatenate([np.zeros(0, np.int64), *(part.counts for part in parts)])
    return StackPeaks(
        counts,
        np.concatenate([np.empty((0, len(PEAK_NUMBERS))), *(part.peaks for part in parts)]),
        counts >= search.least_peaks,
        powder.reshape(shape),
        maximum,
    )


def find_block(block: Block) -> tuple[int, BlockPeaks]:
    """Read, decode and search the frames of one task."""
    search = block.search
    frames, rule = search.frames, search.rule
    rings = search.rings.rings
    finder = PeakFinder(rings, rule)
    used = (rings.labels < rings.count).reshape(frames.shape[1:])
    maximum: NDArray[Any] | None = None
    counts, peaks = [], []
    places: list[NDArray[np.int64]] = []
    light: list[NDArray[np.int64]] = []
    for batch in frames.batches(block.start, block.stop, rows=1):
        for frame in batch:
            numbers, pixels = finder(frame)
            counts.append(len(numbers))
            peaks.append(numbers)
            if len(numbers) < search.least_peaks:
                continue
            values = frame.reshape(-1)[pixels].astype(np.float64)
            places.append(pixels)
            light.append(np.rint(values * search.scale).astype(np.int64))
            if maximum is None:
                maximum = _nothing(frames.shape[1:], frames.dtype)
            good = (frame >= rule.lowest) & (frame <= rule.highest) & used
            np.fmax(maximum, frame, out=maximum, where=good)
    return block.start, BlockPeaks(
        np.array(counts, np.int64),
        np.concatenate([np.empty((0, len(PEAK_NUMBERS))), *peaks]),
        *_summed(places, light),
        maximum,
    )


def _summed(
    places: list[NDArray[np.int64]], light: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum what lies in the same pixel: few of a frame's have a peak, in all frames together, too.

    Examples
    --------
    >>> found = _summed([np.array([2, 5]), np.array([5])], [np.array([1, 2]), np.array([3])])
    >>> [one.tolist() for one in found]
    [[2, 5], [1, 5]]
    """
    at, which = np.unique(np.concatenate([np.empty(0, np.int64), *places]), return_inverse=True)
    total = np.zeros(len(at), np.int64)
    np.add.at(total, which, np.concatenate([np.empty(0, np.int64), *light]))
    return at, total


@dataclass(frozen=True, slots=True)
class HitFrames:
    """Gives the frames of hits, one after the other: on a worker, which reads by itself."""

    frames: SourceArray
    """The stack."""
    hits: tuple[int, ...]
    """Numbers of the frames that are hits."""

    def __call__(self, start: int, stop: int) -> tuple[dict[str, NDArray[Any]], None]:
        """Read hits [start, stop)."""
        rows = []
        # A chunk may hold several frames, and is decoded once.
        for _, same in groupby(self.hits[start:stop], key=lambda hit: hit // self.frames.chunks[0]):
            hits = list(same)
            whole = self.frames.read(hits[0], hits[-1] + 1)
            rows.append(whole[np.array(hits) - hits[0]])
        return {HIT_FRAMES: np.concatenate(rows)}, None


def hits_stream(frames: SourceArray, hits: NDArray[np.intp]) -> Stream:
    """Give the stream of the frames of hits, as they are."""
    names = ("module", "row", "column")[-len(frames.shape) + 1 :]
    chunks = (1,) * (len(frames.shape) - 2) + frames.shape[-2:]
    array = StreamedArray(
        HIT_FRAMES,
        (len(hits), *frames.shape[1:]),
        frames.dtype,
        ("hit", *names),
        {"interpretation": "image"},
        chunks,
        math.nan if frames.dtype.kind == "f" else 0,
    )
    return Stream("keep hits", (array,), HitFrames(frames, tuple(hits.tolist())))


def _cut(search: Search, workers: int) -> list[Block]:
    """Cut what was written of a stack into tasks of whole chunks."""
    frames = search.frames
    count, chunk = frames.shape[0], max(1, frames.chunks[0])
    most = _TASK_BYTES // max(1, math.prod(frames.shape[1:]) * frames.dtype.itemsize)
    length = min(most, math.ceil(count / (_TASKS_PER_WORKER * workers)))
    step = max(1, math.ceil(length / chunk)) * chunk
    return [Block(search, start, min(start + step, count)) for start in range(0, count, step)]


def _nothing(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.full(shape, np.nan if dtype.kind == "f" else 0, dtype)
