"""Hit finding: Bragg peaks of every frame, hit flags and rates, a virtual powder, hits only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import MOST_COUNTS, PeakRule
from hsc.model import Quantity
from hsc.reductions.base import (
    Input,
    Inputs,
    Outputs,
    Reduction,
    SourceArray,
    SourceDataset,
    array_for,
)
from hsc.reductions.hits.finding import MOST_FLOAT, Search, StackPeaks, find_stack, hits_stream
from hsc.reductions.hits.kept import BESIDE, beside_hits
from hsc.reductions.hits.rates import wilson
from hsc.reductions.hits.rings import PackedRings, bad_pixels, pack_rings
from hsc.reductions.hits.tree import fits_cxi, hits_tree
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.reductions.rings import RingParameters, find_groups
from hsc.workers import Progress, Workers

_VERSION = "4"
_ORDER = "pixel-order-f64/v1"
# The squares of so many values up to MOST_COUNTS are more than 63 bits.
_MOST_RING_PIXELS = 2**23


class HitsParameters(RingParameters):
    """What a peak is, what a hit is, and what is made of hits."""

    min_snr: float = Field(default=6.0, gt=0, le=1e6)
    """A peak's pixels are so many deviations above the mean of their ring, and its largest so many
    above its surroundings."""
    min_counts: float = Field(default=10.0, ge=0, le=MOST_COUNTS)
    """A peak's pixels are above it, whatever their ring is."""
    min_pixels: int = Field(default=2, ge=1, le=1_000_000)
    """A peak has at least so many pixels that touch."""
    max_pixels: int = Field(default=40, ge=1, le=1_000_000)
    """And at most so many."""
    min_peaks: int = Field(default=10, ge=1, le=1_000_000)
    """A frame with so many peaks is a hit."""
    cycles: int = Field(default=3, ge=2, le=10)
    """How often mean and spread of rings are taken, each time without what was far above them."""
    background_pixels: int = Field(default=3, ge=1, le=20)
    """How far a peak's surroundings reach beyond it."""
    least_ring_pixels: int = Field(default=20, ge=2, le=1_000_000)
    """Rings with fewer good pixels have no peaks."""
    ring_width_pixels: float = Field(default=1.0, ge=0.5, le=1e6)
    """Width of the rings around the beam centre; what the background changes within one counts as
    its spread, and hides peaks."""
    tile_pixels: int = Field(default=64, ge=4, le=100_000)
    """Side of the tiles that take the place of rings where the beam centre is not known."""
    saturation_counts: float | None = Field(default=None, gt=0)
    """Counts from which a pixel is saturated: counted so, and kept; None: as the dataset says."""
    hits_only_frames: bool = False
    """Write the frames of hits, as they are, into the derived dataset too."""


def reduce_hits(
    inputs: Inputs, parameters: HitsParameters, workers: Workers, progress: Progress
) -> Outputs:
    """Find the peaks of all frames; a frame with enough of them is a hit. Nothing is left out.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        There are no frames, some were never written, or a parameter is impossible.
    """
    dataset = inputs.one("sample")
    frames = array_for(dataset, "frames", "is the stack of pictures to search")
    _check(frames, f"{dataset.record.pid}, {frames.path}", "channel" in dataset.roles)
    _refuse_contradictions(parameters)
    rings, document, remarks = _rings(inputs, frames, parameters)
    search = Search(frames, rings, _rule(inputs, frames, parameters), parameters.min_peaks)
    found = find_stack(search, workers, progress)
    hits = np.flatnonzero(found.hit)
    keep = parameters.hits_only_frames and len(hits) > 0
    known = [role for role in ("pulse_id", "train_id") if role in dataset.roles]
    known += [role for role in BESIDE if keep and _for_each(dataset, role, len(found.hit))]
    beside = {role: _beside(dataset.role(role), len(found.hit)) for role in known}
    given = {**parameters.document(), **document}
    record = dataset.record
    made = _VERSION, _ORDER, record.instrument
    kept = beside_hits(dataset, search, given, hits) if keep else None
    return Outputs(
        tree=hits_tree(found, search, beside, given, made, kept),
        results={**_results(found, document), **({"warnings": remarks} if remarks else {})},
        quantities={"hit_rate": Quantity(value=float(found.hit.mean()), unit="")},
        title=f"{record.title}: {len(hits)} hits of {len(found.hit)} frames",
        technique=None,
        facts=document,
        streams=(hits_stream(frames, hits),) if keep else (),
    )


