"""Columns: one number of many datasets in a few packed rows, so that a million are read at once.

A block holds what 4096 neighbouring rows of ``dataset`` have of one measure: positions (two bytes
each, left out when all are there), then values. Its least and most value and their count stand
beside it: by them a search plans, and passes over blocks without opening them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, delete, select

from hsc_catalog import tables

Rows = NDArray[np.int64]
"""Rows of ``dataset``, by their ids, ascending."""

SCOPE, TRAIT, CREATED, PROPOSAL = -1, -2, -3, -4
"""The measures that are columns of ``listed``."""

BLOCK = 4096
_BATCH = 500  # blocks named in one statement
_WIDTHS: dict[int, Any] = {
    SCOPE: np.dtype("<i4"),
    TRAIT: np.dtype("<i4"),
    PROPOSAL: np.dtype("<i4"),
    CREATED: np.dtype("<i8"),
}
_POSITION = np.dtype("<u2")
_ALL = np.arange(BLOCK)

_block = tables.column_block.c


def read_column(connection: Connection, measure: int) -> tuple[Rows, NDArray[Any]]:
    """Read a whole column: rows, ascending, and their values."""
    found = [
        (block * BLOCK + np.asarray(positions, np.int64), values)
        for block, positions, values in _blocks(connection, measure, None)
    ]
    if not found:
        return np.empty(0, np.int64), np.empty(0, _width(measure))
    return np.concatenate([rows for rows, _ in found]), np.concatenate([each for _, each in found])


def spread_column(
    connection: Connection, measure: int, length: int, blocks: Collection[int] | None = None
) -> NDArray[Any]:
    """Read a column as an array by row, 0 where there is nothing, or no block that was asked for.

    ``length`` is a multiple of `BLOCK`.
    """
    whole = np.zeros(length, _width(measure))
    for block, positions, values in _blocks(connection, measure, blocks):
        here = whole[block * BLOCK : (block + 1) * BLOCK]
        if values.size == here.size:
            here[:] = values
        elif here.size:
            here[positions] = values
    return whole


def find_in_column(
    connection: Connection,
    measure: int,
    ends: tuple[float, float],
    length: int,
    blocks: Collection[int] | None = None,
) -> NDArray[np.bool_]:
    """Tell for each row whether its value lies between two ends, both included."""
    low, high = ends
    inside = np.zeros(length, bool)
    # Blocks that have no such value stay in the database.
    may = and_(_block.high >= low, _block.low <= high)
    for block, positions, values in _blocks(connection, measure, blocks, may):
        here = inside[block * BLOCK : (block + 1) * BLOCK]
        if here.size:
            here[positions] = (values >= low) & (values <= high)
    return inside


def _blocks(
    connection: Connection,
    measure: int,
    blocks: Collection[int] | None,
    may: ColumnElement[bool] | None = None,
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    wanted = select(_block.block, _block.filled, _block.packed).where(_block.measure == measure)
    wanted = wanted.order_by(_block.block) if may is None else wanted.where(may)
    asked = [None] if blocks is None else sorted(blocks)
    for start in range(0, len(asked), _BATCH):
        some = wanted
        if blocks is not None:
            some = wanted.where(_block.block.in_(asked[start : start + _BATCH]))
        for block, filled, packed in connection.execute(some).all():
            positions, values = _unpack(measure, filled, packed)
            yield block, positions, values


def blocks_at(
    connection: Connection, block: int
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any], bool]]:
    """Give of each column what it has in a block: measure, positions, values, and if all fits."""
    for each in connection.execute(select(tables.column_block).where(_block.block == block)):
        try:
            positions, values = _unpack(each.measure, each.filled, each.packed)
            whole = 0 < each.filled == positions.size == values.size
            whole = whole and (np.diff(positions.astype(np.int64)) > 0).all()
            ends = (each.low, each.high) == (float(values.min()), float(values.max()))
        except ValueError:  # there are fewer bytes than it says
            positions, values, whole, ends = np.empty(0, np.int64), np.empty(0), False, False
        yield each.measure, positions, values, bool(whole and ends)


def put_column(connection: Connection, measure: int, rows: Rows, values: NDArray[Any]) -> None:
    """Keep values of rows, each row once, in place of those that it had."""
    order = np.argsort(rows)
    rows, values = rows[order], values[order]
    for block in np.unique(rows // BLOCK).tolist():
        mine = rows // BLOCK == block
        positions, fresh = rows[mine] - block * BLOCK, values[mine]
        old_positions, old = _read_block(connection, measure, block)
        kept = ~np.isin(old_positions, positions)
        positions = np.concatenate([old_positions[kept], positions])
        fresh = np.concatenate([old[kept], fresh.astype(old.dtype)])
        order = np.argsort(positions)
        _write_block(connection, measure, block, positions[order], fresh[order])


def drop_from_column(connection: Connection, measure: int, rows: Rows) -> None:
    """Forget the values of rows."""
    for block in np.unique(rows // BLOCK).tolist():
        positions, values = _read_block(connection, measure, block)
        kept = ~np.isin(positions, rows[rows // BLOCK == block] - block * BLOCK)
        _write_block(connection, measure, block, positions[kept], values[kept])


def _read_block(connection: Connection, measure: int, block: int) -> tuple[Rows, NDArray[Any]]:
    found = connection.execute(
        select(_block.filled, _block.packed).where(_block.measure == measure, _block.block == block)
    ).one_or_none()
    if found is None:
        return np.empty(0, np.int64), np.empty(0, _width(measure))
    positions, values = _unpack(measure, found.filled, found.packed)
    return positions.astype(np.int64), values


def _write_block(
    connection: Connection, measure: int, block: int, positions: Rows, values: NDArray[Any]
) -> None:
    if not positions.size:
        connection.execute(
            delete(tables.column_block).where(_block.measure == measure, _block.block == block)
        )
        return
    packed = b"" if positions.size == BLOCK else positions.astype(_POSITION).tobytes()
    tables.insert_or_update(
        connection,
        tables.column_block,
        {"measure": measure, "block": block},
        {
            "filled": int(positions.size),
            "low": float(values.min()),
            "high": float(values.max()),
            "packed": packed + values.astype(_width(measure)).tobytes(),
        },
    )


def _unpack(measure: int, count: int, packed: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    if count == BLOCK:
        return _ALL, np.frombuffer(packed, _width(measure))
    positions = np.frombuffer(packed, _POSITION, count)
    return positions, np.frombuffer(packed, _width(measure), count, offset=positions.nbytes)


def _width(measure: int) -> Any:
    return _WIDTHS.get(measure, np.dtype("<f8"))
