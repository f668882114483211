"""The detector that a PONI file means: by pyFAI's name with its configuration, or by its pixels."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsc.errors import DependencyMissingError, LayoutError
from hsc.hdf5 import Problem

_PATH = "/entry/instrument/detector@configuration"
_PLAIN = ("", "detector", "none")
_FIRST = 3
_LARGEST_M = 0.1  # tubes and scintillators are of centimetres; beyond, micrometres were meant
_UNDERSTOOD = ("pixel1", "pixel2", "max_shape", "orientation")


@dataclass(frozen=True, slots=True)
class SaidDetector:
    """What a PONI file says of the detector."""

    name: str
    """pyFAI's name; ``Detector`` for plain pixels."""
    config: Mapping[str, Any]
    """Its configuration, without what is null."""
    line: int
    """Where that stands; 0: nowhere."""


@dataclass(frozen=True, slots=True)
class PoniDetector:
    """A detector."""

    name: str | None
    """pyFAI's name, which brings its gaps and odd pixels; None: plain pixels."""
    x_pixel_size_m: float
    """Pixel size along the rows, m."""
    y_pixel_size_m: float
    """Pixel size along the columns, m."""
    shape: tuple[int, int] | None
    """Rows and columns; None where nobody says."""
    orientation: int
    """Corner that the point of normal incidence is counted from, 1 to 4."""


def poni_detector(said: SaidDetector, path: Path) -> tuple[PoniDetector, tuple[Problem, ...]]:
    """Give the detector, and what of its configuration can't be carried.

    Raises
    ------
    LayoutError
        Pixel sizes are missing or impossible, or pyFAI does not know the detector.
    DependencyMissingError
        pyFAI is not installed, and the file has a detector by name.
    """
    where = f"{path}, line {said.line}" if said.line else str(path)
    orientation = _orientation(said, where)
    sizes = _sizes(said, where)
    shape = _shape(said, where)
    problems = [
        Problem(_PATH, f"line {said.line}: {name} of the detector is {value!r}: {_why(name)}")
        for name, value in said.config.items()
        if name not in _UNDERSTOOD
    ]
    if said.name.lower() in _PLAIN:
        if sizes is None:
            raise _bad("it says no pixel sizes", where)
        return PoniDetector(None, sizes[1], sizes[0], shape, orientation), tuple(problems)
    known = _known(said.name, orientation, where)
    own = (float(known.pixel1), float(known.pixel2))
    full = tuple(map(int, known.max_shape))
    if (sizes or own) != own or (shape or full) != full:
        # Binned, or read out in part. Another detector of this name has the plain pixels only
        # where it has no gaps and no odd ones.
        if known.mask is not None or not known.uniform_pixel:
            what = f"{said.name} of pixels {sizes or own} m and shape {shape or full}"
            problems.append(
                Problem(_PATH, f"line {said.line}: {what}; pyFAI's own has {own} m and {full}")
            )
        rows, columns = sizes or own
        plain = PoniDetector(None, columns, rows, shape, orientation)
        return plain, tuple(problems)
    named = PoniDetector(type(known).__name__, own[1], own[0], (full[0], full[1]), orientation)
    return named, tuple(problems)


def _known(name: str, orientation: int, where: str) -> Any:
    # pyFAI warns that OpenCL is absent; nothing here would use it.
    logging.getLogger("silx.opencl").setLevel(logging.ERROR)
    try:
        # Of the facility's installation, and slow to import.
        from pyFAI.detectors import ALL_DETECTORS
    except ImportError as error:
        raise DependencyMissingError(
            f"the detector {name!r} is one of pyFAI's, which is not installed",
            where=where,
            next_step="install hanseatic-science-cloud[facility]",
        ) from error
    # By its table, never by `detector_factory`, which would open a file of that name.
    kind = ALL_DETECTORS.get(name.lower()) or ALL_DETECTORS.get(name.lower().replace(" ", "_"))
    if kind is None or getattr(kind, "MAX_SHAPE", None) is None:
        raise _bad(f"pyFAI knows no detector {name!r} of fixed shape", where)
    return kind(orientation=orientation)


def _orientation(said: SaidDetector, where: str) -> int:
    value = said.config.get("orientation", 0)
    if value not in (0, 1, 2, 3, 4):
        raise _bad(f"orientation is {value!r}, not one of 1, 2, 3 and 4", where)
    return int(value) or _FIRST  # pyFAI means the third where a file does not say


def _sizes(said: SaidDetector, where: str) -> tuple[float, float] | None:
    """Give the pixel sizes along columns and rows, m."""
    found = [said.config.get(name) for name in ("pixel1", "pixel2")]
    if found == [None, None]:
        return None
    try:
        first, second = (float(str(value)) for value in found)
    except ValueError:
        first = second = math.nan
    if not (min(first, second) > 0 and max(first, second) < _LARGEST_M):  # nor NaN
        raise _bad(f"pixel sizes are {found[0]!r} and {found[1]!r} m, which is impossible", where)
    return first, second


def _shape(said: SaidDetector, where: str) -> tuple[int, int] | None:
    value = said.config.get("max_shape")
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(n, int) and n > 0 for n in value)
    ):
        raise _bad(f"max_shape is {value!r}, not rows and columns", where)
    return value[0], value[1]


def _why(name: str) -> str:
    if "file" in name.lower():
        return "what is in another file is not read"
    return "it changes where pixels are, and hsc carries plain and pyFAI's own detectors only"


def _bad(what: str, where: str) -> LayoutError:
    return LayoutError(
        what,
        where=where,
        next_step="write the file with pyFAI (pyFAI-calib2, or AzimuthalIntegrator.save)",
    )
