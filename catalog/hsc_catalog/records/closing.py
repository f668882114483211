"""Closing reviewer links to datasets that became stricter since the links were made."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, delete, exists, select, update

from hsc.model import now
from hsc_catalog import tables
from hsc_catalog.auditing import Change
from hsc_catalog.wording import texts_now

_BATCH = 500  # PIDs in one statement

_opened = tables.reviewer_link_dataset.c
_link = tables.reviewer_link.c


def close_links(connection: Connection, pids: Iterable[str]) -> list[Change]:
    """Take datasets out of all links; one that opens nothing any more is withdrawn."""
    wanted, changes = sorted(set(pids)), []
    for first in range(0, len(wanted), _BATCH):
        some = _opened.pid.in_(wanted[first : first + _BATCH])
        found = connection.execute(
            select(_opened.link, _opened.pid).where(some).order_by(_opened.link, _opened.pid)
        ).all()
        connection.execute(delete(tables.reviewer_link_dataset).where(some))
        empty = and_(
            _link.id.in_({link for link, _ in found}),
            _link.revoked.is_(None),
            ~exists().where(_opened.link == _link.id),
        )
        if found:
            at = tables.microseconds(now())
            connection.execute(update(tables.reviewer_link).where(empty).values(revoked=at))
        texts = texts_now(connection, "link", (link for link, _ in found))
        changes += [Change("close", "link", link, pid, texts[link]) for link, pid in found]
    return changes
