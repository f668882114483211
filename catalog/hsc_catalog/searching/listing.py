"""Keeping the list of findable datasets and their counts, in the transaction of every change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Select, and_, bindparam, delete, insert, select, update

from hsc_catalog import tables
from hsc_catalog.searching.columns import (
    CREATED,
    PROPOSAL,
    SCOPE,
    TRAIT,
    drop_from_column,
    put_column,
)

OPEN_TO_ALL = 0
"""The scope of what anybody may see."""
HIDDEN = -1
"""The scope of what has no access set: those alone see it who see everything."""

_BATCH = 500  # ids in one statement; SQLite would take 32,766
_SETS = 50  # access sets that one change opens besides
# Clocks are set back now and then, but not by a day: what is open to all stays so.
_PATIENCE = timedelta(days=1)

_COLUMNS = {SCOPE: "scope", TRAIT: "trait", CREATED: "created", PROPOSAL: "proposal"}

Facets = tuple[str, str | None, str | None, str]

_row, _set, _listed, _trait = (
    tables.dataset.c, tables.access_set.c, tables.listed.c, tables.trait.c,
)  # fmt: skip


class Place(NamedTuple):
    """Where a dataset stands in the list."""

    created: int
    pid: str
    scope: int
    trait: int
    proposal: int


class _Known(NamedTuple):
    """What decides where a dataset belongs; its trait and proposal are None while not numbered."""

    access: int | None
    visibility: str | None
    access_class: str | None
    embargo: int | None
    opened: bool | None
    facility: str
    instrument: str | None
    technique: str | None
    kind: str
    id: int
    created: int
    pid: str
    name: str | None
    trait: int | None
    proposal: int | None

    @property
    def facets(self) -> Facets:
        """Give what its trait has."""
        return self.facility, self.instrument, self.technique, self.kind


def relist(connection: Connection, rows: Collection[int]) -> None:
    """Bring list and counts up to date for rows of ``dataset``.

    Call it in the same transaction after a dataset was added, amended, withdrawn or got other
    access. Other versions of the same PIDs are looked after too.
    """
    mine = sorted(set(rows))
    for start in range(0, len(mine), _BATCH):
        _relist(connection, mine[start : start + _BATCH])


def open_lifted(connection: Connection, now: datetime) -> None:
    """Put the datasets of some access sets whose embargo is over among those open to all.

    A few sets at a time: whoever searches in the meantime has the others counted live.
    """
    waiting = tables.embargoed.c
    over = tables.microseconds(now - _PATIENCE)
    sets = connection.scalars(
        select(waiting.access)
        .where(~waiting.opened, waiting.embargo <= over)
        .order_by(waiting.embargo)
        .limit(_SETS)
    ).all()
    if not sets:
        return
    connection.execute(update(tables.embargoed).where(waiting.access.in_(sets)).values(opened=True))
    moved = connection.scalars(select(_listed.dataset).where(_listed.scope.in_(sets))).all()
    relist(connection, moved)


def _relist(connection: Connection, rows: list[int]) -> None:
    before = _places(connection, rows)
    after = _wanted(connection, sorted(before))
    changed = [row for row, place in before.items() if place != after.get(row)]
    if not changed:
        return
    there = {row: place for row, place in before.items() if place is not None}
    gone = [row for row in changed if row in there]
    for start in range(0, len(gone), _BATCH):
        some = _listed.dataset.in_(gone[start : start + _BATCH])
        connection.execute(delete(tables.listed).where(some))
    placed = [{"dataset": row, **after[row]._asdict()} for row in changed if row in after]
    if placed:
        tables.insert_rows(connection, tables.listed, placed)
    _count(
        connection, [there[row] for row in gone], [after[row] for row in changed if row in after]
    )
    _keep_columns(connection, changed, after)


def _places(connection: Connection, rows: list[int]) -> dict[int, Place | None]:
    """Give where rows and the other versions of their PIDs stand; None: they are not listed."""
    return {
        row: None if place[0] is None else Place(*place)
        for row, *place in _PLACES.among(connection, "rows", rows)
    }


def _wanted(connection: Connection, rows: list[int]) -> dict[int, Place]:
    """Give where rows belong; those that no search may find are absent."""
    found = [_Known(*row) for row in _KNOWN.among(connection, "rows", rows)]
    scopes = _scopes(connection, {row[:5] for row in found})
    traits = _traits(connection, {row.facets for row in found if row.trait is None})
    names = {row.name for row in found if row.name is not None and row.proposal is None}
    proposals = _proposals(connection, names)
    return {
        row.id: Place(
            row.created,
            row.pid,
            scopes.get(row.access or HIDDEN, HIDDEN),
            traits[row.facets] if row.trait is None else row.trait,
            row.proposal or proposals.get(row.name or "", 0),
        )
        for row in found
    }


def _known() -> Select[Any]:
    """Select what decides where rows belong, and the ids of what is known of it."""
    waiting, number = tables.embargoed.c, tables.proposal_number.c
    same = and_(
        _trait.facility == _row.facility,
        _trait.instrument.is_not_distinct_from(_row.instrument),
        _trait.technique.is_not_distinct_from(_row.technique),
        _trait.kind == _row.kind,
    )
    mine = _row.id.in_(bindparam("rows", expanding=True))
    return (
        select(
            _row.access, _set.visibility, _set.access_class, _set.embargo, waiting.opened,
            _row.facility, _row.instrument, _row.technique, _row.kind,
            _row.id, _row.created, _row.pid, _row.proposal, _trait.id, number.id,
        )
        .outerjoin(tables.access_set, _set.id == _row.access)
        .outerjoin(tables.embargoed, waiting.access == _row.access)
        .outerjoin(tables.trait, same)
        .outerjoin(tables.proposal_number, number.name == _row.proposal)
        .where(mine, _row.newest, _row.withdrawn.is_(None))
    )  # fmt: skip


def _placed() -> Select[Any]:
    """Select where rows and the other versions of their PIDs stand."""
    pids = select(_row.pid).where(_row.id.in_(bindparam("rows", expanding=True)))
    return (
        select(
            _row.id, _listed.created, _listed.pid, _listed.scope, _listed.trait, _listed.proposal
        )
        .outerjoin(tables.listed, _listed.dataset == _row.id)
        .where(_row.pid.in_(pids))
        .order_by(_row.id)
    )


_KNOWN, _PLACES = tables.Prepared(_known()), tables.Prepared(_placed())
_SEALED = tables.Prepared(select(tables.listing_state.c.sealed))
_COUNT = tables.Prepared(
    update(tables.trait)
    .where(_trait.id == bindparam("which"))
    .values(count=_trait.count + bindparam("change"))
)


def _scopes(connection: Connection, found: Iterable[tuple[Any, ...]]) -> dict[int, int]:
    scopes: dict[int, int] = {}
    fresh: dict[int, int] = {}
    for access, visibility, access_class, embargo, opened in found:
        free = visibility == "public" and access_class == "open"
        scopes[access] = OPEN_TO_ALL if free and (embargo is None or opened) else access
        if free and embargo is not None and opened is None:
            fresh[access] = embargo
    scopes.pop(None, None)  # type: ignore[call-overload]
    if fresh:
        rows = [{"access": each, "embargo": end, "opened": False} for each, end in fresh.items()]
        connection.execute(insert(tables.embargoed), rows)
    return scopes


def _proposals(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Make numbers for new proposals."""
    if not names:
        return {}
    columns = tables.proposal_number.c
    connection.execute(insert(tables.proposal_number), [{"name": name} for name in sorted(names)])
    wanted = select(columns.name, columns.id).where(columns.name.in_(sorted(names)))
    return dict(connection.execute(wanted).all())


