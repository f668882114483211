"""Requests that come again: the first one is done, the others get its answer."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from hsc.errors import ConflictError
from hsc.model import now
from hsc_catalog import tables
from hsc_catalog.records.posted import Once

KEPT_S = 7 * 24 * 3600
"""For how many seconds an answer is kept."""

_row = tables.idempotency.c


def answered(connection: Connection, subject: str, once: Once) -> str | None:
    """Give what was answered to a request before; None: it is new, and its answer is kept now.

    Raises
    ------
    ConflictError
        The key stands for a request with another body.
    """
    mine = (_row.subject == subject, _row.key == once.key)
    known = connection.execute(select(_row.digest, _row.answer).where(*mine)).one_or_none()
    if known is None:
        at = tables.microseconds(now())
        old = delete(tables.idempotency).where(_row.at < at - KEPT_S * 1_000_000)
        connection.execute(old)
        facts = {"digest": once.digest, "answer": once.answer, "at": at}
        connection.execute(
            insert(tables.idempotency).values(subject=subject, key=once.key, **facts)
        )
        return None
    if known.digest != once.digest:
        raise ConflictError(
            "the idempotency key was used for a request with another body",
            where=once.key,
            next_step="send each request under a key of its own",
        )
    return str(known.answer)
