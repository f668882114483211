"""Finding datasets: by words, by facets, by quantities."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from hsc.model import Condition, Dataset, Query, SearchResult
from hsc_catalog import tables

_EQUAL_WITHIN = 1e-9  # relative; one energy given in eV and in keV differs by rounding alone

_row = tables.dataset.c


def search_datasets(connection: Connection, query: Query) -> SearchResult:
    """Find the newest version of each dataset that matches, newest first."""
    conditions = [_row.newest, *_facets(query), *map(_bound, query.where)]
    if wanted := tables.words(query.text):
        conditions.append(_row.id.in_(tables.having_words(connection, wanted)))
    total = connection.scalar(select(func.count()).select_from(tables.dataset).where(*conditions))
    found = connection.scalars(
        _documents()
        .where(*conditions)
        .order_by(_row.created.desc(), _row.pid.desc())
        .limit(max(query.limit, 0))
    )
    return SearchResult(
        total=total or 0, datasets=tuple(tables.read(Dataset, text) for text in found)
    )


def _documents() -> Select[Any]:
    return select(tables.dataset_document.c.json).join(tables.dataset)


def _facets(query: Query) -> list[ColumnElement[bool]]:
    names = ("facility", "instrument", "proposal", "technique", "kind")
    asked = {name: getattr(query, name) for name in names}
    return [_row[name] == value for name, value in asked.items() if value is not None]


def _bound(condition: Condition) -> ColumnElement[bool]:
    number = tables.quantity.c
    bound, dimension = tables.comparable(condition.bound)
    slack = abs(bound) * _EQUAL_WITHIN
    low, high = bound - slack, bound + slack
    # Of <, = and > exactly one holds, so what equals the bound in another unit is neither below
    # nor above it, and <= finds it.
    holds = {
        "<": number.value < low,
        "<=": number.value <= high,
        "=": number.value.between(low, high),
        ">=": number.value >= low,
        ">": number.value > high,
    }[condition.comparison]
    # Subqueries, not joins: SQLite plans several open ranges joined badly, by a factor of 100.
    return _row.id.in_(
        select(number.dataset).where(
            number.name == condition.name, number.dimension == dimension, holds
        )
    )
