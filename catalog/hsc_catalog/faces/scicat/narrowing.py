"""What of a SciCat request the database answers by its own columns: conditions, orders, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, case, cast, func, or_

from hsc.model import Dataset, Kind
from hsc_catalog import tables
from hsc_catalog.faces.scicat.fields import OLD_NAMES, TIMES

_row = tables.dataset.c
_posted = tables.foreign_document.c
_COLUMNS = {"pid": _row.pid, "proposalIds": _row.proposal, "sampleIds": _row.sample}
_DAY = 86_400_000_000  # microseconds
_COLLECTED = "creationTime"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CREATED = func.coalesce(_posted.created, _row.registered)
_CHANGED = func.coalesce(
    _posted.updated,
    case((_row.updated > _row.registered, _row.updated), else_=_row.registered),
)

# What orders posted datasets and those of hsc alike as their worded records would be.
_ORDERS: Mapping[str, ColumnElement[Any]] = {
    "pid": _row.pid,
    "createdAt": _CREATED,
    "updatedAt": _CHANGED,
}

# What the words of a dataset of hsc's are made of (wording.py). Of posted ones they are not.
_PLACE = _row.facility + "/" + func.nullif(_row.instrument, "")
_WORDS: Mapping[str, ColumnElement[Any]] = {
    "pid": _row.pid,
    "type": _row.kind,
    "datasetName": _row.title,
    "proposalIds": func.nullif(_row.proposal, ""),
    "sampleIds": func.nullif(_row.sample, ""),
    "instrumentIds": _PLACE,
    "creationLocation": func.coalesce(_PLACE, _row.facility),
    "version": cast(_row.version, String),
    "createdAt": _CREATED // _DAY,
    "updatedAt": _CHANGED // _DAY,
}


def ordered_by_columns(
    wanted: Select[Any], sort: tuple[tuple[str, bool], ...]
) -> Select[Any] | None:
    """Order datasets by fields that columns hold, ties the newest first; None: by others."""
    if any(name not in _ORDERS for name, _ in sort):
        return None
    ways = [_ORDERS[name].desc() if down else _ORDERS[name].asc() for name, down in sort]
    return wanted.order_by(*ways, _row.created.desc(), _row.pid.desc())


def ordered_by_time(
    connection: Connection, wanted: Select[Any], down: bool, skip: int, limit: int
) -> list[str]:
    """Give the PIDs of a page by ``creationTime``, ties the newest first; all there are compete."""
    sign = -1 if down else 1
    every = (
        (sign * (collected // 1000), -created, pid)
        for pid, created, collected in _moments(connection, wanted)
    )
    return [pid for *_, pid in nsmallest(skip + limit, every)[skip:]]


def _moments(connection: Connection, wanted: Select[Any]) -> Iterator[tuple[str, int, int]]:
    """Give PID, creation and collection of each; a document is read where it tells of the last."""
    document = tables.dataset_document.c.json
    told = case((document.contains('"collected"', autoescape=True), document))
    asked = wanted.with_only_columns(_row.pid, _row.created, told, maintain_column_froms=True)
    for pid, created, text in connection.execute(asked, execution_options={"yield_per": 1000}):
        collected = None if text is None else tables.read(Dataset, text).collected
        yield pid, created, created if collected is None else tables.microseconds(collected)


def in_columns(name: str) -> bool:
    """Tell whether a field of the datasets that hsc made is counted without wording each."""
    return name in _WORDS or name == _COLLECTED


def count_native(
    connection: Connection, wanted: Select[Any], names: Iterable[str]
) -> dict[str, Counter[Any]]:
    """Count the datasets that hsc made by fields that columns hold; days of those with a time.

    Parameters
    ----------
    connection
        The transaction.
    wanted
        The datasets; those that somebody posted are left out.
    names
        The fields.
    """
    native = wanted.where(_posted.id.is_(None))
    counts: dict[str, Counter[Any]] = {}
    for name in names:
        if name == _COLLECTED:
            days = (time // _DAY for _, _, time in _moments(connection, native))
            counts[name] = Counter(_day(name, day) for day in days)
            continue
        value = _WORDS[name].label("value")
        grouped = native.with_only_columns(value, func.count(), maintain_column_froms=True)
        found = connection.execute(grouped.where(value.is_not(None)).group_by(value))
        counts[name] = Counter({_day(name, each): count for each, count in found})
    return counts


def _day(name: str, value: Any) -> Any:
    if name not in TIMES:
        return value
    day = _EPOCH + timedelta(days=int(value))
    return (day.year, day.month, day.day)


def narrowed(where: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Give conditions on columns that hold for all that is meant, and for little else."""
    conditions: list[ColumnElement[bool]] = []
    for key, value in where.items():
        name, values = OLD_NAMES.get(key, key), named(value)
        if key == "$and" and isinstance(value, list):
            for each in value:
                conditions += narrowed(each)
        elif values is None:
            continue
        elif name == "pid":
            conditions.append(_row.pid.in_(values))
        elif name in _COLUMNS:
            # Of what was posted the column has only the first.
            conditions.append(or_(_COLUMNS[name].in_(values), _posted.id.is_not(None)))
        elif name == "type" and set(values) <= set(Kind):
            conditions.append(_row.kind.in_(values))
    return conditions


def named(value: Any) -> list[str] | None:
    """Give the texts of which one is asked for; None: something else is."""
    if isinstance(value, Mapping):
        one = set(value) <= {"$eq", "$in"} and len(value) == 1
        return named(next(iter(value.values()))) if one else None
    values = value if isinstance(value, list) else [value]
    return values if all(isinstance(each, str) for each in values) else None
