"""Selections of virtual datasets: regular hyperslabs, axis by axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

_ENDLESS = int(h5py.h5s.UNLIMITED)
# Elements along one axis that are gone through one by one.
_MOST_INDEXES = 2**26


@dataclass(frozen=True, slots=True)
class Axis:
    """What is selected along one axis: ``count`` blocks of ``block``, one each ``stride``."""

    start: int
    """First element."""
    stride: int
    """From the beginning of one block to that of the next."""
    count: int | None
    """How many blocks; None for without end."""
    block: int | None
    """Elements of a block; None for without end."""

    @property
    def endless(self) -> bool:
        """Whether it grows with the dataset."""
        return self.count is None or self.block is None

    @property
    def stop(self) -> int:
        """End of the last element, of an axis with an end."""
        return self.start + self.stride * ((self.count or 1) - 1) + (self.block or 0)

    def indexes(self, end: int) -> NDArray[np.int64]:
        """Give all selected elements before ``end``, ascending."""
        stop = end if self.endless else min(end, self.stop)
        if self.block is None:
            return np.arange(self.start, stop, dtype=np.int64)
        count = max(0, -(-(stop - self.start) // self.stride))
        count = count if self.count is None else min(count, self.count)
        if count * self.block > _MOST_INDEXES:
            raise ValueError(f"a selection of {count * self.block} elements along one axis")
        blocks = self.start + self.stride * np.arange(count, dtype=np.int64)
        found = (blocks[:, None] + np.arange(self.block, dtype=np.int64)).ravel()
        return found[found < stop]

    def first(self, number: int) -> NDArray[np.int64]:
        """Give the first ``number`` selected elements of an axis that may be without end."""
        if not self.endless:
            return self.indexes(self.stop)[:number]
        if self.block is None:
            return np.arange(self.start, self.start + number, dtype=np.int64)
        blocks = -(-number // self.block)
        return Axis(self.start, self.stride, blocks, self.block).indexes(_ENDLESS)[:number]

    def moved(self, number: int) -> Axis:
        """Give the block of this number alone, as a pattern of names maps it."""
        return Axis(self.start + self.stride * number, self.stride, 1, self.block)

    def document(self) -> list[int | None]:
        """Give start, stride, count and block as JSON."""
        return [self.start, self.stride, self.count, self.block]


def selected_axes(space: h5py.h5s.SpaceID, shape: Sequence[int]) -> tuple[Axis, ...] | None:
    """Give what a space selects along each axis; None when it is no regular hyperslab.

    Parameters
    ----------
    space
        The space.
    shape
        Shape of the dataset, for a space that selects all of it.
    """
    kind = space.get_select_type()
    if kind == h5py.h5s.SEL_ALL:
        return tuple(Axis(0, 1, 1, int(length)) for length in shape)
    if kind != h5py.h5s.SEL_HYPERSLABS or not space.is_regular_hyperslab():
        return None
    return tuple(
        Axis(int(start), int(stride), _end(count), _end(block))
        for start, stride, count, block in zip(*space.get_regular_hyperslab(), strict=True)
    )


def _end(length: Any) -> int | None:
    return None if int(length) % 2**64 == _ENDLESS % 2**64 else int(length)
