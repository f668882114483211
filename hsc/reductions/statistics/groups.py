"""Groups of pixels that should see about the same: rings around the beam, or square tiles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Groups:
    """Which group each pixel belongs to."""

    kind: str
    """``rings`` or ``tiles``."""
    labels: NDArray[np.int32]
    """(rows, columns): number of each pixel's group."""
    count: int
    """Number of groups."""
    document: dict[str, Any]
    """What decides them, as plain JSON values."""

    def each(self, used: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Go through the groups with pixels in use: number, and flat indices of those, ascending.

        Parameters
        ----------
        used
            (rows * columns,): which pixels are in use.
        """
        pixels = np.flatnonzero(used)
        labels = self.labels.reshape(-1)[pixels]
        if self.count <= np.iinfo(np.uint16).max:  # numpy sorts these in linear time
            labels = labels.astype(np.uint16)
        order = np.argsort(labels, kind="stable")
        bounds = np.searchsorted(labels[order], np.arange(self.count + 1))
        for number in range(self.count):
            if bounds[number] < bounds[number + 1]:
                yield number, pixels[order[bounds[number] : bounds[number + 1]]]


def rings(shape: tuple[int, int], x: float, y: float, width: float) -> Groups:
    """Make rings around a point.

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
    >>> rings((1, 5), x=0.5, y=0.5, width=2).labels.tolist()
    [[0, 0, 1, 1, 2]]
    """
    across = np.arange(shape[1]) + 0.5 - x
    down = np.arange(shape[0]) + 0.5 - y
    # Roots are exact to the last bit everywhere, which np.hypot is not.
    labels = (np.sqrt(down[:, None] ** 2 + across**2) // width).astype(np.int32)
    document = {
        "groups": "rings",
        "ring_center_x_pixels": x,
        "ring_center_y_pixels": y,
        "ring_width_pixels": width,
    }
    return Groups("rings", labels, int(labels.max(initial=-1)) + 1, document)


def tiles(shape: tuple[int, int], side: int) -> Groups:
    """Make square tiles.

    Examples
    --------
    >>> tiles((3, 4), 2).labels.tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]]
    """
    per_row = -(-shape[1] // side)
    down, across = np.arange(shape[0]) // side, np.arange(shape[1]) // side
    labels = (down[:, None] * per_row + across).astype(np.int32)
    document = {"groups": "tiles", "tile_pixels": side}
    return Groups("tiles", labels, int(labels.max(initial=-1)) + 1, document)
