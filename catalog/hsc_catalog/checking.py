"""Checking a catalog: whether chain, documents, counts, references and access agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Table, func, select

from hsc.errors import CatalogDamagedError
from hsc.model import Activity, Dataset, Record
from hsc_catalog import tables
from hsc_catalog.auditing import digest_of, head, verify_chain
from hsc_catalog.searching import check_searching

_BATCH = 500  # rows at once


@dataclass
class Checked:
    """What a check found."""

    datasets: int = 0
    """Versions of datasets."""
    activities: int = 0
    """Activities."""
    changes: int = 0
    """Rows of the audit log."""
    head: str = ""
    """Digest of the audit log's newest row."""
    faults: list[str] = field(default_factory=list)
    """What does not agree, each in a line."""

    def document(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def check_catalog(connection: Connection, known_head: str | None = None) -> Checked:
    """Check everything in one transaction.

    Parameters
    ----------
    connection
        The transaction to read in.
    known_head
        Digest of a row that was the audit log's newest once; None: its end is not checked.
    """
    found = Checked()
    newest = head(connection)
    found.changes, found.head = newest.number, newest.digest
    try:
        verify_chain(connection, known_head)
    except CatalogDamagedError as error:
        found.faults.append(f"{error.message}: {error.where}")
    found.faults += _broken_references(connection)
    found.faults += _lost_access(connection)
    found.faults += check_searching(connection)
    for name, text in _datasets(connection):
        found.datasets += 1
        found.faults += _read(Dataset, f"dataset {name}", text)
    for name, text in _activities(connection):
        found.activities += 1
        found.faults += _read(Activity, f"activity {name}", text)
    found.faults += _unlike_the_log(connection, "dataset", _datasets(connection))
    found.faults += _unlike_the_log(connection, "activity", _activities(connection))
    return found


def _broken_references(connection: Connection) -> Iterator[str]:
    if tables.is_postgresql(connection):
        return  # the server keeps them
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there"
    for row in connection.exec_driver_sql("PRAGMA quick_check"):
        if row[0] != "ok":
            yield f"the file is damaged: {row[0]}"


def _lost_access(connection: Connection) -> Iterator[str]:
    row = tables.dataset.c
    for pid in connection.scalars(select(row.pid).where(row.access.is_(None))):
        yield f"dataset {pid} has no access set"
    newest = func.sum(func.cast(row.newest, tables.dataset.c.id.type))
    several = func.count(func.distinct(row.access))
    grouped = select(row.pid, newest, several).group_by(row.pid)
    for pid, count, sets in connection.execute(grouped):
        if count != 1:
            yield f"dataset {pid} has {count} newest versions"
        if sets > 1:
            yield f"dataset {pid} has {sets} access sets in its versions"


def _datasets(connection: Connection) -> Iterator[tuple[str, str]]:
    row = tables.dataset.c
    names = select(row.id, row.pid, row.version, tables.dataset_document.c.json)
    wanted = names.join(tables.dataset_document).order_by(row.id)
    for _, pid, version, text in _paged(connection, wanted, row.id):
        yield f"{pid}@{version}", text


def _activities(connection: Connection) -> Iterator[tuple[str, str]]:
    row = tables.activity.c
    wanted = select(row.id, tables.activity_document.c.json).join(tables.activity_document)
    yield from _paged(connection, wanted.order_by(row.id), row.id)


def _paged(connection: Connection, wanted: Any, key: Any) -> Iterator[Any]:
    last = None
    while True:
        more = wanted if last is None else wanted.where(key > last)
        rows = connection.execute(more.limit(_BATCH)).all()
        yield from rows
        if not rows:
            return
        last = rows[-1][0]


def _read(kind: type[Record], name: str, text: str) -> Iterator[str]:
    try:
        tables.read(kind, text)
    except (ValidationError, ValueError) as error:
        yield f"{name} can't be read: {str(error).splitlines()[0]}"


def _unlike_the_log(
    connection: Connection, kind: str, documents: Iterator[tuple[str, str]]
) -> Iterator[str]:
    """Compare each document with the digest that the log has of its last change."""
    batch: dict[str, str] = {}
    for name, text in documents:
        batch[name] = text
        if len(batch) == _BATCH:
            yield from _differing(connection, tables.audit, kind, batch)
            batch = {}
    yield from _differing(connection, tables.audit, kind, batch)


def _differing(
    connection: Connection, log: Table, kind: str, batch: dict[str, str]
) -> Iterator[str]:
    row = log.c
    wanted = select(row.key, row.after).where(row.kind == kind, row.key.in_(list(batch)))
    # Of several changes the last one stays.
    logged = {each.key: each.after for each in connection.execute(wanted.order_by(row.number))}
    for name, text in batch.items():
        if name not in logged:
            yield f"{kind} {name} is not in the audit log"
        elif logged[name] != digest_of(text):
            yield f"{kind} {name} is not as the audit log has it"
