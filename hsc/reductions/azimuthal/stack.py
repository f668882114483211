"""A dataset's frames, ready to be integrated: found, checked, with all that decides the sums."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import ErrorModel
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.parameters import IntegrationParameters
from hsc.reductions.azimuthal.pictures import (
    Calibrations,
    Picture,
    beside_frames,
    mask_of,
    picture_of,
)
from hsc.reductions.azimuthal.scales import frame_scales
from hsc.reductions.azimuthal.slab import axis_reach, slab_limits
from hsc.reductions.base import SINGLE_PICTURES, SourceArray, SourceDataset, array_for
from hsc.reductions.contradictions import contradictions
from hsc.reductions.geometry import Geometry
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.reductions.poni import geometry_of

_NAMED_FRAMES = 5


@dataclass(frozen=True, slots=True)
class GoodCounts:
    """Range of counts that are believed, both included."""

    lowest: float
    """0 for integers unless asked otherwise: negative counts are detectors' marks."""
    highest: float
    """Below the saturation, and below the largest number of an unsigned type (also a mark)."""


@dataclass(frozen=True, slots=True)
class Summing:
    """How pixels are corrected and summed, beyond where they count."""

    model: ErrorModel = "poisson"
    """Where variances come from."""
    ratios: bool = False
    """Whether the mean of ratios is taken, not the ratio of sums."""
    dark_variance: bool = True
    """Whether the dark adds to Poisson variances."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A dataset's frames, ready to be integrated."""

    frames: SourceArray
    """Counts, shape (frames, rows, columns)."""
    binning: Binning
    """Where each pixel counts."""
    good: GoodCounts
    """Counts that are believed."""
    scales: NDArray[np.float32]
    """What each frame's normalisation is multiplied by, float32: its monitor."""
    summing: Summing = Summing()
    """How pixels are summed."""
    variances: SourceArray | None = None
    """Variance of each count, for the error model that takes them."""
    doubts: tuple[str, ...] = ()
    """What of the geometry the dataset contradicts, and what else may be meant, in sentences."""


def stack_of(
    dataset: SourceDataset,
    parameters: IntegrationParameters,
    calibrations: Calibrations | None = None,
    *,
    azimuthal_bins: int = 0,
) -> Stack:
    """Find frames, geometry, masks, corrections and limits of a dataset.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        Something that integration needs is missing, impossible, or no stack of counts; some
        frames were never written.
    """
    _refuse_unsteady(parameters, azimuthal_bins)
    given = calibrations or Calibrations()
    frames = _frames(dataset)
    shape = (frames.shape[1], frames.shape[2])
    geometry = geometry_of(dataset, shape, parameters, given.geometry)
    masks = given.masks
    if "pixel_mask" in dataset.roles:
        masks = (mask_of(dataset.role("pixel_mask")), *masks)
    low, high = _radial_range(geometry, parameters)
    flat = _picture(given.flat, dataset, "flat", "flatfield")
    dark = _picture(given.dark, dataset, "dark", "dark")
    binning = Binning(
        geometry=geometry,
        bins=parameters.bins,
        radial_min=low,
        radial_max=high,
        radial_unit=parameters.radial_unit,
        azimuthal_bins=azimuthal_bins,
        chi_deg=parameters.azimuth(),
        splitting=parameters.splitting,
        solid_angle=parameters.solid_angle,
        polarization_factor=parameters.polarization_factor,
        polarization_axis_rad=math.radians(parameters.polarization_axis_deg),
        masks=masks,
        flat=flat,
        dark=dark,
        slab=slab_limits(parameters, azimuthal_bins),
        dark_scale=1.0 if dark is None else _dark_scale(dataset, given, parameters),
    )
    model = parameters.error_model
    if model == "poisson" and parameters.dark_variance:
        _refuse_negative(binning, given.dark)
    ratios = parameters.normalization == "mean_of_ratios"
    return Stack(
        frames,
        binning,
        _good_counts(dataset, frames, parameters),
        frame_scales(dataset, frames.shape[0], parameters),
        Summing(model, ratios, dark is not None and parameters.dark_variance),
        _variances(dataset, frames) if model == "variance" else None,
        contradictions(dataset, geometry, parameters, given.geometry) + beside_frames(given),
    )


