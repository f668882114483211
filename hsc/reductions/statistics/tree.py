"""The derived dataset of the statistics: NXdata, a mask, pictures of many sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import Moments, squares_of
from hsc.reductions import nexus
from hsc.reductions.statistics.flaws import Flaw, Judgement
from hsc.reductions.statistics.groups import Groups
from hsc.reductions.statistics.pyramid import pyramid
from hsc.reductions.statistics.stack import Stack
from hsc.reductions.statistics.summing import BlockSums, FrameNumbers
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
    sums: BlockSums
    """What it adds up to."""
    moments: Moments
    """Mean and variance of each pixel."""
    mask: NDArray[np.uint32]
    """(rows, columns): pixels that were known to be bad; 0 is good."""
    groups: Groups
    """What was compared with what."""
    judgement: Judgement
    """What is wrong with pixels."""
    binned: bool
    """Whether time bins are made."""


def statistics_tree(found: Found, instrument: str | None, parameters: Mapping[str, Any]) -> NewTree:
    """Arrange what was found."""
    groups = [nexus.group("/entry", "NXentry", default="data")]
    arrays: list[NewArray] = []
    given = {**parameters, **found.groups.document}
    good = found.stack.good
    given |= {"lowest_good_counts": good.lowest, "highest_good_counts": good.highest}
    if good.saturation <= good.highest:
        given["saturation_counts"] = good.saturation
    parts = [
        _pixels(found),
        _frames(found.sums.frames),
        _flaws(found),
        _levels(found),
        nexus.process_group(
            "/entry/reduction", "statistics", "1", "exact sums per pixel and per frame"
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
    sums, shape = found.sums.pixels, found.stack.shape
    used = len(found.sums.frames.frame)
    low, high = squares_of(sums)
    pictures: dict[str, tuple[NDArray[Any], str]] = {
        "mean": (found.moments.mean, "counts"),
        "variance": (found.moments.variance, "counts^2"),
        "n": (np.uint32(used) - sums.missing, "frames"),
        "sum": (sums.sums, "counts"),
        "sum_of_squares": (low, "counts^2"),
        "minimum": (np.where(sums.missing < used, sums.minimum, 0), "counts"),
        "maximum": (sums.maximum, "counts"),
        "saturated": (sums.saturated, "frames"),
    }
    if high.any():
        pictures["sum_of_squares_high"] = (high, "18446744073709551616 counts^2")
    group = nexus.group(_DATA, "NXdata", signal="mean", axes=list(_IMAGE), interpretation="image")
    return [group], [
        nexus.array(f"{_DATA}/{name}", _picture(values, shape), _IMAGE, units)
        for name, (values, units) in pictures.items()
    ]


def _frames(frames: FrameNumbers) -> Part:
    columns: dict[str, tuple[NDArray[Any], str]] = {
        "total": (frames.column("total").astype(np.uint64), "counts"),
        "maximum": (frames.column("maximum").astype(np.uint32), "counts"),
        "bad": (frames.column("bad").astype(np.uint32), "pixels"),
        "zero": (frames.column("zero").astype(np.uint32), "pixels"),
        "saturated": (frames.column("saturated").astype(np.uint32), "pixels"),
    }
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
    flaws = _picture(found.judgement.flaws, found.stack.shape)
    arrays = [
        nexus.array(
            f"{_FLAWS}/pixel_mask",
            found.mask | flaws,
            _IMAGE,
            long_name="0 is good; bits as in NXdetector: 1 dead, 3 over responding, 4 noisy",
        ),
        *(
            nexus.array(f"{_FLAWS}/{flaw.name.lower()}", flaws & np.uint32(flaw) != 0, _IMAGE)
            for flaw in Flaw
            if flaw.name
        ),
        nexus.array(f"{_FLAWS}/group", found.groups.labels, _IMAGE),
    ]
    units = {"median": "counts", "spread": "counts", "mean_sum": "counts", "pixels": "pixels"}
    arrays += [
        nexus.array(f"{_FLAWS}/group_{name}", values, ("group",), units.get(name))
        for name, values in found.judgement.table.items()
    ]
    group = nexus.group(_FLAWS, "NXcollection", compared_in=found.groups.kind)
    return [group], arrays


def _levels(found: Found) -> Part:
    """Lay pictures out like OME-NGFF's multiscales, sums of sums and the largest of the largest."""
    groups, arrays = [nexus.group(_PYRAMID, "NXcollection")], []
    for name, how in (("sum", "sum"), ("maximum", "maximum")):
        values = getattr(found.sums.pixels, "sums" if name == "sum" else name)
        levels = pyramid(_picture(values, found.stack.shape), how)[1:]
        where = f"{_PYRAMID}/{name}"
        groups.append(nexus.group(where, "NXcollection", multiscales=[_multiscales(name, levels)]))
        arrays += [
            nexus.array(f"{where}/{number}", level, (f"row_{number}", f"column_{number}"), "counts")
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
    frames, regions = found.sums.frames, found.stack.regions
    axes = ("frame_number", "region")
    group = nexus.group(_REGIONS, "NXdata", signal="sum", axes=list(axes))
    return [group], [
        nexus.array(f"{_REGIONS}/sum", frames.region_sums, axes, "counts"),
        nexus.array(f"{_REGIONS}/n", frames.region_counts, axes, "pixels"),
        nexus.array(f"{_REGIONS}/frame_number", frames.frame, ("frame_number",)),
        nexus.array(f"{_REGIONS}/region", np.array([one.name for one in regions]), ("region",)),
        nexus.array(
            f"{_REGIONS}/bounds",
            np.array([[*one.rows, *one.columns] for one in regions]),
            ("region", "bound"),
            "pixel",
            long_name="first row, end of rows, first column, end of columns",
        ),
    ]


def _picture(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    return values.reshape(shape)
