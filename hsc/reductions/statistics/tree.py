"""The derived dataset of the statistics: NXdata, a mask, pictures of many sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions import nexus
from hsc.reductions.rings import PixelGroups
from hsc.reductions.statistics.flaws import Judgement
from hsc.reductions.statistics.pictures import Pictures
from hsc.reductions.statistics.stack import Stack
from hsc.reductions.statistics.summing import FrameNumbers
from hsc.reductions.statistics.time_bins import TIME_BINS
from hsc.store import NewArray, NewGroup, NewTree

_DATA, _FRAMES, _FLAWS = "/entry/data", "/entry/frames", "/entry/flaws"
_PYRAMID, _REGIONS = "/entry/pyramid", "/entry/regions"
_IMAGE = ("row", "column")
Part = tuple[list[NewGroup], list[NewArray]]


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found."""

    stack: Stack
    """What was added up."""
    frames: FrameNumbers
    """What is known of single frames."""
    pictures: Pictures
    """What pixels add up to."""
    groups: PixelGroups
    """What was compared with what."""
    judgement: Judgement
    """What is wrong with pixels."""
    binned: bool
    """Whether time bins are made."""


def total(stack: Stack, frames: FrameNumbers) -> NDArray[Any]:
    """Give the sum of each frame's good values."""
    counts = frames.column("total")
    if stack.scale.counts:
        return counts.astype(np.uint64)
    return stack.scale.totals(counts, math.prod(stack.shape) - frames.column("bad"))


def largest(stack: Stack, frames: FrameNumbers) -> NDArray[Any]:
    """Give the largest of each frame's good values; 0 counts, or NaN, where there is none."""
    counts = frames.column("maximum")
    if stack.scale.counts:
        return counts.astype(np.uint32)
    none = frames.column("bad") == math.prod(stack.shape)
    return np.where(none, np.nan, stack.scale.values(counts))


def statistics_tree(
    found: Found, instrument: str | None, parameters: Mapping[str, Any], version: str
) -> NewTree:
    """Arrange what was found."""
    groups = [nexus.group("/entry", "NXentry", default="data")]
    arrays: list[NewArray] = []
    given = {**parameters, **found.groups.document}
    good, counts = found.stack.good, found.stack.scale.counts
    if counts:
        given |= {"lowest_good_counts": good.lowest, "highest_good_counts": good.highest}
        if good.saturation <= good.highest:
            given["saturation_counts"] = good.saturation
    elif good.saturation <= good.highest:
        given["saturation_counts"] = float(found.stack.scale.values(np.array(good.saturation)))
    parts = [
        _pixels(found),
        _frames(found),
        _flaws(found),
        _levels(found),
        nexus.process_group(
            "/entry/reduction", "statistics", version, "exact sums per pixel and per frame"
        ),
        nexus.parameters_group("/entry/reduction/input", given),
    ]
    if found.stack.regions:
        parts.append(_regions(found))
    if found.binned:
        parts.append(([nexus.group("/entry/time_bins", "NXdata", signal="frames")], []))
    if instrument:
        name = nexus.scalar("/entry/instrument/name", instrument)
        parts.append(([nexus.group("/entry/instrument", "NXinstrument")], [name]))
    for more_groups, more_arrays in parts:
        groups += more_groups
        arrays += more_arrays
    roles = {
        "pixel_mask": f"{_FLAWS}/pixel_mask",
        "mean_image": f"{_DATA}/mean",
        "sum_image": f"{_DATA}/sum",
        "frame_total": f"{_FRAMES}/total",
    }
    if found.binned:
        roles["frames"] = TIME_BINS
    return NewTree(tuple(groups), tuple(arrays), roles)


def _pixels(found: Found) -> Part:
    drawn, stack = found.pictures, found.stack
    squared = None if stack.units is None else f"{stack.units}^2"
    pictures: dict[str, tuple[NDArray[Any], str | None]] = {
        "mean": (drawn.moments.mean, stack.units),
        "variance": (drawn.moments.variance, squared),
        "n": (drawn.moments.n, "frames"),
        "sum": (drawn.sum, stack.units),
        "sum_of_squares": (drawn.squares, squared),
    }
    if drawn.squares_high is not None and drawn.squares_high.any():
        pictures["sum_of_squares_high"] = (drawn.squares_high, "18446744073709551616 counts^2")
    pictures |= {
        "minimum": (drawn.minimum, stack.units),
        "maximum": (drawn.maximum, stack.units),
        "saturated": (drawn.saturated, "frames"),
    }
    group = nexus.group(_DATA, "NXdata", signal="mean", axes=list(_IMAGE), interpretation="image")
    return [group], [
        nexus.array(f"{_DATA}/{name}", _picture(values, stack.shape), _IMAGE, units)
        for name, (values, units) in pictures.items()
    ]


