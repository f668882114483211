"""Pixels that are compared with each other: rings around the beam, or tiles of modules."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions.base import SourceArray, SourceDataset, array_for
from hsc.reductions.numbers import Sought, find_optional_number


class RingParameters(Protocol):
    """How pixels are put together."""

    @property
    def ring_width_pixels(self) -> float:
        """Width of a ring."""
        ...

    @property
    def tile_pixels(self) -> int:
        """Side of a tile."""
        ...

    @property
    def beam_center_x_pixels(self) -> float | None:
        """Middle of the rings along the rows; None: as the dataset says."""
        ...

    @property
    def beam_center_y_pixels(self) -> float | None:
        """Middle of the rings along the columns; None: as the dataset says."""
        ...


def find_rings(
    dataset: SourceDataset,
    frames: SourceArray,
    mask: SourceDataset | None,
    parameters: RingParameters,
) -> tuple[NDArray[np.int32], int, dict[str, Any]]:
    """Give the ring of each pixel, how many rings there are, and what decided them.

    Returns
    -------
    labels, count, document
        (panels, rows, columns), masked pixels at ``count``; plain JSON values.

    Raises
    ------
    ReductionError
        A mask does not fit the frames.
    """
    shape = frames.shape[1:] if len(frames.shape) == 4 else (1, *frames.shape[1:])
    centre = _centre(dataset, parameters) if len(frames.shape) == 3 else None
    if centre is None:
        labels, document = _tiles(shape, parameters.tile_pixels)
    else:
        labels, document = _rings(shape, *centre, parameters.ring_width_pixels)
    count = int(labels.max()) + 1
    own = [dataset] if "pixel_mask" in dataset.roles else []
    for each in [*own, *([mask] if mask else [])]:
        labels[_bad(each, frames.shape[1:]).reshape(shape)] = count
    return labels, count, {**document, "rings_blake3": blake3(labels.tobytes()).hexdigest()}


def _centre(dataset: SourceDataset, parameters: RingParameters) -> tuple[float, float] | None:
    """Give the beam centre, x and y; None where it is not known."""
    found = []
    for axis in "xy":
        size = find_optional_number(
            dataset, None, Sought(f"{axis}_pixel_size_m", f"{axis}_pixel_size", "m", "length")
        )
        name = f"beam_center_{axis}"
        sought = Sought(f"{name}_pixels", name, "pixel", "pixels", size or math.nan)
        found.append(find_optional_number(dataset, getattr(parameters, f"{name}_pixels"), sought))
    x, y = found
    if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
        return None
    return x, y


def _rings(
    shape: tuple[int, ...], x: float, y: float, width: float
) -> tuple[NDArray[np.int32], dict[str, Any]]:
    across, down = np.arange(shape[2]) + 0.5 - x, np.arange(shape[1]) + 0.5 - y
    # Roots are exact to the last bit everywhere, which np.hypot is not.
    labels = (np.sqrt(down[:, None] ** 2 + across**2) // width).astype(np.int32)
    return labels[None], {
        "compared_in": "rings",
        "ring_center_x_pixels": x,
        "ring_center_y_pixels": y,
    }


def _tiles(shape: tuple[int, ...], side: int) -> tuple[NDArray[np.int32], dict[str, Any]]:
    panel, row, column = np.ogrid[: shape[0], : shape[1], : shape[2]]
    down, across = -(-shape[1] // side), -(-shape[2] // side)
    labels = (panel * down + row // side) * across + column // side
    return labels.astype(np.int32), {"compared_in": "tiles"}


def _bad(dataset: SourceDataset, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    array = array_for(dataset, "pixel_mask", "is the picture of bad pixels")
    picture = np.asarray(array.read())
    if picture.shape != shape or picture.dtype.kind not in "bui" or array.unwritten():
        raise ReductionError(
            f"a mask of shape {picture.shape} and type {picture.dtype} for frames of shape "
            f"{shape}, or one that was never written",
            where=f"{dataset.record.pid}, {array.path}",
            next_step="give a picture of whole numbers: 0 is good, anything else is bad",
        )
    return np.asarray(picture != 0)
