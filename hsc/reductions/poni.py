"""Collecting the geometry of a dataset: parameters, a calibration, its own metadata."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import Field

from hsc.errors import ParameterError, RoleMissingError
from hsc.model import Record
from hsc.reductions.base import SourceArray, SourceDataset
from hsc.reductions.geometry import Geometry, named_detector
from hsc.reductions.numbers import Kind, Sought, find_number, find_optional_number

GEOMETRY_ROLES = {
    *("distance", "wavelength", "poni1", "poni2", "rot1", "rot2", "rot3", "detector_name"),
    *("beam_center_x", "beam_center_y", "x_pixel_size", "y_pixel_size", "orientation"),
}
"""Roles of arrays that tell where a detector was."""
# Beyond these a number is in another unit: of X-rays and neutrons, and of halls that hold them.
_BEYOND_M = {"wavelength": 1e-6, "distance": 1000.0, "x_pixel_size": 1.0, "y_pixel_size": 1.0}
_PLAIN_DETECTORS = {"", "detector", "none"}


class GeometryParameters(Record):
    """Numbers of the geometry; each that is None is taken from the datasets' own metadata."""

    distance_m: float | None = Field(default=None, gt=0)
    """Sample to detector, along its normal, m."""
    wavelength_m: float | None = Field(default=None, gt=0)
    """Wavelength of the beam, m."""
    poni1_m: float | None = None
    """Point of normal incidence along the columns (slow axis), m; goes before a beam centre."""
    poni2_m: float | None = None
    """Point of normal incidence along the rows (fast axis), m."""
    rot1_rad: float | None = None
    """Rotation of the detector about the vertical axis, rad; unknown: 0."""
    rot2_rad: float | None = None
    """Rotation about the horizontal axis, rad; unknown: 0."""
    rot3_rad: float | None = None
    """Rotation about the beam, rad; unknown: 0."""
    beam_center_x_pixels: float | None = None
    """Beam centre along the rows (fast axis), pixels; the middle of the first pixel is 0.5."""
    beam_center_y_pixels: float | None = None
    """Beam centre along the columns (slow axis), pixels."""
    x_pixel_size_m: float | None = Field(default=None, gt=0)
    """Pixel size along the rows, m."""
    y_pixel_size_m: float | None = Field(default=None, gt=0)
    """Pixel size along the columns, m."""
    orientation: int | None = Field(default=None, ge=1, le=4)
    """Corner that the beam centre is counted from, as pyFAI numbers it; unknown: 3, the first."""
    detector_name: str | None = None
    """pyFAI's name of the detector, as in Eiger_4M: brings its pixel sizes and gaps."""


def geometry_of(
    dataset: SourceDataset,
    shape: tuple[int, int],
    given: GeometryParameters,
    calibration: SourceDataset | None = None,
) -> Geometry:
    """Collect the geometry of a dataset: parameters first, then a calibration, then its metadata.

    Beam centres (``beam_center_x``, ``beam_center_y`` of DECTRIS files among them) are counted in
    pixels from the outer corner of the first pixel, the convention of pyFAI and Fit2D. Where no
    point of normal incidence is known, it follows from where the direct beam would hit:
    poni1 = y · y_pixel_size - distance · tan(rot2) / cos(rot1) and
    poni2 = x · x_pixel_size + distance · tan(rot1).

    Raises
    ------
    RoleMissingError
        A number is in none of them.
    ParameterError
        A number is impossible, its unit is not understood, the detector is not known, the beam
        centre was never set, or the calibration is that of a detector of another shape.
    """
    _refuse_no_geometry(calibration)
    _refuse_another_detector(calibration, shape, given)
    search = _Search(dataset, given, calibration)
    orientation = search.orientation()
    name = search.detector_name()
    known = None if name is None else named_detector(name, orientation)
    x_size = known.pixel2 if known else search.positive("x_pixel_size", "m", "length")
    y_size = known.pixel1 if known else search.positive("y_pixel_size", "m", "length")
    distance_m = search.positive("distance", "m", "length")
    rot1, rot2, rot3 = (
        search.number(f"{name}_rad", name, "rad", "angle") or 0.0
        for name in ("rot1", "rot2", "rot3")
    )
    return Geometry(
        shape=shape,
        distance_m=distance_m,
        wavelength_m=search.positive("wavelength", "angstrom", "wavelength"),
        poni1_m=search.incidence(
            "poni1", "beam_center_y", y_size, -distance_m * math.tan(rot2) / math.cos(rot1)
        ),
        poni2_m=search.incidence("poni2", "beam_center_x", x_size, distance_m * math.tan(rot1)),
        x_pixel_size_m=x_size,
        y_pixel_size_m=y_size,
        rot1_rad=rot1,
        rot2_rad=rot2,
        rot3_rad=rot3,
        orientation=orientation,
        detector_name=name,
    )


def is_center_unset(dataset: SourceDataset) -> bool:
    """Tell whether a dataset's beam centre is (0, 0), as writers leave it where nobody set it.

    Detectors that nobody told where the beam is write 0 for both (DECTRIS's do). A beam through
    the outer corner of the first pixel, to the last digit, is far less likely.
    """
    roles = ("beam_center_x", "beam_center_y")
    return all(role in dataset.roles and _is_zero(dataset.role(role)) for role in roles)


