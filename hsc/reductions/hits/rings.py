"""The map of rings that tasks take along: small on its way, whole where frames are searched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from blake3 import blake3
from numcodecs import Blosc
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import RingMap
from hsc.reductions.base import SourceDataset, array_for

_CODEC = Blosc("zstd", clevel=5, shuffle=Blosc.SHUFFLE)


@dataclass(frozen=True, eq=False)
class PackedRings:
    """A `RingMap`, packed on its way to another process: megabytes, and few different ones."""

    rings: RingMap
    """The map."""
    digest: str
    """BLAKE3 of the labels."""

    @cached_property
    def _packed(self) -> bytes:
        return bytes(_CODEC.encode(self.rings.labels))

    def __reduce__(self) -> tuple[Any, ...]:
        rings = self.rings
        return _unpacked, (self._packed, rings.labels.shape, rings.count, self.digest)


# Tasks that one process is given one after the other have the same.
@lru_cache(2)
def _unpacked(packed: bytes, shape: tuple[int, ...], count: int, digest: str) -> PackedRings:
    labels = np.frombuffer(_CODEC.decode(packed), np.int32).reshape(shape)
    return PackedRings(RingMap(labels, count), digest)


def pack_rings(labels: NDArray[np.int32], count: int) -> PackedRings:
    """Make a map of labels (panels, rows, columns) that travels with tasks.

    Examples
    --------
    >>> import pickle
    >>> there = pickle.loads(pickle.dumps(pack_rings(np.array([[[0, 1]]], np.int32), 2)))
    >>> there.rings.labels.tolist()
    [[[0, 1]]]
    """
    whole = np.ascontiguousarray(labels, np.int32)
    digest = blake3(whole.reshape(-1).view(np.uint8).data).hexdigest()
    return PackedRings(RingMap(whole, count), digest)


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
