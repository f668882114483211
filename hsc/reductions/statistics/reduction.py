"""Frame statistics: exact sums per pixel and frame, masks of flawed pixels, smaller pictures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import GoodRange, moments_of
from hsc.model import Quantity, Record
from hsc.reductions.base import Input, Inputs, Outputs, Reduction, SourceDataset, array_for
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.reductions.statistics.flaws import Bounds, Flaw, judge
from hsc.reductions.statistics.groups import Groups, rings, tiles
from hsc.reductions.statistics.regions import parse_regions
from hsc.reductions.statistics.stack import Stack
from hsc.reductions.statistics.summing import sum_stack
from hsc.reductions.statistics.time_bins import time_bins
from hsc.reductions.statistics.tree import Found, statistics_tree
from hsc.store import Stream
from hsc.workers import Progress, Workers


class StatisticsParameters(Record):
    """What is believed, what is compared with what, and what is made beside the sums."""

    saturation_counts: float | None = Field(default=None, gt=0)
    """Counts from which a pixel is saturated (and still counted); None: as the dataset says."""
    beam_center_x_pixels: float | None = None
    """Middle of the rings along the rows (fast axis), pixels, the middle of the first pixel at
    0.5; None: as the dataset says. Without either, pixels are compared in tiles."""
    beam_center_y_pixels: float | None = None
    """Middle of the rings along the columns (slow axis), pixels."""
    ring_width_pixels: float = Field(default=8.0, gt=0)
    """Width of the rings in which pixels are compared."""
    tile_pixels: int = Field(default=64, ge=2)
    """Side of the tiles in which they are compared where the beam centre is not known."""
    least_pixels: int = Field(default=32, ge=4)
    """Rings and tiles with fewer pixels are not judged."""
    hot_deviations: float = Field(default=10.0, gt=0)
    """A pixel is hot whose mean is so many times the spread of its ring above its median."""
    dead_counts: float = Field(default=25.0, ge=0)
    """A pixel is dead that counted nothing where its ring's mean sum is above this."""
    flicker_ranges: float = Field(default=6.0, gt=0)
    """A pixel flickers whose variance by mean is so many quartile ranges off its ring's."""
    bin_frames: int | None = Field(default=None, ge=1)
    """Sum so many consecutive frames into one; None: no time bins."""
    regions: str = ""
    """Rectangles summed in each frame: ``name=row:row,column:column; ...``, ends not included."""