def _is_zero(array: SourceArray) -> bool:
    """Tell whether an array has the number 0 alone, once or for each frame."""
    if math.prod(array.shape) == 1:
        return array.scalar() == 0
    return array.dtype.kind in "uif" and 0 not in array.shape and not array.read().any()


def _refuse_no_geometry(calibration: SourceDataset | None) -> None:
    """Refuse what was given as a geometry and says nothing of one: a mask, mostly."""
    if calibration is not None and not GEOMETRY_ROLES & set(calibration.roles):
        known = ", ".join(sorted(calibration.roles)) or "none"
        raise RoleMissingError(
            "the geometry given says nothing of where a detector was; its roles are: " + known,
            where=str(calibration.record.pid),
            next_step="give a PONI calibration, as in geometry=PID; masks are mask=PID",
        )


def _refuse_unset(dataset: SourceDataset, center: str) -> None:
    if is_center_unset(dataset):
        raise ParameterError(
            "the beam centre is (0, 0), which detectors write that nobody told where the beam is",
            where=f"{dataset.record.pid}, {dataset.role(center).path}",
            next_step="give it: -p beam_center_x_pixels=... -p beam_center_y_pixels=... (0 and 0 "
            "if it is right), or a PONI calibration as geometry=PID",
        )


def _refuse_another_detector(
    calibration: SourceDataset | None, shape: tuple[int, int], given: GeometryParameters
) -> None:
    """Refuse a geometry that says of how many pixels its detector is, where frames have others."""
    if (
        calibration is None
        or "detector_shape" not in calibration.roles
        or given.detector_name is not None  # said by the user, and held against the frames later
    ):
        return
    array = calibration.role("detector_shape")
    found = tuple(int(each) for each in array.read().reshape(-1))
    if found != shape:
        raise ParameterError(
            f"the geometry is that of a detector of the shape {found}; the frames have {shape}",
            where=f"{calibration.record.pid}, {array.path}",
            next_step="give the PONI calibration of this detector; of a part of one, or of binned "
            "pixels, its numbers as they are there: -p poni1_m=... -p poni2_m=... "
            "-p x_pixel_size_m=... (and without geometry=PID)",
        )


@dataclass(frozen=True, slots=True)
class _Search:
    """Where numbers of the geometry are looked for."""

    dataset: SourceDataset
    given: GeometryParameters
    calibration: SourceDataset | None

    def number(self, parameter: str, role: str, unit: str, kind: Kind) -> float | None:
        """Give the first that is there of parameter, calibration and own metadata."""
        places = (self.calibration, self.dataset)
        given = getattr(self.given, parameter)
        return find_optional_number(places, given, Sought(parameter, role, unit, kind))

    def positive(self, role: str, unit: str, kind: Kind) -> float:
        sought = Sought(f"{role}_m", role, unit, kind)
        given = getattr(self.given, sought.parameter)
        value = find_number((self.calibration, self.dataset), given, sought)
        if not 0 < value < _BEYOND_M.get(role, math.inf):
            raise ParameterError(
                f"{role}_m is {value!r}, which is impossible",
                where=f"{self.dataset.record.pid}, role {role}",
                next_step=f"give it, in m: -p {role}_m=...",
            )
        return value

    def incidence(self, role: str, center: str, pixel_m: float, offset_m: float) -> float:
        """Give a coordinate of the point of normal incidence, m, or find it from the beam's.

        Whatever of the two a place has goes before both in the next one. The offset is what lies
        between them on a turned detector.
        """
        point = Sought(f"{role}_m", role, "m", "length")
        middle = Sought(f"{center}_pixels", center, "pixel", "pixels", pixel_m)
        given_point = getattr(self.given, point.parameter)
        given_middle = getattr(self.given, middle.parameter)
        if given_point is not None:
            return float(given_point)
        if given_middle is not None:
            return float(given_middle) * pixel_m + offset_m
        for place in (self.calibration, self.dataset):
            found = find_optional_number((place,), None, point)
            if found is not None:
                return found
            found = find_optional_number((place,), None, middle)
            if found is not None and place is not None:
                _refuse_unset(place, center)
                return found * pixel_m + offset_m
        return find_number((self.calibration, self.dataset), None, middle) * pixel_m + offset_m

    def orientation(self) -> int:
        value = self.number("orientation", "orientation", "", "counts")
        if value is None:
            return 3
        if value not in {1.0, 2.0, 3.0, 4.0}:
            raise ParameterError(
                f"orientation is {value!r}, not one of 1, 2, 3 and 4",
                where=str(self.dataset.record.pid),
                next_step="give it: -p orientation=...",
            )
        return int(value)

    def detector_name(self) -> str | None:
        name = self.given.detector_name
        calibration = self.calibration
        if name is None and calibration is not None and "detector_name" in calibration.roles:
            name = str(calibration.role("detector_name").scalar())
        return None if name is None or name.lower() in _PLAIN_DETECTORS else name
