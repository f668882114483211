"""A planned array: what will stand in the store, and which of its chunks come from where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.enumerations import told_members
from hsc.ingestion.grid import MAX_ARRAY_CHUNKS, shard_shape
from hsc.ingestion.keys import told_name
from hsc.ingestion.ranges import chunk_ranges
from hsc.ingestion.travel import array_travel
from hsc.layouts import RunArray
from hsc.model import plain_text
from hsc.store import ArraySpec, word_fill
from hsc.transcode import Row, Travel


@dataclass(frozen=True, slots=True)
class PlannedArray:
    """An array, and which of its inner chunks were written at the source."""

    spec: ArraySpec
    """What will stand in the store."""
    source: RunArray
    """Where it comes from."""
    itemsize: int
    """Bytes of an element in memory; for text those of a pointer."""
    places: NDArray[np.int64]
    """(n, dimensions): places of written HDF5 chunks in the grid of inner chunks (kept chunks), or
    of inner chunks that any written HDF5 chunk touches (others). In C order."""
    columns: NDArray[np.int64] | None
    """(n, 4): piece, offset, bytes and filter mask of each chunk that is one range of bytes in a
    file; None when it is read through HDF5."""
    travel: Travel
    """How its chunks travel."""

    @property
    def carried_nbytes(self) -> NDArray[np.int64] | None:
        """(n,): bytes that each chunk brings along undecoded; None when chunks are encoded anew."""
        return _carried(self.columns, self.travel, math.prod(self.spec.chunks) * self.itemsize)


def plan_array(
    array: RunArray, keys: Mapping[str, str], names: Mapping[str, str], dimensions: tuple[str, ...]
) -> PlannedArray:
    """Plan one array.

    Parameters
    ----------
    array
        The array as its layout found it.
    keys, names
        Store key of each path, and true last name of those that were escaped (`run_keys`).
    dimensions
        Names of its dimensions (`dimension_names`).
    """
    first = array.pieces[0].dataset
    dtype = first.element.zarr or ""
    travel, placed, chunks = array_travel(array)
    places, columns = _placed(array, chunks) if placed else (_touched(array, chunks), None)
    carried = _carried(columns, travel, math.prod(chunks) * first.itemsize)
    stored = None if carried is None else carried.astype(np.uint64)
    split = first.index.chunks if first.index.chunks != chunks else None
    shards = shard_shape(array.shape, chunks, first.itemsize, stored, places, split)
    attributes = dict(array.attributes)
    if first.read is None:
        attributes["hsc:hdf5"] = dict(first.facts)
    attributes |= told_members(first.facts, attributes)
    if array.path in names:
        attributes |= told_name(names[array.path])
    spec = ArraySpec(
        path=plain_text(array.path),
        key=keys[array.path],
        shape=array.shape,
        dtype=dtype,
        chunks=chunks,
        shards=shards,
        compressor=travel.compressor,
        fill_value=word_fill(first.fill_value, dtype),
        way=travel.way,
        dimension_names=dimensions,
        attributes=attributes,
        big_endian=travel.big_endian,
    )
    return PlannedArray(spec, array, first.itemsize, places, columns, travel)


def plan_obstacle(array: RunArray) -> str:
    """Tell why an array can't be planned; an empty text when it can.

    A file of some kilobytes may promise an array of any size, of which no chunk was written.
    """
    chunks = array_travel(array)[2]
    count = math.prod(math.ceil(n / c) for n, c in zip(array.shape, chunks, strict=True))
    if count > MAX_ARRAY_CHUNKS:
        return f"its grid of {count} chunks is larger than {MAX_ARRAY_CHUNKS}"
    return ""


def _carried(
    columns: NDArray[np.int64] | None, travel: Travel, nbytes: int
) -> NDArray[np.int64] | None:
    if columns is None or travel.row is None:
        return None
    # Raw chunks at the edge of data without chunks are filled up.
    return np.full(len(columns), nbytes) if travel.row is Row.RAW else columns[:, 2]


def _placed(array: RunArray, chunks: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give place and source of every inner chunk that was written."""
    first = array.pieces[0].dataset
    if first.index.chunks is None:
        return chunk_ranges(array, chunks, first.itemsize)
    return _kept(array)


def _kept(array: RunArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give place and source of every written chunk, all pieces in one grid."""
    places, columns, start, lenders = [], [], 0, len(array.pieces)
    for number, piece in enumerate(array.pieces):
        index = piece.dataset.index
        moved = index.places.copy()
        moved[:, 0] += start
        places.append(moved)
        table = np.empty((len(index), 4), np.int64)
        # Files that only lend bytes are numbered after the pieces: see `chunk_look`.
        table[:, 0] = number if index.owners is None else lenders + index.owners.astype(np.int64)
        table[:, 1], table[:, 2], table[:, 3] = index.offsets, index.sizes, index.masks
        columns.append(table)
        start += piece.dataset.shape[0] // (index.chunks or (1,))[0]
        lenders += len(piece.owners)
    return np.concatenate(places), np.concatenate(columns)


def _touched(array: RunArray, chunks: Sequence[int]) -> NDArray[np.int64]:
    """Give the places of inner chunks that some written HDF5 chunk touches."""
    if not array.shape:
        return np.zeros((min(1, len(array.pieces[0].dataset.index)), 0), np.int64)
    grid = tuple(max(1, math.ceil(n / c)) for n, c in zip(array.shape, chunks, strict=True))
    found, start = [], 0
    for piece in array.pieces:
        index, shape = piece.dataset.index, piece.dataset.shape
        extent = np.array(index.chunks or [max(1, n) for n in shape], np.int64)
        shift = np.array([start, *[0] * (len(shape) - 1)], np.int64)
        first = index.places * extent
        last = np.minimum(first + extent, np.array(shape, np.int64)) - 1
        found.append(_between((first + shift) // chunks, (last + shift) // chunks, grid))
        start += shape[0]
    return np.column_stack(np.unravel_index(np.unique(np.concatenate(found)), grid))


def _between(
    first: NDArray[np.int64], last: NDArray[np.int64], grid: tuple[int, ...]
) -> NDArray[np.int64]:
    """Give all places of the boxes from ``first`` to ``last``, as numbers in the grid."""
    lengths = last - first + 1
    counts = lengths.prod(axis=1)
    box = np.repeat(np.arange(len(first)), counts)
    within = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts)
    numbers, step = np.zeros(len(box), np.int64), 1
    for axis in reversed(range(len(grid))):
        within, place = np.divmod(within, lengths[box, axis])
        numbers += (first[box, axis] + place) * step
        step *= grid[axis]
    return numbers
