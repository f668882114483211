"""Upgrading a catalog of an older release: its tables, and what it could not know."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from hsc.model import Dataset, Visibility, now
from hsc_catalog import tables
from hsc_catalog.access import OPERATOR, AccessSet, Standing, instrument_name, interned
from hsc_catalog.access.inheritance import settle
from hsc_catalog.access.standing import NO_PROPOSAL
from hsc_catalog.auditing import Change, note
from hsc_catalog.searching import reindex
from hsc_catalog.wording import WORDED, Agents

_BATCH = 1000  # rows at once


def upgrade(connection: Connection) -> None:
    """Bring the tables up, give everything its access, count it, and begin the audit log.

    All in the given transaction: it is done or it is not.
    """
    # alembic is wanted here and nowhere else: no catalog that is up to date waits for it.
    from hsc_catalog.tables.migrations import upgrade_tables

    upgrade_tables(connection)
    for rows in _documents(connection, tables.dataset_document.c.dataset):
        _fill_datasets(connection, rows)
    for rows in _documents(connection, tables.activity_document.c.activity):
        _fill_activities(connection, rows)
    _share_access(connection)
    pids = connection.scalars(select(tables.dataset.c.pid).where(tables.dataset.c.newest)).all()
    for first in range(0, len(pids), _BATCH):
        # What was derived from others takes on what those ask.
        settle(connection, pids[first : first + _BATCH], tables.microseconds(now()))
    reindex(connection)
    _note_the_rest(connection)


def _note_the_rest(connection: Connection) -> None:
    """Begin the audit log of all that stands beside documents of datasets and activities."""
    agents = Agents(connection, writing=True)
    for kind, worded in WORDED.items():
        if kind in ("dataset", "activity"):
            continue
        things = worded(connection, agents, None)
        while some := list(islice(things, _BATCH)):
            changes = [Change("upgrade", kind, key, None, text) for key, text in some]
            note(connection, OPERATOR.actor, changes)


def _documents(connection: Connection, key: ColumnElement[Any]) -> Iterator[list[tuple[Any, str]]]:
    document = tables.metadata.tables[str(key.table.name)].c.json
    last: Any = None
    while True:
        wanted = select(key, document).order_by(key).limit(_BATCH)
        rows = connection.execute(wanted if last is None else wanted.where(key > last)).all()
        if not rows:
            return
        yield [(row[0], row[1]) for row in rows]
        last = rows[-1][0]


def _fill_datasets(connection: Connection, rows: list[tuple[int, str]]) -> None:
    row, changes = tables.dataset.c, []
    sets: dict[AccessSet, int] = {}
    for key, text in rows:
        dataset = tables.read(Dataset, text)
        stands = _standing(dataset)
        if stands.access not in sets:
            sets[stands.access] = interned(connection, stands.access)
        # When it was registered nobody noted: when it was made comes next.
        at = tables.microseconds(dataset.created)
        known = {"sample": dataset.sample, "registered": at, "updated": at}
        access = {"access": sets[stands.access], "flagged": stands.flagged}
        connection.execute(update(tables.dataset).where(row.id == key).values(known | access))
        name = str(dataset.pid.at(dataset.version))
        changes.append(Change("upgrade", "dataset", name, None, text))
    note(connection, OPERATOR.actor, changes)


def _share_access(connection: Connection) -> None:
    """Let all versions of a dataset stand as the newest does."""
    newest, row = tables.dataset.alias("newest"), tables.dataset.c
    same = (newest.c.pid == row.pid, newest.c.newest)
    names = ("access", "flagged")
    values = {name: select(newest.c[name]).where(*same).scalar_subquery() for name in names}
    connection.execute(update(tables.dataset).where(row.newest.is_(False)).values(values))


def _standing(dataset: Dataset) -> Standing:
    """Give how a dataset stands by the rules for new ones, registered by an operator."""
    known = dataset.proposal is not None
    visibility: Visibility = "group" if known else "private"
    if dataset.visibility == "public":
        visibility = "public"
    stands = Standing(
        str(dataset.pid.latest()),
        dataset.facility,
        dataset.instrument,
        dataset.proposal,
        None,
        None if known else NO_PROPOSAL,
        AccessSet(visibility),
    )
    return replace(stands, access=AccessSet(visibility, own=stands.readers(visibility, ())))


def _fill_activities(connection: Connection, rows: list[tuple[str, str]]) -> None:
    row = tables.activity.c
    # Read as plain JSON: what was recorded stays, also where no release of now could word it.
    made = {key: _generated(text) for key, text in rows}
    instruments = _instruments(connection, sorted(set().union(*made.values())))
    for key, pids in made.items():
        known = next((instruments[pid] for pid in pids if pid in instruments), None)
        if known is not None:
            connection.execute(
                update(tables.activity).where(row.id == key).values(instrument=known)
            )
    changes = [Change("upgrade", "activity", key, None, text) for key, text in rows]
    note(connection, OPERATOR.actor, changes)


def _generated(text: str) -> list[str]:
    return [str(end).partition("@")[0] for end in json.loads(text).get("generated", ())]


def _instruments(connection: Connection, pids: Sequence[str]) -> dict[str, str]:
    row, found = tables.dataset.c, {}
    for first in range(0, len(pids), _BATCH):
        some = row.pid.in_(pids[first : first + _BATCH])
        named = select(row.pid, row.facility, row.instrument).where(
            some, row.instrument.is_not(None)
        )
        for pid, facility, instrument in connection.execute(named):
            found[pid] = instrument_name(facility, instrument)
    return found
