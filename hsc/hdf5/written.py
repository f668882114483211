"""Regions of a dataset that were written, cut small enough to be read whole."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import product

import h5py
import numpy as np
from h5py import h5t
from numpy.typing import NDArray

from hsc.hdf5.chunks import ChunkIndex

Region = tuple[tuple[int, ...], tuple[int, ...]]
"""First element along each dimension, and the one after the last."""

# Of a region, as the file has it; in memory it takes some times as much.
_REGION_BYTES = 32 * 2**20
# What an element takes at least once it is an object of Python's.
_OBJECT_BYTES = 64
# Of a chunk, which is decoded anew for each region that is cut out of it.
_CHUNK_ELEMENTS = 2**22


def written_regions(dataset: h5py.Dataset, index: ChunkIndex) -> Iterator[Region]:
    """Give regions that cover what was written, and nothing twice.

    Where the file itself defines what the rest reads as, one element of that is given too: all
    others are like it.

    Parameters
    ----------
    index
        Which of the dataset's chunks were written.
    """
    if not dataset.shape:
        yield (), ()
        return
    if not dataset.size:
        return
    shape = dataset.shape
    most = _most_elements(dataset)
    if index.chunks is None:
        yield from cut_region(((0,) * len(shape), shape), most)
        return
    yield from written_boxes(shape, index.chunks, index.places, most)
    defined = dataset.id.get_create_plist().fill_value_defined()
    if defined == h5py.h5d.FILL_VALUE_USER_DEFINED:
        yield from _unwritten_element(shape, index)


def written_boxes(
    shape: Sequence[int], chunks: Sequence[int], places: NDArray[np.int64], most: int
) -> Iterator[Region]:
    """Give regions that cover some chunks, rows of chunks that are there whole together.

    Parameters
    ----------
    shape, chunks
        Shape of the dataset and of a chunk.
    places
        (n, dimensions): places of the chunks in their grid, in C order.
    most
        Elements of a region.
    """
    grid = [math.ceil(n / c) for n, c in zip(shape, chunks, strict=True)]
    rest, beside = tuple(shape[1:]), math.prod(grid[1:])
    rows, first, counts = np.unique(places[:, 0], return_index=True, return_counts=True)
    joined = chunks[0] * math.prod(rest) <= most
    at = 0
    while at < len(rows):
        if not joined or counts[at] < beside:
            for place in places[first[at] : first[at] + counts[at]].tolist():
                yield from cut_region(_box(place, chunks, shape), max(most, _CHUNK_ELEMENTS))
            at += 1
            continue
        end = at + 1
        while end < len(rows) and counts[end] == beside and rows[end] == rows[end - 1] + 1:
            end += 1
        low, high = int(rows[at]) * chunks[0], min(int(rows[end - 1] + 1) * chunks[0], shape[0])
        step = max(1, most // math.prod(rest) // chunks[0]) * chunks[0]
        for begin in range(low, high, step):
            yield (begin, *[0] * len(rest)), (min(begin + step, high), *rest)
        at = end


def cut_region(region: Region, most: int) -> Iterator[Region]:
    """Cut a region into ones of so many elements, in C order."""
    start, stop = region
    steps, left = [1] * len(start), most
    for axis in reversed(range(len(start))):
        steps[axis] = max(1, min(stop[axis] - start[axis], left))
        left //= steps[axis]
    begins = (range(a, b, step) for a, b, step in zip(start, stop, steps, strict=True))
    for low in product(*begins):
        yield low, tuple(min(a + n, b) for a, n, b in zip(low, steps, stop, strict=True))


def _most_elements(dataset: h5py.Dataset) -> int:
    type_id = dataset.id.get_type()
    size = max(_OBJECT_BYTES, int(type_id.get_size()))
    text = type_id.get_class() == h5t.STRING and type_id.is_variable_str()
    if text or type_id.detect_class(h5t.VLEN):
        # They may be long, but all together not longer than the file.
        length = os.stat(os.fsencode(dataset.file.filename)).st_size
        size = max(size, length // int(dataset.size))
    return max(1, _REGION_BYTES // size)


def _box(place: Sequence[int], chunks: Sequence[int], shape: Sequence[int]) -> Region:
    start = tuple(at * chunk for at, chunk in zip(place, chunks, strict=True))
    ends = zip(start, chunks, shape, strict=True)
    return start, tuple(min(at + chunk, end) for at, chunk, end in ends)


def _unwritten_element(shape: Sequence[int], index: ChunkIndex) -> Iterator[Region]:
    chunks = index.chunks or ()
    grid = tuple(math.ceil(n / c) for n, c in zip(shape, chunks, strict=True))
    if len(index) == math.prod(grid):
        return
    there = np.ravel_multi_index(tuple(index.places.T), grid)
    gaps = np.flatnonzero(there != np.arange(len(there)))
    first = int(gaps[0]) if len(gaps) else len(there)
    place = [int(n) for n in np.unravel_index(first, grid)]
    start = tuple(at * chunk for at, chunk in zip(place, chunks, strict=True))
    yield start, tuple(at + 1 for at in start)
