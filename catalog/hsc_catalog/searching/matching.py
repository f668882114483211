"""Matching: the rows that fulfil what no count knows: words, numbers, proposal, sample, keyword."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, String, cast, func, select

from hsc.model import Query
from hsc_catalog import tables
from hsc_catalog.searching.columns import BLOCK, CREATED, Rows, read_column
from hsc_catalog.searching.indexing import NUMBER
from hsc_catalog.searching.listing import sealed_up_to
from hsc_catalog.searching.ranges import Range, ranges

_FEW = 0.25  # of all blocks; when fewer are asked for, they are named one by one


class Reader:
    """Reads columns, and beside them the rows that are in no column yet."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._sealed = sealed_up_to(connection)
        last = connection.scalar(select(func.max(tables.listed.c.dataset)))
        self.length = (last or 0) + 1
        """One more than the last row that is listed."""

    def numbers(self, measure: int, blocks: NDArray[np.int64] | None) -> tuple[Rows, NDArray[Any]]:
        """Give rows and values of a measure; ``blocks`` None: all of them."""
        rows, values = read_column(self.connection, measure, self._named(blocks))
        told = tables.row_numbers.c
        fresh = self.connection.execute(
            select(told.dataset, told.packed)
            .where(told.dataset > self._sealed)
            .order_by(told.dataset)
        ).all()
        found = [
            (row, value)
            for row, packed in fresh
            for each, value in np.frombuffer(packed, NUMBER).tolist()
            if each == measure
        ]
        if not found:
            return rows, values
        return (
            np.concatenate([rows, np.array([row for row, _ in found], np.int64)]),
            np.concatenate([values, np.array([value for _, value in found])]),
        )

    def listed(
        self, measure: int, column: ColumnElement[int], blocks: NDArray[np.int64] | None
    ) -> NDArray[Any]:
        """Give a column of the list for all rows, 0 where nothing is listed or asked for."""
        rows, values = read_column(self.connection, measure, self._named(blocks))
        whole = np.zeros(self.length, np.int64 if measure == CREATED else np.int32)
        inside = rows < self.length
        whole[rows[inside]] = values[inside]
        fresh = self.connection.execute(
            select(tables.listed.c.dataset, column).where(tables.listed.c.dataset > self._sealed)
        ).all()
        for row, value in fresh:
            whole[row] = value
        return whole

    def _named(self, blocks: NDArray[np.int64] | None) -> list[int] | None:
        if blocks is None or blocks.size > _FEW * (self.length / BLOCK):
            return None
        named: list[int] = blocks.tolist()
        return named


def has_conditions(query: Query) -> bool:
    """Tell whether a query asks for more than counts know."""
    return bool(
        tables.words(query.text) or query.where
        or any(value is not None for value in (query.proposal, query.sample, query.keyword))
    )  # fmt: skip


def match(reader: Reader, query: Query) -> Rows:
    """Give the rows that fulfil all conditions beside the facets, ascending.

    Words and names are looked up first. Of several ranges the one that few numbers are in, by the
    columns' statistics, is read first; of the next only blocks in which something is left.
    """
    found: Rows | None = None
    for wanted in _lookups(reader.connection, query):
        rows = _ids(reader.connection, wanted)
        found = _both(reader, found, rows[rows < reader.length])
        if not found.size:
            return found
    for measure, each in _planned(reader.connection, ranges(query.where)):
        if measure is None or each.is_empty:
            return np.empty(0, np.int64)
        blocks = None if found is None else np.unique(found // BLOCK)
        rows, values = reader.numbers(measure, blocks)
        found = _both(reader, found, rows[each.holds(values) & (rows < reader.length)])
        if not found.size:
            return found
    return np.arange(reader.length) if found is None else found


def _ids(connection: Connection, wanted: Select[Any]) -> Rows:
    """Give the ids that a statement selects, ascending."""
    found = wanted.subquery("found")
    # As one text: a row of its own for each of a million costs both drivers four times as much.
    joined = connection.scalar(select(func.aggregate_strings(cast(found.c[0], String), ",")))
    rows: Rows = np.fromstring(joined, np.int64, sep=",") if joined else np.empty(0, np.int64)
    return rows if np.all(rows[1:] > rows[:-1]) else np.sort(rows)


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


def _both(reader: Reader, found: Rows | None, rows: Rows) -> Rows:
    if found is None:
        return rows
    fewer, more = sorted((found, rows), key=len)
    among = np.zeros(reader.length, bool)
    among[more] = True
    both: Rows = fewer[among[fewer]]
    return both


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
    stated = connection.execute(
        select(block.filled, block.low, block.high).where(block.measure == measure)
    ).all()
    if not stated:
        return 0.0
    count, low, high = np.array(stated, np.float64).T
    inside = np.clip(np.minimum(high, each.high) - np.maximum(low, each.low), 0, None)
    touched = (low <= each.high) & (high >= each.low)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, inside / (high - low), 1.0)
    return float((count * np.where(touched, share, 0.0)).sum())
