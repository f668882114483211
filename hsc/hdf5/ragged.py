"""Ragged: how many rows the leaves of variable-length elements have, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise

import h5py
import numpy as np

from hsc.hdf5.elements import read_objects, unfold
from hsc.hdf5.parts import UNFOLDED, Part, RaggedTable, Step
from hsc.hdf5.types import ElementType

OFFSET_TYPE = ElementType("int64", {"dtype": "<i8"}, view="<i8", nbytes=8)
_MOST_BLOCKS = 4096
_LEAST_ROWS = 64
# Of a block, when all rows are alike; in memory it takes some times as much.
_BLOCK_BYTES = 32 * 2**20


def row_regions(dataset: h5py.Dataset) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Cut a dataset along its first dimension into regions of whole chunks: start and stop."""
    rest = dataset.shape[1:]
    for low, high in pairwise(_row_bounds(dataset)):
        yield ((low, *[0] * len(rest)), (high, *rest)) if dataset.shape else ((), ())


def _row_bounds(dataset: h5py.Dataset) -> tuple[int, ...]:
    if not dataset.shape:
        return (0, 1)
    rows = dataset.shape[0]
    chunk = dataset.chunks[0] if dataset.chunks else 1
    # No file has longer rows than it is long.
    affordable = _BLOCK_BYTES * rows // max(1, os.stat(os.fsencode(dataset.file.filename)).st_size)
    least = max(1, min(_LEAST_ROWS, affordable), -(-rows // _MOST_BLOCKS))
    step = -(-least // chunk) * chunk
    return (*range(0, rows, step), rows) if rows else (0, 0)


def levels_of(part: Part) -> Iterator[tuple[Step, ...]]:
    """Give the steps up to each that leads into elements of variable length, outermost first."""
    for number, step in enumerate(part.steps):
        if step[0] in UNFOLDED:
            yield part.steps[: number + 1]


def ragged_tables(
    dataset: h5py.Dataset, levels: Sequence[tuple[Step, ...]]
) -> dict[tuple[Step, ...], RaggedTable]:
    """Count the elements and values at some levels, in one pass over the data.

    Parameters
    ----------
    levels
        Steps up to and including one into variable length, all with the same steps before the
        first such one.
    """
    counts = {level: [(0, 0)] for level in levels}
    probe = Part(OFFSET_TYPE, steps=levels[0])
    outer = len(probe.outer)
    for start, stop in row_regions(dataset):
        objects = read_objects(dataset.id, probe, start, stop)
        for level in levels:
            lengths = unfold(objects, level[outer:], lengths=True)
            found = np.zeros(0, np.int64) if lengths is None else lengths
            elements, values = counts[level][-1]
            counts[level].append((elements + len(found), values + int(found.sum())))
    rows = _row_bounds(dataset)
    return {
        level: RaggedTable(rows, tuple(a for a, _ in found), tuple(b for _, b in found))
        for level, found in counts.items()
    }