def stack_facts(stack: Stack) -> dict[str, Any]:
    """Give what was found in the dataset and decides the result, for the NXparameters group."""
    binning = stack.binning
    found = {**binning.document(), **binning.geometry.document()}
    found["masks_blake3"] = " ".join(mask.digest for mask in binning.masks)
    for name, picture in (("flat", binning.flat), ("dark", binning.dark)):
        found[f"{name}_blake3"] = None if picture is None else picture.digest
        found[f"{name}_frames"] = None if picture is None else picture.frames
        found.pop(name)
    if binning.azimuth is not None:
        found["chi_min_deg"], found["chi_max_deg"] = binning.azimuth
    if binning.slab is not None:
        found["slab_min"], found["slab_max"] = binning.slab
        found.pop("slab")
    found["beam_center_x_pixels"] = binning.geometry.beam_center_x_pixels
    found["beam_center_y_pixels"] = binning.geometry.beam_center_y_pixels
    found["binning_blake3"] = binning.key()
    found["lowest_good_counts"] = stack.good.lowest
    found["highest_good_counts"] = stack.good.highest
    found["error_model"] = stack.summing.model
    found["normalization"] = "mean of ratios" if stack.summing.ratios else "ratio of sums"
    return found


def _frames(dataset: SourceDataset) -> SourceArray:
    frames = array_for(dataset, "frames", "is the stack of pictures to integrate")
    where = f"{dataset.record.pid}, {frames.path}"
    if len(frames.shape) != 3 or 0 in frames.shape:
        raise ReductionError(
            f"frames of shape {frames.shape}; a stack (frames, rows, columns) is needed",
            where=where,
            next_step=SINGLE_PICTURES,
        )
    whole = frames.dtype.kind in "ui" and frames.dtype.itemsize <= 4
    if not whole and frames.dtype.newbyteorder("=") not in {np.dtype("f4"), np.dtype("f8")}:
        raise ReductionError(
            f"frames of type {frames.dtype}; counts of at most 32 bits, or floating-point numbers "
            "of 32 or 64 bits, are needed",
            where=where,
        )
    _refuse_unwritten(frames, where, "frames")
    return frames


def _refuse_unsteady(parameters: IntegrationParameters, azimuthal_bins: int) -> None:
    """Refuse what pyFAI does not work out the same twice.

    Its table of areas in two dimensions (FullSplitCSR_2d, seen in 2026.9.0) puts single pixels
    into other bins from one time to the next, or makes them NaN: memory is read that was not set.
    Its histogram is NaN in the bins of the pixel that the beam hits, so that none is a judge.
    """
    if azimuthal_bins and parameters.splitting == "full":
        raise ParameterError(
            "splitting is 'full' for a cake: pyFAI's table of it is not the same each time, and "
            "NaN around the beam",
            next_step="give -p splitting=bbox, by bounding box, or -p splitting=no, whole pixels; "
            "full is there for curves",
        )


def _refuse_unwritten(frames: SourceArray, where: str, name: str) -> None:
    unwritten = frames.unwritten()
    if unwritten:
        named = ", ".join(str(row + 1) for row in unwritten[:_NAMED_FRAMES])
        more = len(unwritten) - _NAMED_FRAMES
        raise ReductionError(
            f"{len(unwritten)} of {frames.shape[0]} {name} were never written, by number "
            f"{named}{f' and {more} more' if more > 0 else ''}; a frame that was never written "
            "is no frame of zeros",
            where=where,
            next_step="ingest the whole run, and reduce that dataset",
        )


def _radial_range(geometry: Geometry, parameters: IntegrationParameters) -> tuple[float, float]:
    low, high = parameters.radial_range()
    if low is None or high is None:
        least, largest = axis_reach(geometry, parameters.radial_unit)
        low, high = least if low is None else low, largest if high is None else high
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        raise ParameterError(
            f"the radial range begins at {low!r}, which is not below its end {high!r} "
            f"({parameters.radial_unit})",
            next_step="give a range that the detector sees: -p radial_min=... -p radial_max=...",
        )
    return low, high


