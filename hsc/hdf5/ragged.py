"""Ragged: how many rows the leaves of variable-length elements have, and where they come from."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise

import h5py
import numpy as np
from numpy.typing import NDArray

from hsc.hdf5.chunks import ChunkIndex
from hsc.hdf5.elements import read_objects, unfold
from hsc.hdf5.parts import ARRAY, UNFOLDED, Part, RaggedTable, Step
from hsc.hdf5.types import ElementType

OFFSET_TYPE = ElementType("int64", {"dtype": "<i8"}, view="<i8", nbytes=8)
_MOST_BLOCKS = 4096
_LEAST_ROWS = 64
# Of a block: each may be an array of NumPy's, of a hundred bytes.
_MOST_ELEMENTS = 2**22
# Of a block, when all rows are alike; in memory it takes some times as much.
_BLOCK_BYTES = 32 * 2**20


def _row_bounds(dataset: h5py.Dataset) -> tuple[int, ...]:
    if not dataset.shape:
        return (0, 1)
    rows, rest = dataset.shape[0], math.prod(dataset.shape[1:])
    chunk = dataset.chunks[0] if dataset.chunks else 1
    # No file has longer rows than it is long.
    affordable = _BLOCK_BYTES * rows // max(1, os.stat(os.fsencode(dataset.file.filename)).st_size)
    wanted = min(_LEAST_ROWS, affordable, _MOST_ELEMENTS // max(1, rest))
    step = -(-max(1, wanted, -(-rows // _MOST_BLOCKS)) // chunk) * chunk
    if min(step, rows) * rest > _MOST_ELEMENTS:
        raise ValueError(f"{rows * rest} elements of variable length are too many to be counted")
    return (*range(0, rows, step), rows) if rows else (0, 0)


def levels_of(part: Part) -> Iterator[tuple[Step, ...]]:
    """Give the steps up to each that leads into elements of variable length, outermost first."""
    for number, step in enumerate(part.steps):
        if step[0] in UNFOLDED:
            yield part.steps[: number + 1]


def ragged_tables(
    dataset: h5py.Dataset, index: ChunkIndex, levels: Sequence[tuple[Step, ...]]
) -> dict[tuple[Step, ...], RaggedTable]:
    """Count the elements and values at some levels, in one pass over the data.

    Parameters
    ----------
    index
        Which of its chunks were written.
    levels
        Steps up to and including one into variable length, all with the same steps before the
        first such one.
    """
    counts = {level: [(0, 0)] for level in levels}
    probe = Part(OFFSET_TYPE, steps=levels[0])
    outer = len(probe.outer)
    dims = math.prod(int(n) for step in probe.outer if step[0] == ARRAY for n in step[1:])
    rows, rest = _row_bounds(dataset), dataset.shape[1:]
    written = _written_rows(dataset, index)
    for low, high in pairwise(rows):
        if written is not None and not _any_within(written, low, high):
            # What was never written is empty: a file may promise any number of such elements.
            for number, level in enumerate(levels):
                elements, values = counts[level][-1]
                more = (high - low) * math.prod(rest) * dims if number == 0 else 0
                counts[level].append((elements + more, values))
            continue
        region = ((low, *[0] * len(rest)), (high, *rest)) if dataset.shape else ((), ())
        objects = read_objects(dataset.id, probe, *region)
        for level in levels:
            lengths = unfold(objects, level[outer:], lengths=True)
            found = np.zeros(0, np.int64) if lengths is None else lengths
            elements, values = counts[level][-1]
            counts[level].append((elements + len(found), values + int(found.sum())))
    return {
        level: RaggedTable(rows, tuple(a for a, _ in found), tuple(b for _, b in found))
        for level, found in counts.items()
    }


def _written_rows(dataset: h5py.Dataset, index: ChunkIndex) -> NDArray[np.int64] | None:
    """Give the first rows of chunks that were written, ascending; None when all are to be read."""
    user_defined = dataset.id.get_create_plist().fill_value_defined()
    if index.chunks is None or user_defined == h5py.h5d.FILL_VALUE_USER_DEFINED:
        return None
    return np.unique(index.places[:, 0]) * index.chunks[0]


def _any_within(rows: NDArray[np.int64], low: int, high: int) -> bool:
    """Tell whether some row lies within bounds, which are those of chunks too."""
    return bool(np.searchsorted(rows, low) < np.searchsorted(rows, high))
