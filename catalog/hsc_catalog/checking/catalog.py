"""Checking everything that a catalog holds, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from hsc.errors import CatalogDamagedError
from hsc_catalog import tables
from hsc_catalog.auditing import head, verify_chain
from hsc_catalog.checking.against_log import Told, unlike_the_log
from hsc_catalog.checking.checked import Checked
from hsc_catalog.checking.replaced import unlike_its_log
from hsc_catalog.checking.rows import (
    check_access,
    check_activities,
    check_datasets,
    check_strays,
    check_withdrawn,
)
from hsc_catalog.searching import check_searching


def check_catalog(
    connection: Connection,
    known_head: str | None = None,
    told: Told = lambda kind, count: None,
) -> Checked:
    """Check everything in one transaction; it changes nothing, and may be stopped at any time.

    Parameters
    ----------
    connection
        The transaction to read in.
    known_head
        Digest of a row that was the audit log's newest once; None: its end is not checked.
    told
        Is told what is looked at, and how many of it were.
    """
    found = Checked()
    newest = head(connection)
    found.changes, found.head = newest.number, newest.digest
    try:
        verify_chain(connection, known_head)
    except CatalogDamagedError as error:
        found.note([f"{error.message}: {error.where}"])
    found.note(_broken_references(connection))
    found.note(_version(connection))
    found.note(check_access(connection))
    found.note(check_strays(connection))
    found.note(check_withdrawn(connection))
    found.note(check_searching(connection))
    found.note(check_datasets(connection, found))
    found.note(check_activities(connection, found))
    found.note(unlike_the_log(connection, told))
    found.note(unlike_its_log(connection))
    return found


def _version(connection: Connection) -> Iterator[str]:
    versions = connection.scalars(select(tables.schema_version.c.version)).all()
    if list(versions) != [tables.VERSION]:
        yield f"schema_version says {versions}, these tables are of {tables.VERSION}"


def _broken_references(connection: Connection) -> Iterator[str]:
    if tables.is_postgresql(connection):
        yield from _dangling(connection)
        return
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there"
    for row in connection.exec_driver_sql("PRAGMA quick_check"):
        if row[0] != "ok":
            yield f"the file is damaged: {row[0]}"


def _dangling(connection: Connection) -> Iterator[str]:
    # The server keeps references, unless somebody told it not to.
    for table in tables.metadata.sorted_tables:
        for key in table.foreign_keys:
            column, there = key.parent, key.column
            lost = column.is_not(None) & ~exists().where(there == column)
            for value in connection.scalars(select(column).where(lost).distinct()):
                yield f"{table.name} refers to row {value} of {there.table.name} that is not there"
