"""Pixels that should see about the same: rings of equal q, circles about the beam, or tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError
from hsc.kernels import number_rings
from hsc.reductions.geometry import Geometry
from hsc.reductions.numbers import Sought, find_optional_number
from hsc.reductions.poni import GeometryParameters, geometry_of, is_center_unset
from hsc.reductions.pyfai import work_out
from hsc.reductions.sources import SourceDataset

_CENTRE = ("beam_center_x_pixels", "beam_center_y_pixels")
_UNSET = (
    "the beam centre is (0, 0) in the dataset, which detectors write that nobody told where the "
    "beam is: pixels are compared in tiles, where rings would be better; give it: "
    "-p beam_center_x_pixels=... -p beam_center_y_pixels=... (0 and 0 if it is right), or a PONI "
    "calibration as geometry=PID"
)
_TURNED = ("poni1", "poni2", "rot1", "rot2", "rot3")


class RingParameters(GeometryParameters):
    """How pixels are put together, beside the geometry."""

    ring_width_pixels: float = Field(default=8.0, ge=0.5, le=1e6)
    """Width of the rings in which pixels are compared; with a geometry at the beam centre."""
    tile_pixels: int = Field(default=64, ge=2, le=100_000)
    """Side of the tiles in which they are compared where the beam centre is not known."""


@dataclass(frozen=True, slots=True)
class PixelGroups:
    """Which group each pixel belongs to."""

    kind: str
    """``rings`` or ``tiles``."""
    labels: NDArray[np.int32]
    """(rows, columns) or (modules, rows, columns): number of each pixel's group."""
    count: int
    """Number of groups."""
    document: dict[str, Any]
    """What decides them, as plain JSON values."""
    gaps: NDArray[np.bool_] | None = None
    """Pixels that a detector known by name does not have; None: none is known."""
    remarks: tuple[str, ...] = ()
    """What people should know of how pixels are put together, in sentences."""


def find_groups(
    dataset: SourceDataset,
    shape: tuple[int, ...],
    parameters: RingParameters,
    calibration: SourceDataset | None = None,
) -> PixelGroups:
    """Put pixels into rings where it is known where the beam is, else into tiles.

    Rings of equal q are made with a calibration, and where parameters or the dataset say more of
    the geometry than where the beam hits: the whole geometry is needed then. Where that is all
    that is known, rings are circles.

    Parameters
    ----------
    dataset
        Whose frames they are.
    shape
        Of a frame: (rows, columns), or (modules, rows, columns), which makes tiles.
    parameters
        The geometry as far as it is given, and how large groups are.
    calibration
        A geometry (PONI).

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        A number is missing or impossible; a geometry is given for modules.
    """
    names = [
        name
        for name in GeometryParameters.model_fields
        if getattr(parameters, name) is not None and not name.endswith("_pixel_size_m")
    ]
    if len(shape) != 2:
        _refuse_modules(dataset, shape, names, calibration)
        return tiles(shape, parameters.tile_pixels)
    turned = any(role in dataset.roles for role in _TURNED)
    if calibration is not None or turned or set(names) - set(_CENTRE):
        geometry = geometry_of(dataset, (shape[0], shape[1]), parameters, calibration)
        return geometry_rings(geometry, parameters.ring_width_pixels)
    centre = _centre(dataset, parameters)
    if centre is None:
        remarks = (_UNSET,) if is_center_unset(dataset) else ()
        return replace(tiles(shape, parameters.tile_pixels), remarks=remarks)
    return circles((shape[0], shape[1]), *centre, parameters.ring_width_pixels)


def geometry_rings(geometry: Geometry, width_pixels: float) -> PixelGroups:
    """Make rings of equal width in q, whatever way the detector is turned.

    Parameters
    ----------
    geometry
        Where detector and beam are.
    width_pixels
        Of a ring, in pixels of a detector that stands upright at that distance, where the beam
        hits it: circles and these rings are the same there.

    Raises
    ------
    ParameterError, ReductionError
        pyFAI does not know the detector; the process that worked it out ended before it was done.
    """
    width = q_width_per_nm(geometry, width_pixels)
    doing = "working out the q of each pixel"
    labels, gaps = work_out(_ring_numbers, geometry, width, pixels=math.prod(geometry.shape),
                            subject=f"rings {geometry.shape}", doing=doing)  # fmt: skip
    found = {key: value for key, value in geometry.document().items() if key != "shape"}
    document = {
        "compared_in": "rings",
        **found,
        "beam_center_x_pixels": geometry.beam_center_x_pixels,
        "beam_center_y_pixels": geometry.beam_center_y_pixels,
        "ring_width_pixels": width_pixels,
        "ring_width_per_nm": width,
    }
    return PixelGroups("rings", labels, int(labels.max(initial=-1)) + 1, document, gaps)


