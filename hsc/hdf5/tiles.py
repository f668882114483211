"""Tiles: the chunks of its sources that a virtual dataset is laid with, when they fit whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsc.hdf5.chunks import ChunkIndex
from hsc.hdf5.selections import Axis
from hsc.transcode import Filter


@dataclass(frozen=True, slots=True)
class LentChunks:
    """Chunks that lie in other files than their dataset."""

    index: ChunkIndex
    """Where each is, ``owners`` counting the lenders."""
    filters: tuple[Filter, ...]
    """Filter pipeline of all of them."""
    lenders: tuple[Path, ...]
    """Real paths of the files."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A part of a virtual dataset, and the part of a source that it shows."""

    virtual: tuple[Axis, ...]
    """What is mapped, along each axis of the virtual dataset."""
    source: tuple[Axis, ...]
    """What is shown, along each axis of the source."""
    shape: tuple[int, ...]
    """Shape of the source."""
    chunks: LentChunks
    """Chunks of the source."""


def lay_tiles(shape: Sequence[int], mappings: Sequence[Mapping]) -> LentChunks | None:
    """Lay a virtual dataset with the chunks of its sources; None when they don't fit whole.

    They fit when every mapping takes whole chunks to whole places of one grid, no two to the
    same place, and all chunks have one shape and one filter pipeline.
    """
    laid = [_lay(shape, mapping) for mapping in mappings]
    chunks = next((each.chunks for each in laid if each), None)
    filters = {mapping.chunks.filters for mapping in mappings}
    if chunks is None or len(filters) != 1 or any(not e or e.chunks != chunks for e in laid):
        return None
    indexes = [each for each in laid if each is not None]
    places = np.concatenate([each.places for each in indexes])
    grid = tuple(max(1, math.ceil(n / c)) for n, c in zip(shape, chunks, strict=True))
    numbers = np.ravel_multi_index(tuple(places.T), grid)
    order = np.argsort(numbers, kind="stable")
    if (np.diff(numbers[order]) == 0).any():
        return None
    lenders = sorted({path for mapping in mappings for path in mapping.chunks.lenders})
    number_of = {path: number for number, path in enumerate(lenders)}
    owners = [_owners(m, e, number_of) for m, e in zip(mappings, indexes, strict=True)]
    index = ChunkIndex(
        chunks=chunks,
        places=places[order],
        offsets=np.concatenate([each.offsets for each in indexes])[order],
        sizes=np.concatenate([each.sizes for each in indexes])[order],
        masks=np.concatenate([each.masks for each in indexes])[order],
        owners=np.concatenate(owners)[order],
    )
    return LentChunks(index, filters.pop(), tuple(lenders))


def _owners(mapping: Mapping, laid: ChunkIndex, number_of: dict[Path, int]) -> NDArray[np.int32]:
    numbers = np.array([number_of[path] for path in mapping.chunks.lenders], np.int32)
    return numbers[laid.owners] if laid.owners is not None else np.full(len(laid), numbers[0])


def _lay(shape: Sequence[int], mapping: Mapping) -> ChunkIndex | None:
    """Give the chunks that a mapping takes, at their places in the virtual dataset."""
    index = mapping.chunks.index
    shown = [_indexes(a, n) for a, n in zip(mapping.source, mapping.shape, strict=True)]
    mapped = [_mapped(axis, mapping, shown) for axis in mapping.virtual]
    paired = _paired([len(each) for each in mapped], [len(each) for each in shown])
    if index.chunks is None or paired is None:
        return None
    chunks = [1] * len(shape)
    wanted: list[tuple[NDArray[np.int64], NDArray[np.int64]] | None] = []
    for axis, (place, chunk) in enumerate(zip(paired, index.chunks, strict=True)):
        if place is None:
            wanted.append((shown[axis], shown[axis]) if chunk == 1 else None)
        else:
            chunks[place] = chunk
            ends = mapping.shape[axis], shape[place]
            pair = mapping.virtual[place], mapping.source[axis]
            wanted.append(_whole_chunks(pair, len(shown[axis]), ends, chunk))
    if any(each is None for each in wanted):
        return None
    return _moved(index, [w for w in wanted if w], paired, mapped, tuple(chunks))


