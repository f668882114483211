"""The layout of PONI files: where a detector was, as pyFAI writes it (versions 1, 2, 2.1, 3)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import LayoutError, SourceTooLargeError
from hsc.hdf5 import FileState, Problem
from hsc.layouts.decoded import Decoded, DecodedArray, decoded_run, file_head
from hsc.layouts.poni_detector import PoniDetector, SaidDetector, poni_detector
from hsc.layouts.run import Facts, Run
from hsc.model import Quantity

_MOST_BYTES = 4 * 2**20
_NEWEST = 3.0
_DETECTOR = "/entry/instrument/detector"
_BEAM = "/entry/instrument/monochromator"
_GROUPS = {
    "/entry": {"NX_class": "NXentry"},
    "/entry/instrument": {"NX_class": "NXinstrument"},
    _DETECTOR: {"NX_class": "NXdetector"},
    _BEAM: {"NX_class": "NXmonochromator"},
}
_NUMBERS = {
    "distance": ("m", f"{_DETECTOR}/distance"),
    "poni1": ("m", f"{_DETECTOR}/poni1"),
    "poni2": ("m", f"{_DETECTOR}/poni2"),
    "rot1": ("rad", f"{_DETECTOR}/rot1"),
    "rot2": ("rad", f"{_DETECTOR}/rot2"),
    "rot3": ("rad", f"{_DETECTOR}/rot3"),
    "wavelength": ("m", f"{_BEAM}/wavelength"),
}
_NEEDED = ("distance", "poni1", "poni2")
_POSITIVE = ("distance", "wavelength")
# Beyond it no radiation that is diffracted has its wavelength: 1.0 was meant in angstrom.
_LONGEST_M = 1e-6
_LOOKS = (re.compile(rb"(?mi)^\s*poni1\s*:"), re.compile(rb"(?mi)^\s*dist(ance)?\s*:"))


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line says."""

    value: str
    number: int


class PoniLayout:
    """A PONI file."""

    name = "poni"

    def recognises(self, path: Path) -> bool:
        """Take text with lines for poni1 and for the distance."""
        head = file_head(path)
        return b"\0" not in head and all(look.search(head) for look in _LOOKS)

    def read(self, path: Path, time_zone: str) -> Run:
        """Read a geometry.

        Raises
        ------
        LayoutError
            A line is missing, or not as pyFAI writes it; naming it.
        """
        state = FileState(path)
        return decoded_run(path, self.name, state, _decoded(path), read_poni)


def read_poni(path: str, array: str) -> NDArray[Any]:
    """Read one of a PONI file's numbers again."""
    return next(each.values for each in _decoded(Path(path)).arrays if each.path == array)


def _decoded(path: Path) -> Decoded:
    lines = _lines(path)
    version = _version(path, lines)
    numbers = {role: _number(path, lines, role) for role in _NUMBERS}
    detector, problems = poni_detector(_said(path, lines, version), path)
    arrays, roles = [], {}
    for role, value in numbers.items():
        if value is not None:
            units, place = _NUMBERS[role]
            arrays.append(DecodedArray(place, np.array(value, np.float64), {"units": units}))
            roles[role] = place
    for role, values, attributes in _of_detector(detector):
        arrays.append(DecodedArray(f"{_DETECTOR}/{role}", values, attributes))
        roles[role] = f"{_DETECTOR}/{role}"
    if "parallax" in lines and lines["parallax"].value.lower() == "true":
        why = f"line {lines['parallax'].number}: the geometry is meant with a parallax correction"
        problems = (*problems, Problem(f"{_DETECTOR}@parallax", f"{why}, which hsc does not make"))
    return Decoded(
        arrays, roles, groups=_GROUPS, facts=_facts(numbers, detector), problems=problems
    )


