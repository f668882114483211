"""Matching: the rows that fulfil what no count knows: words, numbers, proposal, sample, keyword."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, String, cast, func, select

from hsc.model import Query
from hsc_catalog import tables
from hsc_catalog.searching.columns import BLOCK, find_in_column, spread_column
from hsc_catalog.searching.indexing import NUMBER
from hsc_catalog.searching.listing import sealed_up_to
from hsc_catalog.searching.ranges import Range, ranges

Mask = NDArray[np.bool_]
"""Whether each row of ``dataset`` is meant, by its id; as long as `Reader.length`."""

_FEW = 0.25  # of all blocks; when fewer are asked for, they are named one by one


class Reader:
    """Reads columns, and beside them the rows that are in no column yet."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._sealed = sealed_up_to(connection)
        last = connection.scalar(select(func.max(tables.listed.c.dataset))) or 0
        self.length = (last // BLOCK + 1) * BLOCK
        """Rows in all blocks up to the last row that is listed."""

    def inside(self, measure: int, ends: tuple[float, float], among: Mask | None) -> Mask:
        """Tell which rows have a number between two ends; of blocks without ``among`` none."""
        named = self._named(among)
        found = find_in_column(self.connection, measure, ends, self.length, named)
        told = tables.row_numbers.c
        fresh = self.connection.execute(
            select(told.dataset, told.packed).where(
                told.dataset > self._sealed, told.dataset < self.length
            )
        )
        for row, packed in fresh:
            numbers = np.frombuffer(packed, NUMBER)
            values = numbers["value"][numbers["measure"] == measure]
            found[row] = bool(((values >= ends[0]) & (values <= ends[1])).any())
        return found

    def listed(self, measure: int, column: ColumnElement[int], among: Mask | None) -> NDArray[Any]:
        """Give a column of the list by row, 0 where nothing is listed or asked for."""
        whole = spread_column(self.connection, measure, self.length, self._named(among))
        fresh = select(tables.listed.c.dataset, column).where(
            tables.listed.c.dataset > self._sealed
        )
        for row, value in self.connection.execute(fresh):
            whole[row] = value
        return whole

    def _named(self, among: Mask | None) -> list[int] | None:
        if among is None:
            return None
        blocks = np.flatnonzero(among.reshape(-1, BLOCK).any(axis=1))
        if blocks.size > _FEW * (self.length / BLOCK):
            return None
        named: list[int] = blocks.tolist()
        return named


def has_conditions(query: Query) -> bool:
    """Tell whether a query asks for more than counts know."""
    return bool(
        tables.words(query.text) or query.where
        or any(value is not None for value in (query.proposal, query.sample, query.keyword))
    )  # fmt: skip


def match(reader: Reader, query: Query) -> Mask | None:
    """Tell which rows fulfil all conditions beside the facets; None: there are no conditions.

    Words and names are looked up first. Of several ranges the one that few numbers are in, by the
    columns' statistics, is read first; of the next only blocks in which something is left.
    """
    found: Mask | None = None
    for wanted in _lookups(reader.connection, query):
        mask = _mask(reader, wanted)
        found = mask if found is None else found & mask
        if not found.any():
            return found
    for measure, each in _planned(reader.connection, ranges(query.where)):
        if measure is None or each.is_empty:
            return np.zeros(reader.length, bool)
        mask = reader.inside(measure, (each.low, each.high), found)
        found = mask if found is None else found & mask
        if not found.any():
            return found
    return found


def _mask(reader: Reader, wanted: Select[Any]) -> Mask:
    """Tell which rows a statement selects."""
    mask, found = np.zeros(reader.length, bool), wanted.subquery("found")
    # As one text: a row of its own for each of a million costs both drivers four times as much.
    joined = reader.connection.scalar(select(func.aggregate_strings(cast(found.c[0], String), ",")))
    if joined:
        rows = np.fromstring(joined, np.int64, sep=",")
        mask[rows[rows < reader.length]] = True
    return mask


def _lookups(connection: Connection, query: Query) -> Iterator[Select[Any]]:
    row, keyword = tables.dataset.c, tables.keyword.c
    if query.proposal is not None:
        yield select(row.id).where(row.proposal == query.proposal)
    if query.sample is not None:
        yield select(row.id).where(row.sample == query.sample)
    if query.keyword is not None:
        yield select(keyword.dataset).where(keyword.word == query.keyword)
    if wanted := tables.words(query.text):
        yield tables.having_words(connection, wanted)


def _planned(connection: Connection, asked: list[Range]) -> list[tuple[int | None, Range]]:
    """Give ranges with their measures, the narrowest first; None where nothing has the measure."""
    planned = []
    for each in asked:
        columns = tables.measure.c
        measure = connection.scalar(
            select(columns.id).where(columns.name == each.name, columns.dimension == each.dimension)
        )
        expected = 0.0 if measure is None or each.is_empty else _expected(connection, measure, each)
        planned.append((expected, each.name, measure, each))
    planned.sort(key=lambda plan: plan[:2])
    return [(measure, each) for _, _, measure, each in planned]


def _expected(connection: Connection, measure: int, each: Range) -> float:
    """Guess how many numbers are in a range, as if each block's were spread evenly."""
    block = tables.column_block.c
    wanted = select(block.filled, block.low, block.high).where(block.measure == measure)
    stated = [tuple(row) for row in connection.execute(wanted)]
    if not stated:
        return 0.0
    count, low, high = np.array(stated, np.float64).T
    inside = np.clip(np.minimum(high, each.high) - np.maximum(low, each.low), 0, None)
    touched = (low <= each.high) & (high >= each.low)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, inside / (high - low), 1.0)
    return float((count * np.where(touched, share, 0.0)).sum())
