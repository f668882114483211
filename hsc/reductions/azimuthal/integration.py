"""Frames to sums per frame and bin: tasks over blocks of frames, put together by index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import (
    FRAMES_PER_PASS,
    BinSums,
    BinTable,
    Corrections,
    ShareTable,
    SplitSums,
    bin_normalization,
    renormalize,
    sum_corrected,
    sum_frames,
    sum_split,
)
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.shelf import is_kept
from hsc.reductions.azimuthal.stack import GoodCounts, Stack, Summing
from hsc.reductions.azimuthal.sums import FrameSums, join
from hsc.reductions.azimuthal.tables import Norms, PixelTable, pixel_table, prepare_table
from hsc.reductions.base import SourceArray
from hsc.workers import Progress, Workers

_BATCH_BYTES = 80_000_000
_MOST_BATCH_BYTES = 150_000_000
_FEWEST = 4
_LONGEST_BLOCK = 64
# Smaller tables are made in less than a second.
_TOLD_PIXELS = 500_000


@dataclass(frozen=True, slots=True)
class Block:
    """One task: consecutive frames and what to do with them."""

    frames: SourceArray
    """The stack; the worker reads from it by itself."""
    start: int
    """First frame."""
    stop: int
    """One past the last frame."""
    batch: int
    """Frames that are decoded at once."""
    binning: Binning
    """Where each pixel counts."""
    good: GoodCounts
    """Counts that are believed."""
    scales: NDArray[np.float32]
    """Monitor of each frame of the block."""
    summing: Summing
    """How pixels are summed."""
    variances: SourceArray | None = None
    """Variance of each count, where the error model takes them."""


def integrate(stack: Stack, workers: Workers, progress: Progress) -> FrameSums:
    """Sum all frames of a stack into bins.

    The same bytes come out for any number of workers and any cut into blocks.
    """
    blocks = cut(stack, workers.count)
    see_to_table(stack.binning, workers, progress)
    count = stack.frames.shape[0]
    progress.start("integrate", count, "frames")
    parts = workers.map(
        integrate_block,
        blocks,
        progress=progress,
        weights=[block.stop - block.start for block in blocks],
    )
    progress.finish()
    return join(parts)


def see_to_table(binning: Binning, workers: Workers, progress: Progress) -> None:
    """Build the table where workers will find it, and tell that it takes its time.

    Several processes would each build it; and nobody sees why nothing moves while one does.
    """
    large = math.prod(binning.geometry.shape) >= _TOLD_PIXELS and not is_kept(binning)
    if large:
        progress.start("pixel table", 1, "table")
    if workers.processes > 1:
        prepare_table(binning)
    elif large:
        pixel_table(binning)
    if large:
        progress.advance(1)
        progress.finish()


def cut(stack: Stack, workers: int) -> list[Block]:
    """Cut a stack into tasks: whole inner chunks, decoded in batches of a few frames.

    Batches hold 80 MB in whole passes of a kernel; of large frames a pass, or half of one.
    """
    frames, rows, columns = stack.frames.shape
    frame_bytes = rows * columns * stack.frames.dtype.itemsize
    chunk = max(1, stack.frames.chunks[0])
    unit = math.lcm(chunk, FRAMES_PER_PASS) if chunk <= _LONGEST_BLOCK else chunk
    pass_bytes = FRAMES_PER_PASS * frame_bytes
    passes = max(_BATCH_BYTES // pass_bytes, int(pass_bytes <= _MOST_BATCH_BYTES))
    batch = min(passes * FRAMES_PER_PASS, max(unit, FRAMES_PER_PASS * 2)) if passes else _FEWEST
    # A few tasks for each worker, so that none waits long for the last one; a single one waits for
    # nobody, and each task begins with memory that was never touched.
    tasks = 4 * workers if workers > 1 else 1
    length = min(_LONGEST_BLOCK, math.ceil(frames / tasks))
    length = math.ceil(length / unit) * unit
    return [
        block_of(stack, start, min(start + length, frames), batch)
        for start in range(0, frames, length)
    ]


def block_of(stack: Stack, start: int, stop: int, batch: int) -> Block:
    """Make the task for consecutive frames of a stack."""
    return Block(
        stack.frames,
        start,
        stop,
        batch,
        stack.binning,
        stack.good,
        stack.scales[start:stop],
        stack.summing,
        stack.variances,
    )


def integrate_block(block: Block) -> FrameSums:
    """Read, decode and sum the frames of one task."""
    table = pixel_table(block.binning)
    add = _Exact(block, table) if _exact(block) else _Corrected(block, table)
    parts, done = [], 0
    native = block.frames.dtype.newbyteorder("=")
    for batch in block.frames.batches(block.start, block.stop, rows=block.batch):
        parts.append(add(batch.astype(native, copy=False), done))
        done += len(batch)
    return join(parts)


def _exact(block: Block) -> bool:
    """Whether counts are summed as they are: integers, and nothing is done to them before."""
    summing = block.summing
    return (
        block.frames.dtype.kind in "ui"
        and block.binning.dark is None
        and summing.model in {"poisson", "none"}
        and not summing.ratios
    )


class _Exact:
    """Sums of counts themselves: normalisations depend on the monitor and on what is left out."""

    def __init__(self, block: Block, table: PixelTable) -> None:
        self._block, self._table = block, table
        self._norms: dict[float, Norms] = {1.0: table.norms}

    def __call__(self, frames: NDArray[Any], done: int) -> FrameSums:
        table = self._table
        good = self._block.good
        bounds = {"lowest": int(good.lowest), "highest": int(good.highest)}
        scales = self._block.scales[done : done + len(frames)]
        sums: BinSums | SplitSums
        if isinstance(table.table, ShareTable):
            sums = sum_split(frames, table.table, **bounds)
        else:
            sums = sum_frames(frames, table.table, **bounds)
        norms = [self._normalization(float(scale)) for scale in scales]
        normalization, squared, count = (np.array(column) for column in zip(*norms, strict=True))
        bad = (sums.bad_frame, sums.bad_pixel)
        changed = renormalize(table.table, table.order, table.factors, scales, bad)
        places = (changed.frame, changed.bin)
        normalization[places] = changed.normalization
        squared[places] = changed.normalization_squared
        count[places] = changed.count
        variance = sums.variance if self._block.summing.model == "poisson" else 0 * sums.variance
        whole = isinstance(table.table, BinTable)
        return FrameSums(
            sums.signal,
            variance,
            normalization,
            squared,
            count.astype(np.uint32) if whole else count,
            np.bincount(sums.bad_frame, minlength=len(frames)),
        )

    def _normalization(self, scale: float) -> Norms:
        if scale not in self._norms:
            table = self._table
            self._norms[scale] = bin_normalization(table.order, table.factors, scale)
        return self._norms[scale]


class _Corrected:
    """Sums of pixels that are corrected one by one."""

    def __init__(self, block: Block, table: PixelTable) -> None:
        self._block = block
        self._table = table.shares()
        summing = block.summing
        adds = summing.dark_variance and summing.model == "poisson"
        self._corrections = Corrections(
            table.factors,
            dark=table.dark,
            dark_variance=table.dark * np.float32(block.binning.dark_variance_scale)
            if adds
            else np.empty(0, dtype=np.float32),
            model=summing.model,
            ratios=summing.ratios,
            lowest=block.good.lowest,
            highest=block.good.highest,
        )

    def __call__(self, frames: NDArray[Any], done: int) -> FrameSums:
        block = self._block
        variances = None
        if block.variances is not None:
            start = block.start + done
            variances = _single(block.variances.read(start, start + len(frames)))
        scales = block.scales[done : done + len(frames)]
        sums = sum_corrected(frames, self._table, self._corrections, scales, variances)
        return FrameSums(
            sums.signal,
            sums.variance,
            sums.normalization,
            sums.normalization_squared,
            sums.count,
            sums.left_out,
        )


def _single(variances: NDArray[Any]) -> NDArray[np.float32]:
    """Give variances in float32; what is below zero is none, and its pixel does not count."""
    with np.errstate(over="ignore"):  # infinite, and so none either
        single = variances.astype(np.float32)
    single[single < 0] = np.nan
    return single
