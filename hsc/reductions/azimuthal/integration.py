"""Frames to sums per frame and bin: tasks over blocks of frames, put together by index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import FRAMES_PER_PASS, renormalize, sum_frames
from hsc.reductions.azimuthal.binning import Binning, Mask, mask_of, pixel_table
from hsc.reductions.azimuthal.geometry import Geometry, GeometryParameters, geometry_of
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.workers import Progress, Workers

_BATCH_BYTES = 64_000_000
_LONGEST_BLOCK = 64
_NAMED_FRAMES = 5


class IntegrationParameters(GeometryParameters):
    """How frames are summed into bins of q."""

    bins: int = Field(default=1000, ge=1, le=1_000_000)
    """Number of bins, equal in q."""
    q_min_per_nm: float = Field(default=0.0, ge=0)
    """Lower edge of the first bin, 1/nm."""
    q_max_per_nm: float | None = Field(default=None, gt=0)
    """Upper edge of the last bin, 1/nm; None: the largest q on the detector."""
    solid_angle: bool = True
    """Divide by the pixels' solid angle, cos³ 2θ."""
    polarization_factor: float | None = Field(default=None, ge=-1, le=1)
    """Correct for polarisation, 1 fully horizontal; None: no correction."""
    saturation_counts: float | None = Field(default=None, gt=0)
    """Counts from which a pixel is left out; None: as the dataset says."""


@dataclass(frozen=True, slots=True)
class GoodCounts:
    """Range of counts that are believed, both included."""

    lowest: int
    """0: negative counts are a detector's marks for bad pixels."""
    highest: int
    """Below the saturation, and below the largest number of an unsigned type (also a mark)."""


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


@dataclass(frozen=True, slots=True)
class FrameSums:
    """Sums for each frame and bin; they add up exactly, quotients would not."""

    signal: NDArray[np.uint64]
    """Sum of counts, shape (frames, bins)."""
    variance: NDArray[np.uint64]
    """Sum of max(1, counts), likewise."""
    normalization: NDArray[np.float64]
    """Sum of normalisations of the pixels used, likewise."""
    count: NDArray[np.uint32]
    """Number of pixels used, likewise."""
    left_out: NDArray[np.int64]
    """Pixels left out for their counts, for each frame."""

    def intensity(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give I = S / N and its standard error √V / N, float32; NaN where no pixel counts."""
        empty = self.count == 0
        norm = np.where(empty, np.nan, self.normalization)
        # Below 2**53 both conversions are exact; then IEEE division and root are the only steps.
        intensity = self.signal.astype(np.float64) / norm
        error = np.sqrt(self.variance.astype(np.float64)) / norm
        return intensity.astype(np.float32), error.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Stack:
    """A dataset's frames, ready to be integrated."""

    frames: SourceArray
    """Counts, shape (frames, rows, columns)."""
    binning: Binning
    """Where each pixel counts."""
    good: GoodCounts
    """Counts that are believed."""


def stack_of(
    dataset: SourceDataset,
    parameters: IntegrationParameters,
    extra_masks: tuple[Mask, ...] = (),
) -> Stack:
    """Find frames, geometry, masks and limits of a dataset.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something that integration needs is missing, impossible, or no stack of counts; some
        frames were never written.
    """
    frames = array_for(dataset, "frames", "is the stack of pictures to integrate")
    where = f"{dataset.record.pid}, {frames.path}"
    if len(frames.shape) != 3 or frames.shape[0] == 0:
        raise ReductionError(
            f"frames of shape {frames.shape}; a stack (frames, rows, columns) is needed",
            where=where,
        )
    if frames.dtype.kind not in "ui" or frames.dtype.itemsize > 4:
        raise ReductionError(
            f"frames of type {frames.dtype}; counts of at most 32 bits are needed", where=where
        )
    _refuse_unwritten(frames, where)
    geometry = geometry_of(dataset, (frames.shape[1], frames.shape[2]), parameters)
    masks = extra_masks
    if "pixel_mask" in dataset.roles:
        masks = (mask_of(dataset.role("pixel_mask")), *extra_masks)
    return Stack(
        frames, _binning(geometry, masks, parameters), _good_counts(dataset, frames, parameters)
    )


def stack_facts(stack: Stack) -> dict[str, Any]:
    """Give what was found in the dataset and decides the result, for the NXparameters group."""
    binning = stack.binning
    found = {**binning.document(), **binning.geometry.document()}
    found["masks_blake3"] = " ".join(mask.digest for mask in binning.masks)
    found["binning_blake3"] = binning.key()
    found["lowest_good_counts"] = stack.good.lowest
    found["highest_good_counts"] = stack.good.highest
    found["error_model"] = "poisson, max(1, counts)"
    found["pixel_splitting"] = "none"
    found["normalization"] = "ratio of sums"
    return found


def integrate(stack: Stack, workers: Workers, progress: Progress) -> FrameSums:
    """Sum all frames of a stack into bins.

    The same bytes come out for any number of workers and any cut into blocks.
    """
    blocks = cut(stack, workers.count)
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


def cut(stack: Stack, workers: int) -> list[Block]:
    """Cut a stack into tasks: whole inner chunks, at most 64 MB decoded at once."""
    frames, rows, columns = stack.frames.shape
    frame_bytes = rows * columns * stack.frames.dtype.itemsize
    unit = max(1, stack.frames.chunks[0])
    if unit * frame_bytes * FRAMES_PER_PASS <= _BATCH_BYTES:
        unit *= FRAMES_PER_PASS
    batch = max(1, _BATCH_BYTES // (unit * frame_bytes)) * unit
    # A few tasks for each worker, so that none waits long for the last one.
    length = min(_LONGEST_BLOCK, math.ceil(frames / (4 * workers)))
    step = unit if length <= batch else batch
    length = math.ceil(length / step) * step
    return [
        Block(stack.frames, start, min(start + length, frames), batch, stack.binning, stack.good)
        for start in range(0, frames, length)
    ]


def integrate_block(block: Block) -> FrameSums:
    """Read, decode and sum the frames of one task."""
    table = pixel_table(block.binning)
    parts = []
    for start in range(block.start, block.stop, block.batch):
        frames = block.frames.read(start, min(start + block.batch, block.stop))
        sums = sum_frames(frames, table.bins, lowest=block.good.lowest, highest=block.good.highest)
        normalization = np.tile(table.normalization, (len(frames), 1))
        count = np.tile(table.bins.count.astype(np.uint32), (len(frames), 1))
        changed = renormalize(table.bins, table.order, table.weights, sums)
        normalization[changed.frame, changed.bin] = changed.normalization
        count[changed.frame, changed.bin] = changed.count
        parts.append(
            FrameSums(
                sums.signal.astype(np.uint64),
                sums.variance.astype(np.uint64),
                normalization,
                count,
                np.bincount(sums.bad_frame, minlength=len(frames)),
            )
        )
    return join(parts)


def join(parts: list[FrameSums]) -> FrameSums:
    """Put sums of consecutive frames together."""
    return FrameSums(
        np.concatenate([part.signal for part in parts]),
        np.concatenate([part.variance for part in parts]),
        np.concatenate([part.normalization for part in parts]),
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.left_out for part in parts]),
    )


