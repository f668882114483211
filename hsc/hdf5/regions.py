"""Regions of a leaf: read from the dataset or attribute that it is a part of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.hdf5.elements import counted, finished, read_elements, read_objects, unfold
from hsc.hdf5.parts import Part, RaggedTable


def read_part(source: Any, part: Part, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
    """Read a region of a leaf.

    Parameters
    ----------
    source
        Identifier of the dataset or attribute (`source_of`).
    part
        Which part of its elements; no ``vlen`` step without a table.
    start, stop
        First element along each dimension of the leaf, and the one after the last.

    Returns
    -------
    region
        Numbers as stored, or objects of ``str``.

    Raises
    ------
    OSError, RuntimeError, TypeError, ValueError, KeyError
        HDF5 can't read it.
    """
    if part.ragged:
        return _ragged(source, part, start, stop)
    outer = len(start) - len(part.row_shape)
    values = read_elements(source, part, start[:outer], stop[:outer])
    within: tuple[Any, ...] = tuple(
        slice(a, b) for a, b in zip(start[outer:], stop[outer:], strict=True)
    )
    # The ellipsis keeps a scalar an array of no dimensions.
    return values[(..., *within)] if within else values


def _ragged(source: Any, part: Part, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
    table, first, last = part.table, start[0], stop[0]
    if table is None:
        raise ValueError("no table of its rows")
    if part.offsets:
        return _offsets(source, part, table, first, last)
    low, high = _blocks(table, first, last)
    within = tuple(slice(a, b) for a, b in zip(start[1:], stop[1:], strict=True))
    # Block by block, but for those without rows: they may be all but a few.
    parts = [
        finished(
            source, part, unfold(_block(source, part, table.rows[n], table.rows[n + 1]), part.inner)
        )
        for n in range(low, high)
        if table.before[n] < table.before[n + 1]
    ]
    values = np.concatenate(parts) if parts else finished(source, part, None)
    begin = table.before[low]
    return values[(slice(first - begin, last - begin), *within)]


def _offsets(
    source: Any, part: Part, table: RaggedTable, first: int, last: int
) -> NDArray[np.int64]:
    """Give offsets: the first is 0, then the end of each element."""
    begin, end = max(first, 1) - 1, last - 1
    low, high = _blocks(table, begin, end)
    lengths = [_lengths(source, part, table, number) for number in range(low, high)]
    ends = table.values_before[low] + np.cumsum(np.concatenate(lengths))
    shift = table.before[low]
    found = ends[begin - shift : end - shift].astype(np.int64)
    return np.concatenate([np.zeros(1, np.int64), found]) if first == 0 < last else found


def _lengths(source: Any, part: Part, table: RaggedTable, number: int) -> NDArray[np.int64]:
    """Give the lengths of the elements of a block, unread where all are empty."""
    if table.values_before[number] == table.values_before[number + 1]:
        return np.zeros(table.before[number + 1] - table.before[number], np.int64)
    block = _block(source, part, table.rows[number], table.rows[number + 1])
    return counted(unfold(block, part.inner, lengths=True))


def _blocks(table: RaggedTable, first: int, last: int) -> tuple[int, int]:
    """Give which blocks hold some rows: the first, and the one after the last."""
    low = int(np.searchsorted(table.before, first, "right")) - 1
    high = int(np.searchsorted(table.before, last, "left"))
    low = min(low, len(table.rows) - 2)
    return max(low, 0), max(high, low + 1)


def _block(source: Any, part: Part, low: int, high: int) -> NDArray[Any]:
    shape = source.shape
    if not shape:
        return read_objects(source, part, (), ())
    rest = shape[1:]
    return read_objects(source, part, (low, *[0] * len(rest)), (high, *rest))
