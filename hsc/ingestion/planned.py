"""A planned array: what will stand in the store, and which of its chunks come from where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.grid import MAX_ARRAY_CHUNKS, MAX_CHUNK_BYTES, inner_chunks, shard_shape
from hsc.layouts import RunArray
from hsc.model import Way, plain_text
from hsc.store import ArraySpec
from hsc.transcode import Travel, choose_travel


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
    """(n, 4): piece, offset, bytes and filter mask of each kept chunk; None when encoded anew."""


def plan_array(array: RunArray, keys: Mapping[str, str], names: Mapping[str, str]) -> PlannedArray:
    """Plan one array.

    Parameters
    ----------
    array
        The array as its layout found it.
    keys, names
        Store key of each path, and true last name of those that were escaped (`run_keys`).
    """
    first = array.pieces[0].dataset
    dtype = first.element.zarr or ""
    travel, keep, chunks = _travel(array)
    places, columns = _kept(array) if keep else (_touched(array, chunks), None)
    stored = columns[:, 2].astype(np.uint64) if columns is not None else None
    shards = shard_shape(array.shape, chunks, first.itemsize, stored, places)
    attributes = dict(array.attributes)
    attributes["hsc:hdf5"] = dict(first.facts)
    if array.path in names:
        attributes["hsc:name"] = plain_text(names[array.path])
    spec = ArraySpec(
        path=plain_text(array.path),
        key=keys[array.path],
        shape=array.shape,
        dtype=dtype,
        chunks=chunks,
        shards=shards,
        compressor=travel.compressor,
        fill_value=_fill(first.fill_value, dtype),
        way=travel.way,
        dimension_names=array.dimension_names or _dimension_names(array),
        attributes=attributes,
    )
    return PlannedArray(spec, array, first.itemsize, places, columns)


def plan_obstacle(array: RunArray) -> str:
    """Tell why an array can't be planned; an empty text when it can.

    A file of some kilobytes may promise an array of any size, of which no chunk was written.
    """
    chunks = _travel(array)[2]
    count = math.prod(math.ceil(n / c) for n, c in zip(array.shape, chunks, strict=True))
    if count > MAX_ARRAY_CHUNKS:
        return f"its grid of {count} chunks is larger than {MAX_ARRAY_CHUNKS}"
    return ""


def _travel(array: RunArray) -> tuple[Travel, bool, tuple[int, ...]]:
    """Give how an array's chunks travel, whether HDF5's are kept, and the inner chunk."""
    first = array.pieces[0].dataset
    dtype = first.element.zarr or ""
    travel = choose_travel(
        first.filters,
        dtype=dtype,
        itemsize=first.itemsize,
        little_endian=first.element.little_endian,
    )
    keep = travel.way is Way.REWRAP and _alike(array)
    if travel.way is Way.REWRAP and not keep:
        travel = choose_travel((), dtype=dtype, itemsize=first.itemsize, little_endian=True)
    return travel, keep, inner_chunks(array.shape, first.index.chunks, first.itemsize, keep=keep)


def _alike(array: RunArray) -> bool:
    """Tell whether all pieces are chunked alike and fill whole chunks along the stack."""
    first = array.pieces[0].dataset
    if first.index.chunks is None:
        return False
    rows = first.index.chunks[0]
    whole = all(piece.dataset.shape[0] % rows == 0 for piece in array.pieces[:-1])
    nbytes = math.prod(first.index.chunks) * first.itemsize
    return (
        whole
        and nbytes <= MAX_CHUNK_BYTES
        and all(
            piece.dataset.index.chunks == first.index.chunks
            and piece.dataset.filters == first.filters
            and (piece.dataset.index.owners is None or len(piece.owners) > 0)
            for piece in array.pieces
        )
    )


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


def _dimension_names(array: RunArray) -> tuple[str, ...]:
    # Unique to the path: xarray refuses equal names of other lengths between parent and child.
    # A dot inside a name is escaped, for /a.b and /a/b are two paths.
    parts = plain_text(array.path.strip("/")).replace("%", "%25").replace(".", "%2E")
    stem = parts.replace("/", ".")
    return tuple(f"{stem}.{axis}" for axis in range(len(array.shape)))


def _fill(value: Any, dtype: str) -> Any:
    """Word a fill value as Zarr v3 does."""
    if dtype.startswith("complex"):
        return [_fill(value.real, "float64"), _fill(value.imag, "float64")]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if dtype == "bool":
        return bool(value)
    return value
