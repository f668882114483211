"""Lazy arrays: dask arrays whose blocks are whole inner chunks and never cross a shard."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from hsc.reading.array import OpenedArray
from hsc.reading.regions import Gaps

_BLOCK_BYTES = 128 * 10**6
# Text and other objects: a guess, for blocks of them have no size before they are read.
_OBJECT_BYTES = 64
# What is no larger is read as a whole, also when a part is asked for: a request takes as long.
_WHOLE_BYTES = 256 * 10**3


def lazy_array(array: OpenedArray, name: str | None = None, *, gaps: Gaps = "raise") -> da.Array:
    """Give an array lazily, in blocks of whole inner chunks that never cross a shard.

    Parameters
    ----------
    array
        The array.
    name
        Name of dask's keys: one for the same content, so that dask reads it once; None: a new one.
    gaps
        What gaps read as: an error, or the fill value.
    """
    return _lazy(_Region(array, gaps), _blocks(array), name)


def lazy_gaps(array: OpenedArray, name: str | None = None) -> da.Array:
    """Give lazily which elements of an array lie in gaps, boolean, in the array's blocks."""
    return _lazy(_GapRegion(array, "mask"), _blocks(array), name)


def _lazy(region: _Region, blocks: tuple[tuple[int, ...], ...], name: str | None) -> da.Array:
    meta = np.empty((0,) * region.ndim, region.dtype)
    nbytes = math.prod(region.shape) * region.dtype.itemsize
    if name is None or math.prod(map(len, blocks)) > 1 or nbytes > _WHOLE_BYTES:
        lazy: da.Array = da.from_array(
            region, chunks=blocks, asarray=False, name=name or False, meta=meta
        )
        return lazy
    # Most arrays are small. `from_array` takes ten times as long, which thousands make felt; but it
    # lets dask hand a slice down to the block, so that a frame is read and not the stack.
    key = (name, *[0] * len(blocks))
    return da.Array({key: (_whole, region)}, name, blocks, meta=meta)


def _whole(region: _Region) -> NDArray[Any]:
    return region[...]


def _blocks(array: OpenedArray) -> tuple[tuple[int, ...], ...]:
    """Give how long the blocks are along each dimension."""
    itemsize = _OBJECT_BYTES if array.dtype == object else array.dtype.itemsize
    steps = [
        min(shard, -(-max(1, length) // chunk) * chunk)
        for shard, chunk, length in zip(array.shards, array.chunks, array.shape, strict=True)
    ]
    for axis, chunk in enumerate(array.chunks):
        rest = math.prod(steps) // steps[axis] * itemsize * chunk
        steps[axis] = min(steps[axis], chunk * max(1, _BLOCK_BYTES // rest))
    return tuple(
        tuple(_lengths(length, shard, step))
        for length, shard, step in zip(array.shape, array.shards, steps, strict=True)
    )


def _lengths(length: int, shard: int, step: int) -> Iterator[int]:
    if not length:
        yield 0
    for start in range(0, length, shard):
        stop = min(start + shard, length)
        yield from (min(step, stop - at) for at in range(start, stop, step))


class _Region:
    """An array as dask reads it, by slices."""

    def __init__(self, array: OpenedArray, gaps: Gaps) -> None:
        self._array, self._gaps = array, gaps
        self.shape = array.shape
        self.dtype = array.dtype
        self.ndim = len(array.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        given = key if isinstance(key, tuple) else () if key is ... else (key,)
        parts = (*given, *[slice(None)] * (self.ndim - len(given)))
        bounds = [_bounds(part, length) for part, length in zip(parts, self.shape, strict=True)]
        start, stop, rest = zip(*bounds, strict=True) if bounds else ((), (), ())
        # The ellipsis keeps a scalar an array of no dimensions.
        return self._read(start, stop)[(*rest, ...)]

    def _read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        return self._array.region(start, stop, gaps=self._gaps)


class _GapRegion(_Region):
    """Where an array has gaps, as dask reads it."""

    def __init__(self, array: OpenedArray, gaps: Gaps) -> None:
        super().__init__(array, gaps)
        self.dtype = np.dtype(bool)

    def _read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        return self._array.gap_mask(start, stop)


def _bounds(part: Any, length: int) -> tuple[int, int, Any]:
    """Give first element and end of what an index touches, and the index counted from there."""
    if isinstance(part, slice):
        each = range(*part.indices(length))
        if not each:
            return 0, 0, slice(None)
        return min(each[0], each[-1]), max(each[0], each[-1]) + 1, slice(None, None, each.step)
    numbers = np.asarray(part)
    if numbers.dtype == bool:
        numbers = np.flatnonzero(numbers)
    if not numbers.size:
        return 0, 0, numbers.astype(np.intp)
    numbers = np.where(numbers < 0, numbers + length, numbers)
    low = int(numbers.min())
    return low, int(numbers.max()) + 1, numbers - low if numbers.ndim else int(numbers) - low
