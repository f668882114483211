"""Calibration pictures of a detector, by reference and by digest: masks, dark, flat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.model import canonical_json
from hsc.reductions.azimuthal.averaging import frames_of, mean_picture
from hsc.reductions.base import Input, Inputs, SourceArray, SourceDataset, array_for


@dataclass(frozen=True, slots=True)
class Mask:
    """A picture of bad pixels, by reference and by digest."""

    array: SourceArray
    """Where to read it: rows, columns; anything but 0 is bad."""
    digest: str
    """BLAKE3 of the picture as 0 and 1."""

    def read(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Give the bad pixels.

        Raises
        ------
        ReductionError
            It does not fit the frames, or has changed since the work was planned.
        """
        bad = _read_mask(self.array)
        _refuse_another(self.array.path, "mask", bad.shape, shape)
        if _mask_digest(bad) != self.digest:
            raise _changed(self.array.path, "mask")
        return bad


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of numbers, by reference and by digest."""

    array: SourceArray
    """Where to read it: rows, columns, or frames of them, whose mean is meant."""
    digest: str
    """BLAKE3 of the picture in float32."""
    name: str
    """What it is, for messages: dark, flat."""
    frames: int = 1
    """How many frames it is the mean of."""
    median: float = 1.0
    """Of its numbers above 0; NaN where there are none."""

    def read(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Give the numbers.

        Raises
        ------
        ReductionError
            It does not fit the frames, or has changed since the work was planned.
        """
        values = _read_numbers(self.array, self.name)
        _refuse_another(self.array.path, self.name, values.shape, shape)
        if _digest(values) != self.digest:
            raise _changed(self.array.path, self.name)
        return values


@dataclass(frozen=True, slots=True)
class Calibrations:
    """Calibration datasets that an integration was given."""

    masks: tuple[Mask, ...] = ()
    """Bad pixels, beside the dataset's own mask."""
    geometry: SourceDataset | None = None
    """Where the detector was, by a refinement."""
    dark: SourceDataset | None = None
    """What the detector counts without a beam."""
    flat: SourceDataset | None = None
    """How much each pixel counts of the same light."""


CALIBRATION_INPUTS = (
    Input("geometry", "where the detector was: a PONI calibration", required=False),
    Input("mask", "whose role pixel_mask excludes more pixels", required=False, many=True),
    Input("dark", "whose role dark, or mean of frames, is subtracted", required=False),
    Input("flat", "whose role flatfield, or mean of frames, divides", required=False),
)
"""The inputs that `calibrations_of` looks for, for any reduction that integrates."""


def calibrations_of(inputs: Inputs) -> Calibrations:
    """Give what the inputs ``mask`` (several), ``geometry``, ``dark`` and ``flat`` hold."""
    masks = tuple(
        mask_of(array_for(one, "pixel_mask", "is the mask given")) for one in inputs.every("mask")
    )
    return Calibrations(
        masks,
        geometry=inputs.optional("geometry"),
        dark=inputs.optional("dark"),
        flat=inputs.optional("flat"),
    )


def beside_frames(calibrations: Calibrations) -> tuple[str, ...]:
    """Tell of a flat or dark that is an array beside frames, which may have been meant.

    Detectors write the flat field that they divided by themselves beside the frames of any run.
    """
    said = []
    for name, role in (("flat", "flatfield"), ("dark", "dark")):
        given: SourceDataset | None = getattr(calibrations, name)
        if given is not None and {role, "frames"} <= given.roles.keys():
            said.append(
                f"the {name} given has frames, too: its array {given.roles[role]} was taken, not "
                f"their mean; save that as a picture (`hsc ingest --layout {role}`) if it is meant"
            )
    return tuple(said)


def mask_of(array: SourceArray) -> Mask:
    """Read a picture of bad pixels and refer to it.

    Raises
    ------
    ReductionError
        It is no picture of whole numbers or booleans, or was never written.
    """
    return Mask(array, _mask_digest(_read_mask(array)))


def picture_of(array: SourceArray, name: str) -> Picture:
    """Read a picture of numbers and refer to it.

    Raises
    ------
    ReductionError
        It is no picture of numbers, or was never written.
    """
    values = _read_numbers(array, name)
    above = values[np.isfinite(values) & (values > 0)]
    median = float(np.median(above)) if len(above) else math.nan
    return Picture(array, _digest(values), name, frames_of(array), median)


def _read_mask(array: SourceArray) -> NDArray[np.bool_]:
    _refuse_unwritten(array, "mask")  # it would read as zeros: every pixel is good
    picture = np.asarray(array.read())
    if picture.ndim != 2 or picture.dtype.kind not in "bui":
        raise ReductionError(
            f"a mask of shape {picture.shape} and type {picture.dtype}",
            where=array.path,
            next_step="give a picture of whole numbers: 0 is good, anything else is bad",
        )
    return np.asarray(picture != 0, dtype=np.bool_)


def _read_numbers(array: SourceArray, name: str) -> NDArray[np.float64]:
    _refuse_unwritten(array, name)
    return mean_picture(array, name)


def _refuse_unwritten(array: SourceArray, name: str) -> None:
    if array.unwritten():
        raise ReductionError(
            f"the {name} was never written, or only in part",
            where=array.path,
            next_step=f"give another one, as in {name}=PID, or ingest the whole run",
        )


def _refuse_another(path: str, name: str, found: tuple[int, ...], wanted: tuple[int, int]) -> None:
    if found != wanted:
        raise ReductionError(
            f"a {name} of shape {found} for frames of shape {wanted}",
            where=path,
            next_step=f"give a {name} with one value for each pixel of a frame",
        )


def _changed(path: str, name: str) -> ReductionError:
    return ReductionError(f"the {name} is not the one that the work was planned with", where=path)


def _mask_digest(bad: NDArray[np.bool_]) -> str:
    shape = canonical_json(list(bad.shape))
    return blake3(shape + np.packbits(bad).tobytes()).hexdigest()


def _digest(values: NDArray[np.float64]) -> str:
    shape = canonical_json(list(values.shape))
    with np.errstate(over="ignore"):
        single = values.astype("<f4")
    return blake3(shape + single.tobytes()).hexdigest()
