"""Where the inner chunks of data without chunks lie: each one range of bytes in its file."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsc.hdf5 import SourceDataset
from hsc.layouts import RunArray


def in_ranges(array: RunArray, chunks: Sequence[int]) -> bool:
    """Tell whether each inner chunk is one range of bytes of data without chunks."""
    shape = array.shape
    # The last dimension that is cut; those before it must have one row each.
    cuts = [axis for axis, (c, n) in enumerate(zip(chunks, shape, strict=True)) if c < n]
    cut = cuts[-1] if cuts else 0
    return (
        all(piece.dataset.storage == "contiguous" for piece in array.pieces)
        and all(_whole(piece.dataset) for piece in array.pieces)
        and all(piece.dataset.shape[0] % chunks[0] == 0 for piece in array.pieces[:-1])
        and math.prod(chunks[:cut]) == 1
    )


def _whole(dataset: SourceDataset) -> bool:
    """Tell whether all of a dataset's elements lie in the file itself, if any was written."""
    nbytes = math.prod(dataset.shape) * dataset.itemsize
    index = dataset.index
    return not len(index) or (int(index.offsets[0]) > 0 and int(index.sizes[0]) == nbytes)


def chunk_ranges(
    array: RunArray, chunks: Sequence[int], itemsize: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give place and source of every inner chunk of data without chunks that was written."""
    places, columns, start = [], [], 0
    for number, piece in enumerate(array.pieces):
        shape, index = piece.dataset.shape, piece.dataset.index
        here = _grid_places(shape, chunks) if len(index) else np.zeros((0, len(shape)), np.int64)
        count = len(here)
        strides = [math.prod(shape[axis + 1 :]) * itemsize for axis in range(len(shape))]
        first = here * np.array(chunks, np.int64)
        extent = np.minimum(np.array(chunks, np.int64), np.array(shape, np.int64) - first)
        table = np.zeros((count, 4), np.int64)
        table[:, 0] = number
        table[:, 1] = (first * np.array(strides, np.int64)).sum(axis=1)
        table[:, 2] = extent.prod(axis=1) * itemsize
        if count:
            table[:, 1] += int(index.offsets[0])
        if shape:
            here[:, 0] += start // chunks[0]
            start += shape[0]
        places.append(here)
        columns.append(table)
    return np.concatenate(places), np.concatenate(columns)


def _grid_places(shape: Sequence[int], chunks: Sequence[int]) -> NDArray[np.int64]:
    """Give all places of the grid of chunks, in C order."""
    if not shape:
        return np.zeros((1, 0), np.int64)
    grid = [math.ceil(n / c) for n, c in zip(shape, chunks, strict=True)]
    return np.column_stack(np.unravel_index(np.arange(math.prod(grid)), grid)).astype(np.int64)
