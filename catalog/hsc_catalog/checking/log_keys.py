"""The keys that the audit log has, some hundred at a time, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, select

from hsc_catalog import tables

BATCH = 500
"""Keys at once."""

_log = tables.audit.c


def log_keys(connection: Connection, *which: ColumnElement[bool]) -> Iterator[Sequence[str]]:
    """Go through the keys of some of the log's rows, each once, in their order."""
    wanted = select(_log.key).where(*which).group_by(_log.key).order_by(_log.key)
    last: str | None = None
    while True:
        more = wanted if last is None else wanted.where(_log.key > last)
        keys = connection.scalars(more.limit(BATCH)).all()
        if keys:
            yield keys
        if len(keys) < BATCH:
            return
        last = keys[-1]
