"""Finding datasets: by PID, by words, by facets, by quantities."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from hsc.errors import DatasetNotFoundError
from hsc.model import Condition, Dataset, Pid, Query, SearchResult
from hsc_catalog import schema
from hsc_catalog.dialects import having_words
from hsc_catalog.words import words

_EQUAL_WITHIN = 1e-9  # relative; one energy given in eV and in keV differs by rounding alone

_row = schema.dataset.c


def get_dataset(connection: Connection, pid: Pid) -> Dataset:
    """Give a dataset: the version that the PID names, else the newest.

    Raises
    ------
    DatasetNotFoundError
        There is none.
    """
    wanted = _row.newest if pid.version is None else _row.version == pid.version
    found = connection.scalar(_documents().where(_row.pid == str(pid.latest()), wanted))
    if found is not None:
        return _read(found)
    newest = connection.scalar(
        select(_row.version).where(_row.pid == str(pid.latest()), _row.newest)
    )
    raise DatasetNotFoundError(
        f"there is no dataset {pid}",
        next_step="`hsc search` lists the known ones"
        if newest is None
        else f"the newest version is {pid.at(newest)}",
    )


def search_datasets(connection: Connection, query: Query) -> SearchResult:
    """Find the newest version of each dataset that matches, newest first."""
    conditions = [_row.newest, *_facets(query), *map(_bound, query.where)]
    if wanted := words(query.text):
        conditions.append(_row.id.in_(having_words(connection, wanted)))
    total = connection.scalar(select(func.count()).select_from(schema.dataset).where(*conditions))
    found = connection.scalars(
        _documents()
        .where(*conditions)
        .order_by(_row.created.desc(), _row.pid.desc())
        .limit(max(query.limit, 0))
    )
    return SearchResult(total=total or 0, datasets=tuple(map(_read, found)))


def _documents() -> Select[Any]:
    return select(schema.dataset_document.c.json).join(schema.dataset)


def _read(document: str) -> Dataset:
    # Not pydantic's own JSON reader: it refuses the lone surrogates of undecodable file names.
    return Dataset.model_validate(json.loads(document))


def _facets(query: Query) -> list[ColumnElement[bool]]:
    names = ("facility", "instrument", "proposal", "technique", "kind")
    asked = {name: getattr(query, name) for name in names}
    return [_row[name] == value for name, value in asked.items() if value is not None]


def _bound(condition: Condition) -> ColumnElement[bool]:
    number = schema.quantity.c
    bound, dimension = schema.comparable(condition.bound)
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
