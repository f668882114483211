"""A stack to exact sums per pixel and per frame: one pass, tasks over blocks of frames."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import (
    FRAME_NUMBERS,
    MOST_FRAMES,
    GoodRange,
    PixelSums,
    add_frames,
    cut_pixels,
    join_pixels,
    own_pixels,
    pixel_sums,
    sum_regions,
    trim_pixels,
)
from hsc.reductions.base import SourceArray
from hsc.reductions.statistics.regions import Region, region_pixels
from hsc.workers import Progress, ThreadWorkers, Workers, available_cpus

# The sums go through memory with each batch: so many frames are decoded at once that this is little
# beside their own way; of bands of large frames as many as there is room for.
_BATCH_BYTES = 112 * 10**6
_BAND_BATCH_BYTES = 64 * 10**6
_MOST_BATCH = 12
# A task takes seconds, and gives back sums of about 30 bytes a pixel, whatever its frames are.
_TASK_BYTES = 4 * 10**9
_TASKS_PER_WORKER = 2
# Sums of more pixels, with what is sent of them, would take a worker beyond a gigabyte.
_MOST_PIXELS = 8 * 10**6
_LEAST_BANDS = 5


@dataclass(frozen=True, slots=True)
class Block:
    """One task: consecutive frames."""

    frames: SourceArray
    """The stack; the worker reads from it by itself."""
    start: int
    """First frame."""
    stop: int
    """One past the last frame."""
    good: GoodRange
    """Counts that are believed."""
    regions: tuple[Region, ...]
    """Parts of a frame that are summed frame by frame."""
    band: tuple[int, int]
    """First row of the pixels that are summed, and the one after the last."""


@dataclass(frozen=True, slots=True)
class FrameNumbers:
    """What is known of single frames, in their order."""

    frame: NDArray[np.int64]
    """(n,): number of each frame in the stack."""
    numbers: NDArray[np.int64]
    """(n, 5): `FRAME_NUMBERS` of each."""
    region_sums: NDArray[np.int64]
    """(n, regions): sum of the good counts in each region."""
    region_counts: NDArray[np.int64]
    """(n, regions): pixels with a good count in each region."""

    def column(self, name: str) -> NDArray[np.int64]:
        """Give one of `FRAME_NUMBERS` of each frame."""
        found: NDArray[np.int64] = self.numbers[:, FRAME_NUMBERS.index(name)]
        return found


@dataclass(frozen=True, slots=True)
class BlockSums:
    """What the frames of a task add up to."""

    band: tuple[int, int]
    """First row of the pixels, and the one after the last."""
    pixels: PixelSums
    """Pixel by pixel."""
    frames: FrameNumbers
    """Frame by frame."""


def sum_stack(
    frames: SourceArray,
    good: GoodRange,
    regions: tuple[Region, ...],
    workers: Workers,
    progress: Progress,
) -> BlockSums:
    """Add up all frames of a stack that were written.

    Whole numbers are added, so that the same bytes come out for any workers, order and cut.

    Raises
    ------
    ReductionError
        No frame was written.
    """
    blocks = cut(frames, good, regions, workers.count)
    count = sum(block.stop - block.start for block in blocks if block.band[0] == 0)
    if not count:
        raise ReductionError("none of the frames was written", where=frames.path)
    whole: _Whole | _Shared = _Whole(frames)
    add: Callable[[Block], Any] = sum_block
    if isinstance(workers, ThreadWorkers) and len(bands(frames)) == 1:
        whole = _Shared(frames, min(workers.count, available_cpus()))
        add = whole.add
    progress.start("add up", count, "frames")
    workers.fold(
        add,
        blocks,
        whole.take,
        progress=progress,
        weights=[block.stop - block.start if block.band[0] == 0 else 0 for block in blocks],
    )
    progress.finish()
    return BlockSums((0, frames.shape[1]), whole.sums(), join_frames(whole.numbers))


class _Shared:
    """What all tasks in threads of this process add up to: each thread adds to sums that lie idle.

    So there are no more sums than threads, and these are joined once.
    """

    def __init__(self, frames: SourceArray, threads: int) -> None:
        self.numbers: list[FrameNumbers] = []
        self._empty = partial(pixel_sums, math.prod(frames.shape[1:]), frames.dtype)
        self._idle: list[tuple[int, PixelSums]] = []
        self._turn = threading.Lock()
        self._threads = threads

    def add(self, block: Block) -> FrameNumbers:
        """Add up the frames of a task."""
        count = block.stop - block.start
        with self._turn:
            fit = [at for at, (added, _) in enumerate(self._idle) if added + count <= MOST_FRAMES]
            added, sums = self._idle.pop(fit[0]) if fit else (0, None)
        sums = sums or self._empty()
        found = _add_block(block, sums)
        with self._turn:
            self._idle.append((added + count, sums))
        return found

    def take(self, numbers: FrameNumbers) -> None:
        """Keep what is known of the frames of a task."""
        self.numbers.append(numbers)

    def sums(self) -> PixelSums:
        """Give the sums, without what is zero everywhere."""
        whole = self._idle[0][1]
        others = [trim_pixels(sums) for _, sums in self._idle[1:]]
        bounds = np.linspace(0, len(whole.sums), 4 * self._threads + 1).astype(int).tolist()

        def join(band: tuple[int, int]) -> None:
            for each in others:
                join_pixels(cut_pixels(whole, *band), cut_pixels(each, *band))

        if others:
            ThreadWorkers(self._threads).map(join, list(pairwise(bounds)))
        return trim_pixels(whole)


class _Whole:
    """What all tasks add up to, each with sums of its own: of bands, or in other processes."""

    def __init__(self, frames: SourceArray) -> None:
        self.numbers: list[FrameNumbers] = []
        self._columns = frames.shape[2]
        self._sums: PixelSums | None = None
        self._in_bands = len(bands(frames)) > 1
        if self._in_bands:
            self._sums = pixel_sums(math.prod(frames.shape[1:]), frames.dtype)

    def take(self, part: BlockSums) -> None:
        """Add the sums of a task; the first of whole frames are what others are added to."""
        self.numbers.append(part.frames)
        if self._sums is None:
            self._sums = own_pixels(part.pixels)
        elif self._in_bands:
            first, last = (row * self._columns for row in part.band)
            join_pixels(cut_pixels(self._sums, first, last), part.pixels)
        else:
            self._sums = join_pixels(self._sums, part.pixels)

    def sums(self) -> PixelSums:
        """Give the sums, without what is zero everywhere."""
        assert self._sums is not None  # noqa: S101 - at least one task was taken
        return trim_pixels(self._sums) if self._in_bands else self._sums


def cut(
    frames: SourceArray, good: GoodRange, regions: tuple[Region, ...], workers: int
) -> list[Block]:
    """Cut what was written of a stack into tasks of whole chunks."""
    count, chunk = frames.shape[0], max(1, frames.chunks[0])
    most = _TASK_BYTES // max(1, math.prod(frames.shape[1:]) * frames.dtype.itemsize)
    length = min(most, MOST_FRAMES, math.ceil(count / (_TASKS_PER_WORKER * workers)))
    step = max(1, min(math.ceil(length / chunk) * chunk, MOST_FRAMES))
    written = np.ones(count, np.bool_)
    written[list(frames.unwritten())] = False
    return [
        Block(frames, start, stop, good, regions, band)
        for first, last in _runs(written)
        for start, stop in _steps(first, last, step)
        for band in bands(frames)
    ]


def bands(frames: SourceArray) -> list[tuple[int, int]]:
    """Cut frames that are too large for a worker's sums into bands of rows.

    A task decodes of each frame no more than the blocks of its band, where the codec has blocks and
    the band is no more than a fourth of the frame.
    """
    rows, columns = frames.shape[1:]
    count = math.ceil(rows * columns / _MOST_PIXELS)
    if count == 1:
        return [(0, rows)]
    height = max(1, rows // max(_LEAST_BANDS, count))
    return list(pairwise([*range(0, rows, height), rows]))


def sum_block(block: Block) -> BlockSums:
    """Read, decode and add up the frames of one task."""
    (low, high), columns = block.band, block.frames.shape[2]
    sums = pixel_sums((high - low) * columns, block.frames.dtype)
    numbers = _add_block(block, sums)
    return BlockSums(block.band, trim_pixels(sums), numbers)


def _add_block(block: Block, sums: PixelSums) -> FrameNumbers:
    """Add the frames of one task to sums, in place."""
    (low, high), columns = block.band, block.frames.shape[2]
    nbytes = max(1, (high - low) * columns * block.frames.dtype.itemsize)
    whole = high - low == block.frames.shape[1]
    room = _BATCH_BYTES if whole else _BAND_BATCH_BYTES
    together = min(_MOST_BATCH, max(1, room // nbytes))
    frame = block.frames.shape[1], columns
    pixels, starts = region_pixels(block.regions, frame, block.band)
    numbers, region_sums, region_counts = [], [], []
    for batch in block.frames.batches(
        block.start, block.stop, rows=together, band=None if whole else block.band
    ):
        numbers.append(add_frames(sums, batch, block.good))
        added, counted = sum_regions(batch, pixels, starts, block.good)
        region_sums.append(added)
        region_counts.append(counted)
    return FrameNumbers(
        np.arange(block.start, block.stop),
        np.concatenate(numbers),
        np.concatenate(region_sums),
        np.concatenate(region_counts),
    )


def _steps(first: int, last: int, step: int) -> list[tuple[int, int]]:
    """Cut [first, last) at multiples of a step, so that no chunk lies in two parts."""
    bounds = [first, *range((first // step + 1) * step, last, step), last]
    return list(pairwise(bounds))


def _runs(written: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give first and end of each run of what is written.

    Examples
    --------
    >>> _runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], written.astype(np.int8), [0]])))
    return [(int(low), int(high)) for low, high in zip(edges[::2], edges[1::2], strict=True)]


def join_frames(parts: list[FrameNumbers]) -> FrameNumbers:
    """Put tasks together in the order of their frames, bands of the same frames in one."""
    ordered = sorted(parts, key=lambda part: int(part.frame[0]))
    joined: list[FrameNumbers] = []
    for _, same in groupby(ordered, key=lambda part: int(part.frame[0])):
        joined.append(reduce(_add, same))
    found: list[Any] = [
        np.concatenate([getattr(part, name) for part in joined])
        for name in ("frame", "numbers", "region_sums", "region_counts")
    ]
    return FrameNumbers(*found)


def _add(one: FrameNumbers, other: FrameNumbers) -> FrameNumbers:
    """Add what two bands of the same frames give."""
    numbers = one.numbers + other.numbers
    largest = FRAME_NUMBERS.index("maximum")
    numbers[:, largest] = np.maximum(one.numbers[:, largest], other.numbers[:, largest])
    return FrameNumbers(
        one.frame,
        numbers,
        one.region_sums + other.region_sums,
        one.region_counts + other.region_counts,
    )