def reduce_statistics(
    inputs: Inputs, parameters: StatisticsParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Add up a stack of frames, pixel by pixel and frame by frame.

    All sums are whole numbers: any workers, order and cut give the same bytes. A count is good
    that is neither negative nor the largest number of an unsigned type, which detectors mean as
    marks. Means and variances are divided once, at the end, from the exact sums.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        There are no frames, no stack of whole numbers, or a parameter is impossible.
    """
    dataset = inputs.one("sample")
    stack = _stack(dataset, parameters)
    mask = _mask(inputs, stack)
    sums = sum_stack(stack.frames, stack.good, stack.regions, workers, progress)
    groups = _groups(dataset, parameters, stack.shape)
    bounds = Bounds(
        parameters.hot_deviations,
        parameters.dead_counts,
        parameters.flicker_ranges,
        parameters.least_pixels,
    )
    used = len(sums.frames.frame)
    moments = moments_of(sums.pixels, used)
    judgement = judge(sums.pixels, moments, used, mask.reshape(-1) != 0, groups, bounds)
    streams: tuple[Stream, ...] = ()
    if parameters.bin_frames is not None:
        most = int(sums.pixels.maximum.max(initial=0))
        streams = (time_bins(stack.frames, stack.good, parameters.bin_frames, most),)
    found = Found(stack, sums, moments, mask, groups, judgement, binned=bool(streams))
    counts = sum(int(each) for each in sums.frames.column("total"))
    record = dataset.record
    return Outputs(
        tree=statistics_tree(found, record.instrument, parameters.document()),
        results={
            "frames": used,
            "frames_not_written": stack.frames.shape[0] - used,
            "counts": counts,
            "largest_count": int(sums.frames.column("maximum").max()),
            "saturated_counts": int(sums.frames.column("saturated").sum()),
            "hot_pixels": judgement.count(Flaw.HOT),
            "dead_pixels": judgement.count(Flaw.DEAD),
            "flickering_pixels": judgement.count(Flaw.FLICKERING),
            "compared_in": groups.kind,
        },
        quantities={"frames": Quantity(value=float(used), unit="")},
        title=f"{record.title}: statistics of {used} frames",
        technique=None,
        streams=streams,
    )


def _stack(dataset: SourceDataset, parameters: StatisticsParameters) -> Stack:
    frames = array_for(dataset, "frames", "is the stack of pictures to add up")
    where = f"{dataset.record.pid}, {frames.path}"
    if len(frames.shape) != 3 or not math.prod(frames.shape):
        raise ReductionError(
            f"frames of shape {frames.shape}; a stack (frames, rows, columns) is needed",
            where=where,
        )
    if frames.dtype.kind not in "ui" or frames.dtype.itemsize > 4:
        raise ReductionError(
            f"frames of type {frames.dtype}; counts of at most 32 bits are needed", where=where
        )
    if parameters.bin_frames is not None and frames.unwritten():
        raise ReductionError(
            f"{len(frames.unwritten())} frames were never written; time bins need all of them",
            where=where,
            next_step="leave out bin_frames, or ingest the whole run",
        )
    shape = (frames.shape[1], frames.shape[2])
    regions = parse_regions(parameters.regions, shape)
    return Stack(frames, shape, _good(dataset, frames.dtype, parameters), regions)


def _good(
    dataset: SourceDataset, dtype: np.dtype[Any], parameters: StatisticsParameters
) -> GoodRange:
    highest = int(np.iinfo(dtype).max) - (1 if dtype.kind == "u" else 0)
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
    return GoodRange(0, highest, highest + 1 if saturation is None else math.ceil(saturation))


def _groups(
    dataset: SourceDataset, parameters: StatisticsParameters, shape: tuple[int, int]
) -> Groups:
    """Give rings where the beam centre is known, else tiles."""
    centre = []
    for axis in "xy":
        size = find_optional_number(
            dataset, None, Sought(f"{axis}_pixel_size_m", f"{axis}_pixel_size", "m", "length")
        )
        name = f"beam_center_{axis}"
        sought = Sought(f"{name}_pixels", name, "pixel", "pixels", size or math.nan)
        centre.append(find_optional_number(dataset, getattr(parameters, f"{name}_pixels"), sought))
    x, y = centre
    if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
        return tiles(shape, parameters.tile_pixels)
    return rings(shape, x, y, parameters.ring_width_pixels)


def _mask(inputs: Inputs, stack: Stack) -> NDArray[np.uint32]:
    """Give the known bad pixels: the dataset's own, and those of a mask beside it; 0 is good."""
    mask = np.zeros(stack.shape, np.uint32)
    own, given = inputs.one("sample"), inputs.optional("mask")
    datasets = ([own] if "pixel_mask" in own.roles else []) + ([given] if given else [])
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
        bits = picture.astype(np.int64) & 0xFFFFFFFF
        mask |= np.where(picture == 0, 0, np.maximum(bits, 1)).astype(np.uint32)
    return mask


STATISTICS = Reduction(
    name="statistics",
    version="1",
    summary="exact sums per pixel and per frame, and masks of hot, dead and flickering pixels",
    inputs=(
        Input("sample", "frames of an area detector"),
        Input("mask", "known bad pixels", required=False),
    ),
    parameters=StatisticsParameters,
    function=reduce_statistics,
    order="int-exact",
)
"""Frames of one dataset to what they add up to."""
