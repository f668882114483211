"""Selections: what ``dataset[...]`` asks for, as the box to read and what to take of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import SelectionError


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A part of a dataset."""

    start: tuple[int, ...]
    """First element of the box along each dimension."""
    stop: tuple[int, ...]
    """The one after the last."""
    inner: tuple[Any, ...]
    """What of the box is wanted along each dimension: a number, a slice, or an array of numbers."""
    mask: NDArray[np.bool_] | None = None
    """Which elements are wanted, of the whole shape; instead of ``inner``."""

    def of(self, box: NDArray[Any]) -> NDArray[Any]:
        """Take what is wanted of the box; elements' own dimensions follow."""
        if self.mask is not None:
            return box[self.mask]
        # From the last dimension on, for a number takes its dimension away.
        for axis in reversed(range(len(self.inner))):
            box = box[(*[slice(None)] * axis, self.inner[axis], ...)]
        return box


def select(key: tuple[Any, ...], shape: tuple[int, ...], where: str) -> Selection:
    """Read what was asked for, by h5py's rules.

    Raises
    ------
    SelectionError
        More dimensions than there are, a number outside, a step that is not positive, or two lists.
    """
    key = key[0] if len(key) == 1 and isinstance(key[0], tuple) else key
    only = key[0] if len(key) == 1 else None
    if isinstance(only, np.ndarray) and only.dtype == bool and only.shape == shape:
        return Selection(tuple(0 for _ in shape), shape, (), only)
    parts = _expanded(key, len(shape), where)
    if sum(not isinstance(part, slice | int | np.integer) for part in parts) > 1:
        raise SelectionError("only one list or mask can be used at a time", where=where)
    boxes = [_box(part, length, where) for part, length in zip(parts, shape, strict=True)]
    return Selection(
        tuple(low for low, _, _ in boxes),
        tuple(high for _, high, _ in boxes),
        tuple(inner for _, _, inner in boxes),
    )


def _expanded(key: tuple[Any, ...], ndim: int, where: str) -> list[Any]:
    at = [number for number, part in enumerate(key) if part is Ellipsis]
    named = len(key) - len(at)
    if len(at) > 1 or named > ndim:
        raise SelectionError(f"{named} dimensions are asked for, of {ndim}", where=where)
    first = at[0] if at else len(key)
    before, after = list(key[:first]), list(key[first + 1 :])
    return [*before, *[slice(None)] * (ndim - named), *after]


def _box(part: Any, length: int, where: str) -> tuple[int, int, Any]:
    """Give first, last and what is wanted between them along a dimension."""
    if isinstance(part, slice):
        start, stop, step = part.indices(length)
        if step < 1:
            raise SelectionError(f"the step {step} is not positive", where=where)
        return start, max(start, stop), slice(None, None, step)
    listed = np.asarray(part)
    if listed.dtype == bool:
        if listed.shape != (length,):
            raise SelectionError(f"a mask of shape {listed.shape} for {length} rows", where=where)
        listed = np.flatnonzero(listed)
    if listed.size and listed.dtype.kind not in "iu":
        raise SelectionError(f"{part!r} selects nothing", where=where)
    numbers = listed.astype(np.int64)
    numbers = np.where(numbers < 0, numbers + length, numbers)
    if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < length:
        raise SelectionError(f"{part!r} is outside of 0 to {length - 1}", where=where)
    if not numbers.size:
        return 0, 0, numbers
    low, high = int(numbers.min()), int(numbers.max()) + 1
    return low, high, int(numbers - low) if numbers.ndim == 0 else numbers - low