def _traits(connection: Connection, wanted: Iterable[Any]) -> dict[Facets, int]:
    """Make new combinations of facets; give their ids."""
    ids: dict[Facets, int] = {}
    for facets in wanted:
        named = dict(zip(("facility", "instrument", "technique", "kind"), facets, strict=True))
        ids[facets] = connection.scalars(
            insert(tables.trait).returning(_trait.id), {**named, "count": 0}
        ).one()
    return ids


def _count(connection: Connection, gone: list[Place], come: list[Place]) -> None:
    changes = Counter((place.scope, place.trait) for place in come)
    changes.subtract((place.scope, place.trait) for place in gone)
    rows = [
        {"scope": scope, "trait": trait, "count": change}
        for (scope, trait), change in changes.items()
        if change
    ]
    if not rows:
        return
    tables.add_counts(connection, tables.tally, rows)
    if fewer := [row["scope"] for row in rows if row["count"] < 0]:
        tally = tables.tally.c
        connection.execute(delete(tables.tally).where(tally.count == 0, tally.scope.in_(fewer)))
    traits: Counter[int] = Counter()
    for row in rows:
        traits[row["trait"]] += row["count"]
    changed = [{"which": trait, "change": change} for trait, change in traits.items() if change]
    if changed:
        _COUNT.each(connection, changed)


def _keep_columns(connection: Connection, changed: list[int], after: dict[int, Place]) -> None:
    """Mend the columns where they reach already."""
    sealed = sealed_up_to(connection)
    rows = [row for row in changed if row <= sealed]
    gone = np.array([row for row in rows if row not in after], np.int64)
    there = [row for row in rows if row in after]
    if gone.size:
        for measure in _COLUMNS:
            drop_from_column(connection, measure, gone)
    if there:
        places = [after[row] for row in there]
        keep_places(connection, np.array(there, np.int64), places)


def keep_places(connection: Connection, rows: Any, places: list[Place]) -> None:
    """Put places of rows into the columns."""
    for measure, name in _COLUMNS.items():
        values = np.array([getattr(place, name) for place in places], np.int64)
        put_column(connection, measure, rows, values)


def sealed_up_to(connection: Connection) -> int:
    """Give the last row of ``dataset`` that columns reach; -1 when they were never made."""
    found = _SEALED.value(connection)
    return -1 if found is None else int(found)