def _frames(found: Found) -> Part:
    frames, stack = found.frames, found.stack
    columns: dict[str, tuple[NDArray[Any], str | None]] = {
        "total": (total(stack, frames), stack.units),
        "maximum": (largest(stack, frames), stack.units),
        "bad": (frames.column("bad").astype(np.uint32), "pixels"),
        "zero": (frames.column("zero").astype(np.uint32), "pixels"),
        "saturated": (frames.column("saturated").astype(np.uint32), "pixels"),
    }
    if not stack.scale.counts:  # nothing is exactly 0 of what is measured in parts
        del columns["zero"]
    group = nexus.group(_FRAMES, "NXdata", signal="total", axes=["frame_number"])
    number = nexus.array(
        f"{_FRAMES}/frame_number",
        frames.frame,
        ("frame_number",),
        long_name="number of the frame in the stack, from 0",
    )
    return [group], [
        number,
        *(
            nexus.array(f"{_FRAMES}/{name}", values, ("frame_number",), units)
            for name, (values, units) in columns.items()
        ),
    ]


def _flaws(found: Found) -> Part:
    shape, judgement = found.stack.shape, found.judgement
    arrays = [
        nexus.array(
            f"{_FLAWS}/pixel_mask",
            _picture(judgement.mask, shape),
            _IMAGE,
            long_name="0 is good; bits as in NXdetector: 1 dead, 3 over responding, 4 noisy",
        ),
        *(
            nexus.array(f"{_FLAWS}/{flaw.name.lower()}", _picture(where, shape), _IMAGE)
            for flaw, where in judgement.where.items()
            if flaw.name
        ),
        nexus.array(f"{_FLAWS}/group", found.groups.labels, _IMAGE),
    ]
    units = {**dict.fromkeys(("median", "spread", "mean_sum"), found.stack.units)}
    units["pixels"] = "pixels"
    arrays += [
        nexus.array(f"{_FLAWS}/group_{name}", values, ("group",), units.get(name))
        for name, values in judgement.table.items()
    ]
    group = nexus.group(_FLAWS, "NXcollection", compared_in=found.groups.kind)
    return [group], arrays


def _levels(found: Found) -> Part:
    """Lay pictures out like OME-NGFF's multiscales, sums of sums and the largest of the largest."""
    groups, arrays = [nexus.group(_PYRAMID, "NXcollection")], []
    for name in ("sum", "maximum"):
        levels = found.pictures.smaller[name][1:]
        where = f"{_PYRAMID}/{name}"
        groups.append(nexus.group(where, "NXcollection", multiscales=[_multiscales(name, levels)]))
        units = found.stack.units
        arrays += [
            nexus.array(f"{where}/{number}", level, (f"row_{number}", f"column_{number}"), units)
            for number, level in enumerate(levels, 1)
        ]
    return groups, arrays


def _multiscales(name: str, levels: list[NDArray[Any]]) -> dict[str, Any]:
    def dataset(path: str, scale: float) -> dict[str, Any]:
        return {
            "path": path,
            "coordinateTransformations": [
                {"type": "scale", "scale": [scale, scale]},
                # The middle of a joined pixel lies between those of the pixels that it joins.
                {"type": "translation", "translation": [(scale - 1) / 2] * 2},
            ],
        }

    return {
        "version": "0.4",
        "name": name,
        "type": "sum" if name == "sum" else "maximum",
        "axes": [{"name": axis, "type": "space", "unit": "pixel"} for axis in ("y", "x")],
        "datasets": [
            dataset(f"../../data/{name}", 1.0),
            *(dataset(str(number), 2.0**number) for number in range(1, len(levels) + 1)),
        ],
    }


def _regions(found: Found) -> Part:
    frames, regions, stack = found.frames, found.stack.regions, found.stack
    axes = ("frame_number", "region")
    sums: NDArray[Any] = frames.region_sums
    if not stack.scale.counts:
        sums = stack.scale.totals(sums, frames.region_counts)
    group = nexus.group(_REGIONS, "NXdata", signal="sum", axes=list(axes))
    return [group], [
        nexus.array(f"{_REGIONS}/sum", sums, axes, stack.units),
        nexus.array(f"{_REGIONS}/n", frames.region_counts, axes, "pixels"),
        nexus.array(f"{_REGIONS}/frame_number", frames.frame, ("frame_number",)),
        nexus.array(f"{_REGIONS}/region", np.array([one.name for one in regions]), ("region",)),
        nexus.array(f"{_REGIONS}/shape", np.array([one.said for one in regions]), ("region",)),
        nexus.array(
            f"{_REGIONS}/bounds",
            np.array([one.bounds(stack.shape) for one in regions], np.int64),
            ("region", "bound"),
            "pixel",
            long_name="first row, end of rows, first column, end of columns",
        ),
    ]


def _picture(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    return values.reshape(shape)