def q_width_per_nm(geometry: Geometry, width_pixels: float) -> float:
    """Give how much of q so many pixels are at the beam centre of an upright detector, 1/nm."""
    pixel_m = math.sqrt(geometry.x_pixel_size_m * geometry.y_pixel_size_m)
    two_theta = math.atan2(width_pixels * pixel_m, geometry.distance_m)
    return 4 * math.pi / (geometry.wavelength_m * 1e9) * math.sin(two_theta / 2)


def circles(shape: tuple[int, int], x: float, y: float, width: float) -> PixelGroups:
    """Make rings around a point of a detector of square pixels that stands upright.

    Parameters
    ----------
    shape
        Rows and columns.
    x, y
        The point in pixels; the middle of the first pixel is 0.5.
    width
        Of a ring, pixels.

    Examples
    --------
    >>> circles((1, 5), x=0.5, y=0.5, width=2).labels.tolist()
    [[0, 0, 1, 1, 2]]
    """
    across = np.arange(shape[1], dtype=np.float64) + 0.5 - x
    down = np.arange(shape[0], dtype=np.float64) + 0.5 - y
    labels = number_rings(down, across, width)
    document = {
        "compared_in": "rings",
        "beam_center_x_pixels": x,
        "beam_center_y_pixels": y,
        "ring_width_pixels": width,
    }
    return PixelGroups("rings", labels, int(labels.max(initial=-1)) + 1, document)


def tiles(shape: tuple[int, ...], side: int) -> PixelGroups:
    """Make square tiles, of each module its own.

    Examples
    --------
    >>> tiles((3, 4), 2).labels.tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]]
    >>> tiles((2, 1, 2), 2).labels.tolist()
    [[[0, 0]], [[1, 1]]]
    """
    rows, columns = shape[-2:]
    per_column, per_row = -(-rows // side), -(-columns // side)
    down, across = np.arange(rows) // side, np.arange(columns) // side
    panels = np.arange(math.prod(shape[:-2]))[:, None, None]
    labels = (panels * per_column + down[:, None]) * per_row + across
    document = {"compared_in": "tiles", "tile_pixels": side}
    labels = labels.reshape(shape).astype(np.int32)
    return PixelGroups("tiles", labels, int(labels.max(initial=-1)) + 1, document)


def _ring_numbers(
    geometry: Geometry, width: float
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
    return _numbered(geometry.q_per_nm() // width), geometry.gaps()


def _numbered(rings: NDArray[np.float64]) -> NDArray[np.int32]:
    """Count from the innermost ring that there is: the beam may be far beside the detector."""
    return np.asarray((rings - rings.min(initial=np.inf)).astype(np.int32))


def _refuse_modules(
    dataset: SourceDataset,
    shape: tuple[int, ...],
    names: list[str],
    calibration: SourceDataset | None,
) -> None:
    if calibration is None and not names:
        return
    said = "a geometry is given" if calibration is not None else f"{names[0]} is given"
    raise ParameterError(
        f"{said}, which describes a detector of one panel; frames of {shape[0]} modules are "
        "compared in tiles of each module",
        where=str(dataset.record.pid),
        next_step="leave it out; tile_pixels is the size of the tiles",
    )


def _centre(dataset: SourceDataset, parameters: RingParameters) -> tuple[float, float] | None:
    """Give the beam centre, x and y; None where it is not known."""
    found: list[float | None] = []
    unset = is_center_unset(dataset)
    for axis in "xy":
        size = find_optional_number(
            dataset,
            getattr(parameters, f"{axis}_pixel_size_m"),
            Sought(f"{axis}_pixel_size_m", f"{axis}_pixel_size", "m", "length"),
        )
        name = f"beam_center_{axis}"
        sought = Sought(f"{name}_pixels", name, "pixel", "pixels", size or math.nan)
        given = getattr(parameters, f"{name}_pixels")
        if given is None and unset:
            found.append(None)
        else:
            found.append(find_optional_number(dataset, given, sought))
    x, y = (None if each is None or not math.isfinite(each) else each for each in found)
    if x is not None and y is not None:
        return x, y
    names = [name for name in _CENTRE if getattr(parameters, name) is not None]
    if names:
        (lacking,) = (name for name, each in zip(_CENTRE, (x, y), strict=True) if each is None)
        raise ParameterError(
            f"{names[0]} is {getattr(parameters, names[0])!r}, but {lacking} is neither given nor "
            f"in the dataset{', whose centre is (0, 0): nobody set it' if unset else ''}",
            where=str(dataset.record.pid),
            next_step=f"give it: -p {lacking}=...",
        )
    return None
