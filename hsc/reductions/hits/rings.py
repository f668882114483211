"""The map of rings that tasks take along: small on its way, whole where frames are searched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from blake3 import blake3
from numcodecs import Blosc
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import RingMap
from hsc.reductions.base import SourceDataset, array_for

_CODEC = Blosc("zstd", clevel=5, shuffle=Blosc.SHUFFLE)


@dataclass(frozen=True)
class PackedRings:
    """A `RingMap`, packed: megabytes of labels in few places, many of them the same."""

    packed: bytes
    """The labels, compressed."""
    shape: tuple[int, ...]
    """(panels, rows, columns)."""
    count: int
    """Number of rings."""
    digest: str
    """BLAKE3 of the labels."""

    def unpacked(self) -> RingMap:
        """Give the map; the last two are kept in a process."""
        return _unpacked(self)


@lru_cache(2)
def _unpacked(rings: PackedRings) -> RingMap:
    labels = np.frombuffer(_CODEC.decode(rings.packed), np.int32).reshape(rings.shape)
    return RingMap(labels, rings.count)


def pack_rings(labels: NDArray[np.int32], count: int) -> PackedRings:
    """Pack a map, to travel with tasks.

    Examples
    --------
    >>> pack_rings(np.array([[[0, 1]]], np.int32), 2).unpacked().labels.tolist()
    [[[0, 1]]]
    """
    whole = np.ascontiguousarray(labels, np.int32)
    digest = blake3(whole.tobytes()).hexdigest()
    return PackedRings(bytes(_CODEC.encode(whole)), whole.shape, count, digest)


def bad_pixels(dataset: SourceDataset, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Give the pixels that a dataset's mask marks.

    Raises
    ------
    RoleMissingError, ReductionError
        There is no mask, or none that fits the frames.
    """
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