def _refuse_unwritten(frames: SourceArray, where: str) -> None:
    unwritten = frames.unwritten()
    if unwritten:
        named = ", ".join(str(row + 1) for row in unwritten[:_NAMED_FRAMES])
        more = len(unwritten) - _NAMED_FRAMES
        raise ReductionError(
            f"{len(unwritten)} of {frames.shape[0]} frames were never written, by number "
            f"{named}{f' and {more} more' if more > 0 else ''}; a frame that was never written "
            "is no frame of zeros",
            where=where,
            next_step="ingest the whole run, and reduce that dataset",
        )


def _binning(
    geometry: Geometry, masks: tuple[Mask, ...], parameters: IntegrationParameters
) -> Binning:
    q_max = parameters.q_max_per_nm
    if q_max is None:
        q_max = float(geometry.q_per_nm().max())
    if not q_max > parameters.q_min_per_nm:
        raise ParameterError(
            f"q_min_per_nm {parameters.q_min_per_nm!r} is not below q_max_per_nm {q_max!r}",
            next_step="give a range of q in 1/nm that the detector sees",
        )
    return Binning(
        geometry=geometry,
        bins=parameters.bins,
        q_min_per_nm=parameters.q_min_per_nm,
        q_max_per_nm=q_max,
        solid_angle=parameters.solid_angle,
        polarization_factor=parameters.polarization_factor,
        masks=masks,
    )


def _good_counts(
    dataset: SourceDataset, frames: SourceArray, parameters: IntegrationParameters
) -> GoodCounts:
    limits = np.iinfo(frames.dtype)
    highest = int(limits.max) - (1 if frames.dtype.kind == "u" else 0)
    saturation = find_optional_number(
        dataset,
        parameters.saturation_counts,
        Sought("saturation_counts", "saturation", "counts", "counts"),
    )
    if saturation is not None:
        if saturation <= 0:
            raise ParameterError(
                f"saturation_counts is {saturation!r}, which is impossible",
                where=str(dataset.record.pid),
                next_step="give it: -p saturation_counts=...",
            )
        highest = min(highest, math.ceil(saturation) - 1)
    return GoodCounts(lowest=0, highest=highest)
