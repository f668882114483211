"""What goes with the frames of hits, so that they can be reduced by themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions import nexus
from hsc.reductions.hits.finding import Search
from hsc.reductions.poni import GEOMETRY_ROLES
from hsc.reductions.sources import SourceDataset
from hsc.store import NewArray, NewGroup

BESIDE = ("cell_id", "image_id", "monitor")
"""Roles of arrays that have a value for each frame, beside pulses and trains."""

_DETECTOR, _BEAM, _SAMPLE = "/entry/instrument/detector", "/entry/instrument/beam", "/entry/sample"
_PLACES = {
    "wavelength": f"{_BEAM}/incident_wavelength",
    "saturation": f"{_DETECTOR}/saturation_value",
    "sample_name": f"{_SAMPLE}/name",
    "transmission": f"{_SAMPLE}/transmission",
    "concentration": f"{_SAMPLE}/concentration",
}
_NUMBERS = (*sorted(GEOMETRY_ROLES), "count_time", *sorted(set(_PLACES) - {"wavelength"}))
# How parameters end that have the unit of what they stand for.
_UNITS = {"_m": "m", "_rad": "rad", "_pixels": "pixel", "_counts": "counts", "": None}


def beside_hits(
    dataset: SourceDataset, search: Search, given: Mapping[str, Any], hits: NDArray[np.intp]
) -> tuple[list[NewGroup], list[NewArray], dict[str, str]]:
    """Give the geometry, mask and other numbers that frames of hits are reduced with.

    Parameters
    ----------
    dataset
        Whose frames they are.
    search
        What was searched; its rings leave out the pixels that the mask has to.
    given
        Numbers of the geometry that went before the dataset's own, by parameter.
    hits
        Numbers of the frames that are hits.

    Returns
    -------
    groups, arrays, roles
        Of the derived tree.
    """
    arrays = {role: _found(dataset, role, given, hits) for role in _NUMBERS}
    if given.get("poni1_m") is not None:  # it says the same, and of a turned detector more
        arrays |= {"beam_center_x": None, "beam_center_y": None}
    kept = {role: one for role, one in arrays.items() if one is not None}
    shape = search.frames.shape[1:]
    names = ("module", "row", "column")[-len(shape) :]
    kept["pixel_mask"] = nexus.array(f"{_DETECTOR}/pixel_mask", _mask(dataset, search), names)
    for role in ("flatfield", "module"):
        if role in dataset.roles and dataset.role(role).shape in {shape, shape[:1]}:
            axes = names if dataset.role(role).shape == shape else names[:1]
            values = np.asarray(dataset.role(role).read())
            kept[role] = nexus.array(_place(role), values, axes)
    groups = [nexus.group(_DETECTOR, "NXdetector")]
    for where, nx_class in ((_BEAM, "NXbeam"), (_SAMPLE, "NXsample")):
        if any(one.path.startswith(where) for one in kept.values()):
            groups.append(nexus.group(where, nx_class))
    return groups, list(kept.values()), {role: one.path for role, one in kept.items()}


def _found(
    dataset: SourceDataset, role: str, given: Mapping[str, Any], hits: NDArray[np.intp]
) -> NewArray | None:
    """Give a number that was given, else the dataset's own with its unit, or that of each hit."""
    for end, units in _UNITS.items():
        if given.get(f"{role}{end}") is not None:
            return nexus.scalar(_place(role), given[f"{role}{end}"], units)
    if role not in dataset.roles:
        return None
    array = dataset.role(role)
    said = array.attributes.get("units")
    units = None if said is None else str(said)
    if math.prod(array.shape) == 1:
        return nexus.scalar(_place(role), array.scalar(), units)
    values = np.asarray(array.read()).reshape(-1)
    if values.dtype.kind not in "uif" or not values.size:
        return None
    if (values == values[0]).all():  # reductions take it as one number
        return nexus.scalar(_place(role), values[0].item(), units)
    frames = dataset.role("frames").shape[0]
    return (
        nexus.array(_place(role), values[hits], ("hit",), units) if len(values) == frames else None
    )


def _place(role: str) -> str:
    return _PLACES.get(role, f"{_DETECTOR}/{role}")


def _mask(dataset: SourceDataset, search: Search) -> NDArray[np.uint32]:
    """Give the dataset's own mask, with what was left out beside it as bit 0."""
    shape, rings = search.frames.shape[1:], search.rings.rings
    left_out = (rings.labels == rings.count).reshape(shape)
    mask = np.zeros(shape, np.uint32)
    if "pixel_mask" in dataset.roles:
        own = np.asarray(dataset.role("pixel_mask").read()).astype(np.int64)
        mask = (own & 0xFFFFFFFF).astype(np.uint32)
    # Of wider or negative numbers bits are lost, but never that there are any.
    mask[left_out & (mask == 0)] = 1
    return mask