def _of_detector(
    detector: PoniDetector,
) -> list[tuple[str, NDArray[Any], Mapping[str, Any]]]:
    found: list[tuple[str, NDArray[Any], Mapping[str, Any]]] = [
        ("x_pixel_size", np.array(detector.x_pixel_size_m, np.float64), {"units": "m"}),
        ("y_pixel_size", np.array(detector.y_pixel_size_m, np.float64), {"units": "m"}),
        ("orientation", np.array(detector.orientation, np.int64), {}),
    ]
    if detector.shape is not None:
        found.append(("detector_shape", np.array(detector.shape, np.int64), {}))
    if detector.name is not None:
        found.append(("detector_name", np.array(detector.name, object), {}))
    return found


def _facts(numbers: Mapping[str, float | None], detector: PoniDetector) -> Facts:
    told = {"wavelength": numbers["wavelength"], "detector_distance": numbers["distance"]}
    found = {
        name: Quantity(value=value, unit="m") for name, value in told.items() if value is not None
    }
    metadata = {} if detector.name is None else {"detector": {"description": detector.name}}
    return Facts(quantities=found, metadata=metadata)


def _lines(path: Path) -> dict[str, _Line]:
    """Give the last line of each name: pyFAI appends to a file, and the last one counts."""
    if path.stat().st_size > _MOST_BYTES:
        raise SourceTooLargeError(
            f"a PONI file of {path.stat().st_size} bytes", where=str(path), next_step="shorten it"
        )
    found: dict[str, _Line] = {}
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(path, 0, f"it is no UTF-8 text: {error.reason}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if ":" in line and not line.startswith("#"):
            name, value = line.split(":", 1)
            name = name.strip().lower()
            found["distance" if name == "dist" else name] = _Line(value.strip(), number)
    return found


def _version(path: Path, lines: Mapping[str, _Line]) -> float:
    line = lines.get("poni_version")
    try:
        version = float(line.value) if line else 1.0
    except ValueError:
        version = math.nan
    if line and not 1 <= version <= _NEWEST:
        raise _bad(path, line.number, f"version {line.value!r} of the PONI format is not known")
    return version


def _number(path: Path, lines: Mapping[str, _Line], role: str) -> float | None:
    line = lines.get(role)
    if line is None or line.value.lower() in ("none", ""):
        if role in _NEEDED:
            raise _bad(path, line.number if line else 0, f"it says no {role}")
        return None
    try:
        value = float(line.value)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (role in _POSITIVE and value <= 0):
        raise _bad(path, line.number, f"{role} is {line.value!r}, which is impossible")
    if role == "wavelength" and value > _LONGEST_M:
        raise _bad(path, line.number, f"wavelength is {line.value!r}, which is no length in m")
    return value


def _said(path: Path, lines: Mapping[str, _Line], version: float) -> SaidDetector:
    """Give what a file says of the detector, in whichever version."""
    config: dict[str, Any] = {}
    line = lines.get("detector_config")
    if line is not None:
        try:
            read = json.loads(line.value)
        except ValueError as error:
            raise _bad(path, line.number, f"detector_config is no JSON: {error}") from error
        if not isinstance(read, dict):
            raise _bad(path, line.number, "detector_config is no JSON object")
        config = {name: value for name, value in read.items() if value is not None}
    elif version >= 2:
        raise _bad(path, 0, f"version {version:g} of the format needs a line detector_config")
    else:
        for name, key in (("pixelsize1", "pixel1"), ("pixelsize2", "pixel2")):
            size = _number(path, lines, name)
            if size is not None:
                config[key] = size
        spline = lines.get("splinefile")
        if spline and spline.value.lower() not in ("none", ""):
            config["splineFile"] = spline.value
    named = lines.get("detector")
    number = line.number if line else named.number if named else 0
    return SaidDetector(named.value if named else "Detector", config, number)


def _bad(path: Path, number: int, what: str) -> LayoutError:
    return LayoutError(
        what,
        where=f"{path}, line {number}" if number else str(path),
        next_step="write the file with pyFAI (pyFAI-calib2, or AzimuthalIntegrator.save)",
    )
