"""The derived dataset of hit finding: peaks, also as CXI files have them, hits, rates, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import PEAK_NUMBERS
from hsc.reductions import nexus
from hsc.reductions.hits.finding import HIT_FRAMES, Search, StackPeaks
from hsc.reductions.hits.rates import rates_by
from hsc.store import NewArray, NewGroup, NewTree

_PEAKS, _HITS, _RATES, _PICTURES = "/entry/peaks", "/entry/hits", "/entry/rates", "/entry/data"
_CXI = "/entry/result_1"
_OF_CXI = ("x", "y", "total")
MOST_CXI_NUMBERS = 50_000_000
"""Hits times most peaks of one from which peaks are not written as CXI files have them."""
_RATED = ("pulse_id", "train_id")
# CXI's names (Coherent X-ray Imaging data bank) where it has them.
_NAMES = {
    "x": ("peakXPosRaw", "pixel", np.float64),
    "y": ("peakYPosRaw", "pixel", np.float64),
    "total": ("peakTotalIntensity", "counts", np.float64),
    "snr": ("peakSNR", None, np.float64),
    "pixels": ("peakNPixels", "pixels", np.int32),
    "maximum": ("peakMaximumValue", "counts", np.float64),
    "background": ("peakBackground", "counts", np.float64),
    "saturated": ("peakSaturatedPixels", "pixels", np.int32),
}
Part = tuple[list[NewGroup], list[NewArray]]
Beside = tuple[list[NewGroup], list[NewArray], dict[str, str]]


def hits_tree(
    found: StackPeaks,
    search: Search,
    beside: Mapping[str, NDArray[Any]],
    parameters: Mapping[str, Any],
    made: tuple[str, str, str | None],
    kept: Beside | None = None,
) -> NewTree:
    """Arrange what was found.

    Parameters
    ----------
    beside
        Numbers beside frames, by role: pulses, trains.
    made
        Version and order of the reduction, name of the instrument.
    kept
        What goes with the frames of hits; None: they are not kept.
    """
    version, order, instrument = made
    note = "connected pixels above their ring's background, judged by their surroundings"
    parts = [
        ([nexus.group("/entry", "NXentry", default="data")], []),
        _pictures(found, search),
        _peaks(found),
        *([_cxi(found)] if fits_cxi(found) else []),
        _hits(found, beside),
        *(_rates(role, beside[role], found.hit) for role in _RATED if role in beside),
        nexus.process_group("/entry/reduction", "hits", version, note, order),
        nexus.parameters_group("/entry/reduction/input", parameters),
    ]
    if instrument or kept:
        name = [nexus.scalar("/entry/instrument/name", instrument)] if instrument else []
        parts.append(([nexus.group("/entry/instrument", "NXinstrument")], name))
    roles = {
        "hits": f"{_HITS}/frame_number",
        "hit_flag": f"{_HITS}/hit",
        "powder": f"{_PICTURES}/powder",
    }
    if kept:
        parts.append(kept[:2])
        roles |= {"frames": HIT_FRAMES, **{role: f"{_HITS}/{role}" for role in beside}, **kept[2]}
    groups = tuple(group for more, _ in parts for group in more)
    return NewTree(groups, tuple(array for _, more in parts for array in more), roles)


def _pictures(found: StackPeaks, search: Search) -> Part:
    names = ("module", "row", "column")[-found.powder.ndim :]
    scale = {} if search.scale == 1 else {"scale_factor": 1 / search.scale}
    labels = search.rings.rings.labels.reshape(found.powder.shape)
    group = nexus.group(_PICTURES, "NXdata", signal="powder", axes=list(names))
    return [group], [
        nexus.array(f"{_PICTURES}/powder", found.powder, names, "counts",
                    long_name="sum of the pixels of peaks over the hits", **scale),
        nexus.array(f"{_PICTURES}/maximum", found.maximum, names, "counts",
                    long_name="largest value over the hits"),
        nexus.array(f"{_PICTURES}/ring", labels, names,
                    long_name="pixels that are compared; the largest number: left out"),
    ]  # fmt: skip


def _peaks(found: StackPeaks) -> Part:
    offsets = np.concatenate([[0], np.cumsum(found.counts)]).astype(np.int64)
    arrays = [
        nexus.array(f"{_PEAKS}/nPeaks", found.counts.astype(np.int32), ("frame_number",), "peaks"),
        nexus.array(
            f"{_PEAKS}/offsets", offsets, ("offset",),
            long_name="the peaks of frame i are [offsets[i], offsets[i + 1])",
        ),
    ]  # fmt: skip
    for column, key in enumerate(PEAK_NUMBERS):
        name, units, kind = _NAMES[key]
        values = np.ascontiguousarray(found.peaks[:, column], kind)
        arrays.append(nexus.array(f"{_PEAKS}/{name}", values, ("peak",), units))
    return [nexus.group(_PEAKS, "NXcollection")], arrays


def fits_cxi(found: StackPeaks) -> bool:
    """Tell whether the peaks of all hits fit in memory, each with room for the most of one."""
    counts = found.counts[found.hit]
    return len(counts) * int(counts.max(initial=0)) <= MOST_CXI_NUMBERS


def _cxi(found: StackPeaks) -> Part:
    """Arrange the peaks of hits as CXI files have them, each hit with room for the most of one."""
    counts = found.counts[found.hit]
    room = np.arange(counts.max(initial=0)) < counts[:, None]
    own = np.repeat(found.hit, found.counts)
    arrays = [nexus.array(f"{_CXI}/nPeaks", counts.astype(np.int32), ("hit",), "peaks")]
    for key in _OF_CXI:
        name, units, _ = _NAMES[key]
        values = np.zeros(room.shape, np.float32)
        values[room] = found.peaks[own, PEAK_NUMBERS.index(key)]
        arrays.append(nexus.array(f"{_CXI}/{name}", values, ("hit", "peak_of_hit"), units))
    return [nexus.group(_CXI, "NXcollection")], arrays


def _hits(found: StackPeaks, beside: Mapping[str, NDArray[Any]]) -> Part:
    hits = np.flatnonzero(found.hit).astype(np.int64)
    arrays = [
        nexus.array(f"{_HITS}/hit", found.hit, ("frame_number",)),
        nexus.array(
            f"{_HITS}/frame_number",
            hits,
            ("hit",),
            long_name="number of each hit's frame in the stack, from 0",
        ),
    ]
    for role, values in beside.items():
        arrays.append(nexus.array(f"{_HITS}/{role}", values[hits], ("hit",)))
    return [nexus.group(_HITS, "NXcollection")], arrays


def _rates(role: str, values: NDArray[Any], hit: NDArray[np.bool_]) -> Part:
    where, axis = f"{_RATES}/{role}", f"of_{role}"
    table = rates_by(values, hit)
    arrays = [nexus.array(f"{where}/{role}", table.pop("value"), (axis,))]
    arrays += [nexus.array(f"{where}/{name}", each, (axis,)) for name, each in table.items()]
    return [nexus.group(where, "NXdata", signal="rate", axes=[axis])], arrays
