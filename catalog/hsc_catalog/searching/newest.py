"""The newest rows: by the orders that are kept, or among rows that were found otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, true

from hsc_catalog import tables
from hsc_catalog.searching.columns import CREATED, Rows
from hsc_catalog.searching.cursor import Cursor
from hsc_catalog.searching.matching import Mask, Reader
from hsc_catalog.searching.sight import Sight

_BATCH = 500  # ids in one statement; SQLite would take 32,766

_listed, _tally, _trait = tables.listed.c, tables.tally.c, tables.trait.c


class Found(NamedTuple):
    """A row as it sorts: the newest is the greatest."""

    created: int
    pid: str
    row: int


class _Part(NamedTuple):
    """A part of the list that is kept in order, and the moment of its newest row."""

    newest: int
    condition: ColumnElement[bool]


def newest(
    connection: Connection,
    sight: Sight,
    traits: Sequence[int] | None,
    after: Cursor | None,
    count: int,
) -> list[Found]:
    """Give the newest rows that are seen and have one of the traits (None: any).

    Each scope, and each trait of it, has its own order in the list. The newest of each is looked
    up; then they are asked one after the other, until the next has nothing that is new enough.
    """
    best: list[Found] = []
    for part in _parts(connection, sight, traits, after):
        if len(best) >= count and part.newest < best[-1].created:
            break
        wanted = _ordered(after).where(part.condition).limit(count)
        rows = (Found(*row) for row in connection.execute(wanted))
        best = sorted([*best, *rows], reverse=True)[:count]
    return best


def newest_among(reader: Reader, among: Mask, after: Cursor | None, count: int) -> list[Found]:
    """Give the newest of some listed rows."""
    rows = np.flatnonzero(among)
    made = reader.listed(CREATED, _listed.created, among)[rows]
    if after is None:
        return _fetch(reader.connection, _top(rows, made, count), None)[:count]
    older, same = made < after.created, made == after.created
    chosen = np.concatenate([rows[same], _top(rows[older], made[older], count)])
    return _fetch(reader.connection, chosen, after)[:count]


def _top(rows: Rows, made: NDArray[np.int64], count: int) -> Rows:
    """Give the newest rows, and with them all that are as old as the last of them."""
    if rows.size <= count:
        return rows
    place = rows.size - count
    newest: Rows = rows[made >= np.partition(made, place)[place]]
    return newest


def _fetch(connection: Connection, rows: Rows, after: Cursor | None) -> list[Found]:
    found: list[Found] = []
    for start in range(0, rows.size, _BATCH):
        some = _listed.dataset.in_(rows[start : start + _BATCH].tolist())
        found.extend(Found(*row) for row in connection.execute(_ordered(after).where(some)))
    return sorted(found, reverse=True)


def _ordered(after: Cursor | None) -> Select[Any]:
    wanted = select(_listed.created, _listed.pid, _listed.dataset).order_by(
        _listed.created.desc(), _listed.pid.desc()
    )
    if after is None:
        return wanted
    # Said twice: the first condition is what an index is read by.
    return wanted.where(
        _listed.created <= after.created,
        or_(_listed.created < after.created, _listed.pid < after.pid),
    )


def _parts(
    connection: Connection, sight: Sight, traits: Sequence[int] | None, after: Cursor | None
) -> list[_Part]:
    """Give the parts of the list to ask, the one with the newest row first."""
    if sight.everything and traits is None:
        return [_Part(0, true())]
    newest_of = select(func.max(_listed.created))
    if after is not None:
        newest_of = newest_of.where(_listed.created <= after.created)
    if sight.everything:
        asked = select(_trait.id).where(_trait.id.in_(traits or ()))
        head = newest_of.where(_listed.trait == _trait.id)
    elif traits is None:
        scopes = select(_tally.scope).where(_tally.scope.in_(sight.scopes)).distinct().subquery()
        asked = select(scopes.c.scope)
        head = newest_of.where(_listed.scope == scopes.c.scope)
    else:
        asked = select(_tally.scope, _tally.trait).where(
            _tally.scope.in_(sight.scopes), _tally.trait.in_(traits)
        )
        head = newest_of.where(_listed.scope == _tally.scope, _listed.trait == _tally.trait)
    names = [_listed.trait] if sight.everything else [_listed.scope, _listed.trait]
    found = connection.execute(asked.add_columns(head.scalar_subquery())).all()
    parts = [
        _Part(row[-1], and_(*(name == key for name, key in zip(names, row[:-1], strict=False))))
        for row in found
        if row[-1] is not None
    ]
    return sorted(parts, key=lambda part: part.newest, reverse=True)
