"""Frame statistics: exact sums per pixel and frame, masks of flawed pixels, smaller pictures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import GoodRange, PixelSums
from hsc.model import Quantity
from hsc.reductions.base import (
    SINGLE_PICTURES,
    Input,
    Inputs,
    Outputs,
    Reduction,
    SourceDataset,
    array_for,
)
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.reductions.rings import RingParameters, find_groups
from hsc.reductions.statistics.court import Bounds, Flaw
from hsc.reductions.statistics.fixed import COUNTS, FixedPoint, Scale
from hsc.reductions.statistics.flaws import judge
from hsc.reductions.statistics.pictures import draw_pictures
from hsc.reductions.statistics.regions import parse_regions
from hsc.reductions.statistics.stack import Stack
from hsc.reductions.statistics.summing import sum_stack
from hsc.reductions.statistics.time_bins import time_bins
from hsc.reductions.statistics.tree import Found, largest, statistics_tree, total
from hsc.store import Stream
from hsc.workers import Progress, Workers, available_cpus

_VERSION = "3"
# Of values whose largest is fewer units than this, rounding would leave little.
_LEAST_UNITS = 1000


class StatisticsParameters(RingParameters):
    """What is believed, what is compared with what, and what is made beside the sums."""

    saturation_counts: float | None = Field(default=None, gt=0)
    """Counts from which a pixel is saturated (and still counted); None: as the dataset says."""
    float_step: float = Field(default=2.0**-10, gt=0, le=2.0**20)
    """Floating-point frames are summed in whole units of it, exactly; a power of two."""
    least_pixels: int = Field(default=32, ge=4, le=1_000_000)
    """Rings and tiles with fewer pixels are not judged."""
    hot_deviations: float = Field(default=10.0, gt=0)
    """A pixel is hot whose mean is so many times the spread of its ring above its median."""
    dead_counts: float = Field(default=25.0, ge=0)
    """A pixel is dead that counted nothing where its ring's mean sum is above this."""
    flicker_rate: float = Field(default=1e-8, gt=0, le=0.1)
    """Share of good pixels that may be taken for flickering ones by chance."""
    bin_frames: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Sum so many consecutive frames into one; None: no time bins."""
    regions: str = ""
    """Parts summed in each frame: ``name=row:row,column:column; ...``, ends not included, or
    ``name=ring(row,column, inner,outer)``, ``circle(row,column, radius)``,
    ``polygon(row,column row,column ...)``."""


def reduce_statistics(
    inputs: Inputs, parameters: StatisticsParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Add up a stack of frames, pixel by pixel and frame by frame.

    All sums are whole numbers: any workers, order and cut give the same bytes. A count is good
    that is neither negative nor the largest number of an unsigned type, which detectors mean as
    marks. Floating-point values are good where they are finite, and rounded to whole units first.
    Means and variances are divided once, at the end, from the exact sums.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        There are no frames, no stack of whole numbers, or a parameter is impossible.
    """
    dataset = inputs.one("sample")
    stack = _stack(dataset, parameters)
    mask = _mask(inputs, stack)
    groups = find_groups(dataset, stack.shape, parameters, inputs.optional("geometry"))
    if groups.gaps is not None:
        mask |= groups.gaps  # bit 0 is a gap
    sums = sum_stack(stack.frames, stack.good, stack.regions, workers, progress)
    used = len(sums.frames.frame)
    if not stack.scale.counts:
        _refuse_coarse(stack, sums.pixels, used)
    bounds = Bounds(
        parameters.hot_deviations,
        parameters.dead_counts,
        parameters.flicker_rate,
        parameters.least_pixels,
    )
    streams: tuple[Stream, ...] = ()
    if parameters.bin_frames is not None:
        most = int(sums.pixels.maximum.max(initial=0))
        streams = (time_bins(stack, parameters.bin_frames, most),)
    threads = min(workers.count, available_cpus())
    known = mask.reshape(-1)
    pictures, members = draw_pictures(stack, sums.pixels, used, known, groups, threads)
    judgement = judge(stack, used, pictures, members, known, bounds, threads)
    found = Found(stack, sums.frames, pictures, groups, judgement, binned=bool(streams))
    record = dataset.record
    return Outputs(
        tree=statistics_tree(found, record.instrument, parameters.document(), _VERSION),
        results={
            "frames": used,
            "frames_not_written": stack.frames.shape[0] - used,
            **_totals(found),
            "hot_pixels": judgement.counts[Flaw.HOT],
            "dead_pixels": judgement.counts[Flaw.DEAD],
            "flickering_pixels": judgement.counts[Flaw.FLICKERING],
            "compared_in": groups.kind,
            **({"warnings": list(groups.remarks)} if groups.remarks else {}),
        },
        quantities={"frames": Quantity(value=float(used), unit="")},
        title=f"{record.title}: statistics of {used} frames",
        technique=None,
        streams=streams,
    )


def _totals(found: Found) -> dict[str, Any]:
    """Give the sum of all and the largest; whole numbers of counts."""
    saturated = int(found.frames.column("saturated").sum())
    if found.stack.scale.counts:
        counts = sum(int(each) for each in found.frames.column("total"))
        top = int(found.frames.column("maximum").max())
        return {"counts": counts, "largest_count": top, "saturated_counts": saturated}
    values = total(found.stack, found.frames), largest(found.stack, found.frames)
    return {
        "total": math.fsum(values[0]),
        "largest_value": float(np.nanmax(values[1], initial=-np.inf)),
        "saturated_values": saturated,
    }