def _check(frames: SourceArray, where: str, channels: bool) -> None:
    kind, itemsize = frames.dtype.kind, frames.dtype.itemsize
    if channels and len(frames.shape) == 4:
        raise ReductionError(
            f"frames of shape {frames.shape}, which are channels of one detector and no modules: "
            "each would count the peaks of a crystal again",
            where=where,
            next_step="ingest a run of one channel without that dimension: (frames, rows, columns)",
        )
    if len(frames.shape) not in (3, 4) or not math.prod(frames.shape):
        raise ReductionError(
            f"frames of shape {frames.shape}; a stack (frames, rows, columns), or of modules "
            "(frames, modules, rows, columns), is needed",
            where=where,
        )
    if not ((kind in "ui" and itemsize <= 4) or (kind == "f" and itemsize == 4)):
        raise ReductionError(
            f"frames of type {frames.dtype}; counts of at most 32 bits, or float32, are needed",
            where=where,
        )
    if frames.unwritten():
        raise ReductionError(
            f"{len(frames.unwritten())} of {frames.shape[0]} frames were never written",
            where=where,
            next_step="ingest the whole run, and reduce that dataset",
        )


def _refuse_contradictions(parameters: HitsParameters) -> None:
    if parameters.max_pixels < parameters.min_pixels:
        raise ParameterError(
            f"max_pixels is {parameters.max_pixels}, which is below min_pixels "
            f"{parameters.min_pixels}: no group of pixels could be a peak",
            next_step="give a max_pixels that is at least min_pixels",
        )


def _rings(
    inputs: Inputs, frames: SourceArray, parameters: HitsParameters
) -> tuple[PackedRings, dict[str, Any], list[str]]:
    """Give the ring of each pixel, those that are left out in none; what decided it; remarks."""
    dataset, shape = inputs.one("sample"), frames.shape[1:]
    groups = find_groups(dataset, shape, parameters, inputs.optional("geometry"))
    labels = groups.labels
    own = [dataset] if "pixel_mask" in dataset.roles else []
    for each in [*own, *inputs.every("mask")]:
        labels[bad_pixels(each, shape)] = groups.count
    if groups.gaps is not None:
        labels[groups.gaps] = groups.count
    if (labels == groups.count).all():
        raise ReductionError("every pixel is masked", next_step="look at the masks")
    rings = pack_rings(labels.reshape(-1, *shape[-2:]), groups.count)
    largest = int(rings.rings.pixels.max())
    if frames.dtype.kind != "f" and largest >= _MOST_RING_PIXELS:
        raise ParameterError(
            f"{largest} pixels are compared in one of the {groups.kind}; sums of their squares are "
            f"exact for fewer than {_MOST_RING_PIXELS}",
            where=str(dataset.record.pid),
            next_step=f"give a smaller {'ring_width' if groups.kind == 'rings' else 'tile'}_pixels",
        )
    return rings, {**groups.document, "rings_blake3": rings.digest}, list(groups.remarks)


def _rule(inputs: Inputs, frames: SourceArray, parameters: HitsParameters) -> PeakRule:
    if frames.dtype.kind == "f":
        lowest, highest = -MOST_FLOAT, MOST_FLOAT
    else:
        # Negative counts, and the largest of an unsigned type, are detectors' marks.
        lowest = 0.0
        highest = float(np.iinfo(frames.dtype).max - (1 if frames.dtype.kind == "u" else 0))
    saturation = find_optional_number(
        inputs.one("sample"),
        parameters.saturation_counts,
        Sought("saturation_counts", "saturation", "counts", "counts"),
    )
    return PeakRule(
        lowest=lowest,
        highest=highest,
        saturation=math.inf if saturation is None else saturation,
        least_counts=parameters.min_counts,
        snr=parameters.min_snr,
        least_pixels=parameters.min_pixels,
        most_pixels=parameters.max_pixels,
        cycles=parameters.cycles,
        background_pixels=parameters.background_pixels,
        least_ring_pixels=parameters.least_ring_pixels,
    )


def _for_each(dataset: SourceDataset, role: str, frames: int) -> bool:
    return role in dataset.roles and math.prod(dataset.role(role).shape) == frames


def _beside(array: SourceArray, frames: int) -> NDArray[Any]:
    values = np.asarray(array.read()).reshape(-1)
    if len(values) != frames:
        raise ReductionError(
            f"{len(values)} values for {frames} frames: which belongs to which is not known",
            where=array.path,
            next_step="ingest a run in which each frame has one",
        )
    return values


def _results(found: StackPeaks, document: dict[str, Any]) -> dict[str, Any]:
    frames, hits = len(found.hit), int(found.hit.sum())
    low, high = wilson(np.array([hits]), np.array([frames]))
    return {
        "frames": frames,
        "hits": hits,
        "hit_rate": hits / frames,
        "hit_rate_low": float(low[0]),
        "hit_rate_high": float(high[0]),
        "peaks": int(found.counts.sum()),
        "compared_in": document["compared_in"],
        "cxi_peaks": fits_cxi(found),
    }


HITS = Reduction(
    name="hits",
    version=_VERSION,
    summary="Bragg peaks of every frame, hits and their rate, a virtual powder",
    inputs=(
        Input("sample", "frames of crystals"),
        Input("mask", "bad pixels beside those of the dataset", required=False, many=True),
        Input("geometry", "where the detector was: a PONI calibration", required=False),
    ),
    parameters=HitsParameters,
    function=reduce_hits,
    packages=("pyFAI", "numexpr"),
    order=_ORDER,
)
"""Frames of crystals to peaks and hits."""