def _mapped(axis: Axis, mapping: Mapping, shown: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    if not axis.endless:
        return _indexes(axis, axis.stop)
    # It reaches as far as the source's axis without end.
    endless = (len(each) for each, of in zip(shown, mapping.source, strict=True) if of.endless)
    return axis.first(next(endless, 0))


# Most axes of many mappings are alike: thousands of frames, each of all rows and columns.
@lru_cache(maxsize=256)
def _indexes(axis: Axis, end: int) -> NDArray[np.int64]:
    return axis.indexes(end)


def _paired(mapped: Sequence[int], shown: Sequence[int]) -> list[int | None] | None:
    """Pair each axis of the source with one of the virtual dataset, axes of length 1 left over."""
    if len(mapped) == len(shown):
        return list(range(len(shown))) if list(mapped) == list(shown) else None
    longer, shorter = (mapped, shown) if len(mapped) > len(shown) else (shown, mapped)
    matches: dict[int, int] = {}
    left = len(shorter)
    for axis in reversed(range(len(longer))):
        if left and longer[axis] == shorter[left - 1]:
            left -= 1
            matches[axis] = left
        elif longer[axis] != 1:
            return None
    if left:
        return None
    if longer is shown:
        return [matches.get(axis) for axis in range(len(shown))]
    reverse = {short: long for long, short in matches.items()}
    return [reverse[axis] for axis in range(len(shown))]


@lru_cache(maxsize=256)
def _whole_chunks(
    pair: tuple[Axis, Axis], count: int, ends: tuple[int, int], chunk: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Give chunks of the source and their places along one axis; None when some is cut.

    Parameters
    ----------
    pair
        What is mapped and what is shown.
    count
        How many elements.
    ends
        Lengths of the source and of the virtual dataset.
    chunk
        Length of a chunk of either.
    """
    mapped, shown, end = pair[0].first(count), pair[1].indexes(ends[0]), ends[1]
    if not len(mapped):
        return shown, mapped
    places, first, counts = np.unique(mapped // chunk, return_index=True, return_counts=True)
    shift = shown - mapped
    if mapped[-1] >= end or (counts != np.minimum(chunk, end - places * chunk)).any():
        return None
    # Each place is filled by neighbours of one chunk: all are shifted by the same whole chunks.
    if (shift % chunk).any() or (shift != np.repeat(shift[first], counts)).any():
        return None
    return places + shift[first] // chunk, places


def _moved(
    index: ChunkIndex,
    wanted: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    paired: Sequence[int | None],
    mapped: Sequence[NDArray[np.int64]],
    chunks: tuple[int, ...],
) -> ChunkIndex:
    # Chunks are in C order: those of the first axis that are wanted lie together, so that a
    # thousand mappings of one source don't go through all its chunks each.
    low, high = (int(wanted[0][0].min()), int(wanted[0][0].max())) if len(wanted[0][0]) else (0, -1)
    first = int(np.searchsorted(index.places[:, 0], low))
    rows = np.arange(first, int(np.searchsorted(index.places[:, 0], high, side="right")))
    places = np.zeros((len(rows), len(chunks)), np.int64)
    for axis, each in enumerate(mapped):
        if axis not in paired and len(each):
            places[:, axis] = each[0]
    kept = np.ones(len(rows), bool)
    for axis, (here, there) in enumerate(wanted):
        if not len(here):
            kept[:] = False
            continue
        table = np.full(int(here.max() - here.min()) + 1, -1, np.int64)
        table[here - here.min()] = there
        at = index.places[rows, axis] - here.min()
        inside = (at >= 0) & (at < len(table))
        found = np.where(inside, table[np.clip(at, 0, len(table) - 1)], -1)
        kept &= found >= 0
        place = paired[axis]
        if place is not None:
            places[:, place] = found
    return ChunkIndex(
        chunks=chunks,
        places=places[kept],
        offsets=index.offsets[rows[kept]],
        sizes=index.sizes[rows[kept]],
        masks=index.masks[rows[kept]],
        owners=None if index.owners is None else index.owners[rows[kept]],
    )