def _picture(
    given: SourceDataset | None, dataset: SourceDataset, name: str, role: str
) -> Picture | None:
    if given is None:
        return None
    if role not in given.roles and "frames" in given.roles:
        role = "frames"  # a run without a beam, or of a flat
        if given.record.pid == dataset.record.pid:
            raise ParameterError(
                f"{given.record.pid} is to be integrated, and is its own {name!r}: the mean of "
                f"its frames would {'be subtracted from' if name == 'dark' else 'divide'} them, "
                "and nothing would be left of what they show",
                next_step=f"give another run as {name}=PID, or none",
            )
    return picture_of(array_for(given, role, f"is the {name} given"), name)


def _refuse_negative(binning: Binning, given: SourceDataset | None) -> None:
    """Refuse a dark that has no Poisson variance: √ of a negative sum is no error."""
    shape, dark = binning.geometry.shape, binning.dark
    if dark is None or given is None:
        return
    negative = dark.read(shape) < 0
    for mask in binning.masks if negative.any() else ():
        negative &= ~mask.read(shape)
    gaps = binning.geometry.gaps() if negative.any() else None
    negative = negative if gaps is None else negative & ~gaps
    places = np.argwhere(negative)
    if len(places):
        row, column = places[0]
        raise ReductionError(
            f"the dark is below zero at {len(places)} pixels that count, first in row {row}, "
            f"column {column} (counted from 0): no variance follows from that",
            where=f"{given.record.pid}, {dark.array.path}",
            next_step="leave the dark out of the errors, -p dark_variance=false, or give a dark of "
            "counts",
        )


def _dark_scale(
    dataset: SourceDataset, given: Calibrations, parameters: IntegrationParameters
) -> float:
    """Give the ratio of exposures, frames to dark; 1 where the dark's is not known."""
    if parameters.dark_scale is not None:
        return parameters.dark_scale
    exposures = [
        None if one is None else find_optional_number(one, None, sought)
        for one in (dataset, given.dark)
        for sought in [Sought("dark_scale", "count_time", "s", "time")]
    ]
    frame_s, dark_s = exposures
    if dark_s is None:
        return 1.0
    if frame_s is None or not (frame_s > 0 and dark_s > 0):
        raise ParameterError(
            f"the dark was exposed for {dark_s!r} s, the frames for "
            f"{'an unknown time' if frame_s is None else f'{frame_s!r} s'}",
            where=str(dataset.record.pid),
            next_step="give the ratio of exposures, frames to dark: -p dark_scale=...",
        )
    return frame_s / dark_s


def _good_counts(
    dataset: SourceDataset, frames: SourceArray, parameters: IntegrationParameters
) -> GoodCounts:
    lowest: float
    highest: float
    if frames.dtype.kind == "f":
        limits = np.finfo(np.float64)
        lowest, highest = float(limits.min), float(limits.max)
    else:
        lowest = 0
        highest = int(np.iinfo(frames.dtype).max) - (1 if frames.dtype.kind == "u" else 0)
    if parameters.lowest_counts is not None:
        lowest = parameters.lowest_counts
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
        below = math.nextafter(saturation, -math.inf)
        highest = min(highest, below if frames.dtype.kind == "f" else math.ceil(saturation) - 1)
    if frames.dtype.kind != "f":
        # No count is beyond the type; kernels take limits as integers of 64 bits.
        bounds = np.iinfo(frames.dtype)
        lowest = math.ceil(min(max(lowest, int(bounds.min)), int(bounds.max) + 1))
    return GoodCounts(lowest, highest)


def _variances(dataset: SourceDataset, frames: SourceArray) -> SourceArray:
    variances = array_for(dataset, "variance", "is what the error model takes")
    if variances.shape != frames.shape or variances.dtype.kind not in "uif":
        raise ReductionError(
            f"variances of shape {variances.shape} and type {variances.dtype} for frames of shape "
            f"{frames.shape}",
            where=f"{dataset.record.pid}, {variances.path}",
        )
    _refuse_unwritten(variances, f"{dataset.record.pid}, {variances.path}", "variances")
    return variances