def _refuse_coarse(stack: Stack, pixels: PixelSums, frames: int) -> None:
    """Stop where rounding to whole units would make other numbers of the values."""
    if pixels.missing.size and pixels.missing.min() == frames:
        raise ReductionError("no frame has a finite value", where=stack.frames.path)
    # Where there is no value, both ends are beyond what stands for 0: none is further from it.
    ends = [pixels.minimum.min(initial=stack.scale.offset),
            pixels.maximum.max(initial=stack.scale.offset)]  # fmt: skip
    top = max(abs(int(each) - stack.scale.offset) for each in ends)
    if top < _LEAST_UNITS:
        raise ReductionError(
            f"no value is further from 0 than {top * stack.scale.step!r}, which is only {top} of "
            f"the units of {stack.scale.step!r} that floating-point frames are summed in",
            where=stack.frames.path,
            next_step="give a smaller unit, a power of two: -p float_step=...",
        )


def _stack(dataset: SourceDataset, parameters: StatisticsParameters) -> Stack:
    frames = array_for(dataset, "frames", "is the stack of pictures to add up")
    where = f"{dataset.record.pid}, {frames.path}"
    if len(frames.shape) != 3 or not math.prod(frames.shape):
        raise ReductionError(
            f"frames of shape {frames.shape}; a stack (frames, rows, columns) is needed",
            where=where,
            next_step=SINGLE_PICTURES,
        )
    kind, itemsize = frames.dtype.kind, frames.dtype.itemsize
    if not ((kind in "ui" and itemsize <= 4) or (kind == "f" and itemsize in {4, 8})):
        raise ReductionError(
            f"frames of type {frames.dtype}; counts of at most 32 bits, float32 or float64 are "
            "needed",
            where=where,
        )
    if parameters.bin_frames is not None and frames.unwritten():
        raise ReductionError(
            f"{len(frames.unwritten())} frames were never written; time bins need all of them",
            where=where,
            next_step="leave out bin_frames, or ingest the whole run",
        )
    shape = (frames.shape[1], frames.shape[2])
    regions = parse_regions(parameters.regions, shape)
    saturation, step = _saturation(dataset, parameters), _power_of_two(parameters.float_step)
    if kind == "f":
        fixed = FixedPoint(frames, step)
        return Stack(fixed, shape, _good(fixed.dtype, saturation, fixed.scale), regions,
                     fixed.scale)  # fmt: skip
    return Stack(frames, shape, _good(frames.dtype, saturation, COUNTS), regions)


def _power_of_two(step: float) -> float:
    if math.frexp(step)[0] != 0.5:
        near = 2.0 ** round(math.log2(step))
        raise ParameterError(
            f"float_step is {step!r}, which is no power of two",
            next_step=f"give one, as in -p float_step={near!r}",
        )
    return step


def _saturation(dataset: SourceDataset, parameters: StatisticsParameters) -> float | None:
    saturation = find_optional_number(
        dataset,
        parameters.saturation_counts,
        Sought("saturation_counts", "saturation", "counts", "counts"),
    )
    if saturation is not None and saturation <= 0:
        raise ParameterError(
            f"saturation_counts is {saturation!r}, which is impossible",
            where=str(dataset.record.pid),
            next_step="give it: -p saturation_counts=...",
        )
    return saturation


def _good(dtype: np.dtype[Any], saturation: float | None, scale: Scale) -> GoodRange:
    highest = int(np.iinfo(dtype).max) - (1 if dtype.kind == "u" else 0)
    if saturation is None:
        return GoodRange(0, highest, highest + 1)
    whole = math.ceil(min(saturation / scale.step, 2.0**40)) + scale.offset
    return GoodRange(0, highest, whole)


def _mask(inputs: Inputs, stack: Stack) -> NDArray[np.uint32]:
    """Give the known bad pixels: the dataset's own, and those of a mask beside it; 0 is good."""
    mask = np.zeros(stack.shape, np.uint32)
    own = inputs.one("sample")
    datasets = ([own] if "pixel_mask" in own.roles else []) + list(inputs.every("mask"))
    for dataset in datasets:
        array = array_for(dataset, "pixel_mask", "is the picture of bad pixels")
        picture = np.asarray(array.read())
        if picture.shape != stack.shape or picture.dtype.kind not in "bui" or array.unwritten():
            raise ReductionError(
                f"a mask of shape {picture.shape} and type {picture.dtype} for frames of shape "
                f"{stack.shape}, or one that was never written",
                where=f"{dataset.record.pid}, {array.path}",
                next_step="give a picture of whole numbers: 0 is good, anything else is bad",
            )
        # Of wider or negative numbers bits are lost, but never that there are any.
        bits = picture.astype(np.uint32, copy=False)
        if picture.dtype.itemsize > bits.dtype.itemsize:
            bits = np.where((picture != 0) & (bits == 0), np.uint32(1), bits)
        mask |= bits
    return mask


STATISTICS = Reduction(
    name="statistics",
    version=_VERSION,
    summary="exact sums per pixel and per frame, and masks of hot, dead and flickering pixels",
    inputs=(
        Input("sample", "frames of an area detector"),
        Input("mask", "known bad pixels", required=False, many=True),
        Input("geometry", "where the detector was: a PONI calibration", required=False),
    ),
    parameters=StatisticsParameters,
    function=reduce_statistics,
    packages=("pyFAI", "numexpr"),
    order="int-exact",
)
"""Frames of one dataset to what they add up to."""
