"""Documents as SciCat's clients posted them: keeping, changing and finding them by their ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, insert, select, update

from hsc.errors import ConflictError
from hsc_catalog import tables
from hsc_catalog.auditing import Change
from hsc_catalog.wording import text_now

FACE = "scicat"
DocumentKind = Literal["dataset", "origdatablock", "attachment", "sample", "proposal", "instrument"]

_row = tables.foreign_document.c
_BATCH = 500  # ids in one statement


@dataclass(frozen=True)
class Kept:
    """A document that was posted."""

    key: str
    """Its id: a PID, a sample's id ..."""
    pid: str | None
    """The dataset that it is of or belongs to; None: none."""
    document: dict[str, Any]
    """What was posted; of a dataset under ``posted``, with sums over its files beside."""
    created: datetime
    """When it was posted."""
    created_by: str
    """By whom."""
    updated: datetime
    """When it was last changed."""
    updated_by: str
    """By whom."""


def keep(
    connection: Connection,
    kind: DocumentKind,
    key: str,
    document: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
    pid: str | None = None,
    access: int | None = None,
) -> Change:
    """Keep a new document; give the change for the audit log.

    Raises
    ------
    ConflictError
        One of that id is there.
    """
    if connection.scalar(select(_row.id).where(_one(kind, key))) is not None:
        raise ConflictError(
            f"there is a {kind} {key!r} already", next_step="leave the id out: one is made then"
        )
    text, moment = _text(document), tables.microseconds(at)
    values = {"face": FACE, "kind": kind, "key": key, "pid": pid, "access": access, "json": text}
    said = {"created": moment, "updated": moment, "created_by": by, "updated_by": by}
    connection.execute(insert(tables.foreign_document), {**values, **said})
    after = text_now(connection, f"scicat {kind}", key)
    return Change("register", f"scicat {kind}", key, None, after)


def change(
    connection: Connection,
    kind: DocumentKind,
    key: str,
    document: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
) -> Change:
    """Replace a document that is there; give the change for the audit log."""
    before = text_now(connection, f"scicat {kind}", key)
    text = _text(document)
    connection.execute(
        update(tables.foreign_document)
        .where(_one(kind, key))
        .values(json=text, updated=tables.microseconds(at), updated_by=by)
    )
    after = text_now(connection, f"scicat {kind}", key)
    return Change("amend", f"scicat {kind}", key, before, after)


def find(
    connection: Connection,
    kind: DocumentKind,
    *conditions: ColumnElement[bool],
    limit: int | None = None,
) -> list[Kept]:
    """Find documents of a kind, the oldest first."""
    wanted = select(tables.foreign_document).where(_row.face == FACE, _row.kind == kind)
    found = connection.execute(wanted.where(*conditions).order_by(_row.id).limit(limit))
    return [_kept(row) for row in found]


def of_datasets(
    connection: Connection, kind: DocumentKind, pids: Iterable[str]
) -> dict[str, list[Kept]]:
    """Find documents of a kind that belong to datasets, by those."""
    found: dict[str, list[Kept]] = {}
    every = sorted(set(pids))
    for first in range(0, len(every), _BATCH):
        for each in find(connection, kind, _row.pid.in_(every[first : first + _BATCH])):
            found.setdefault(str(each.pid), []).append(each)
    return found


def with_key(key: str) -> ColumnElement[bool]:
    """Give the condition that a document has an id."""
    return _row.key == key


def _one(kind: str, key: str) -> ColumnElement[bool]:
    return (_row.face == FACE) & (_row.kind == kind) & (_row.key == key)


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _kept(row: Any) -> Kept:
    return Kept(
        key=row.key,
        pid=row.pid,
        document=json.loads(row.json),
        created=tables.moment(row.created),
        created_by=row.created_by or "hsc",
        updated=tables.moment(row.updated),
        updated_by=row.updated_by or "hsc",
    )
