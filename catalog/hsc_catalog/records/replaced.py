"""Replaced documents: keeping them as they stood, and giving them back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from hsc.model import now
from hsc_catalog import tables

_row = tables.history.c


@dataclass(frozen=True, slots=True)
class Replaced:
    """A document that was replaced."""

    revision: int
    """The revision that it was."""
    at: datetime
    """When it was replaced."""
    text: str
    """The document, exactly as it stood."""


def keep_replaced(
    connection: Connection, kind: str, documents: Iterable[tuple[str, int, str]]
) -> None:
    """Keep documents that are about to be replaced.

    Parameters
    ----------
    connection
        The transaction.
    kind
        ``dataset``, ``activity`` or the kind of a noun.
    documents
        Key, revision and text of each.
    """
    at = tables.microseconds(now())
    rows = [
        {"kind": kind, "key": key, "revision": revision, "at": at, "json": text}
        for key, revision, text in documents
    ]
    if rows:
        connection.execute(insert(tables.history), rows)


def list_replaced(connection: Connection, kind: str, key: str) -> list[Replaced]:
    """List the documents that stood before the present one, oldest first."""
    wanted = select(_row.revision, _row.at, _row.json).where(_row.kind == kind, _row.key == key)
    found = connection.execute(wanted.order_by(_row.revision))
    return [Replaced(revision, tables.moment(at), text) for revision, at, text in found]
