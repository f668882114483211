"""Granting: how a dataset stands for those who may know, and changes of that, audited."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from hsc.errors import ForbiddenError
from hsc.model import Access, AccessChange
from hsc_catalog import tables
from hsc_catalog.access import (
    Restood,
    Sight,
    Standing,
    change,
    knows_access,
    move,
    standings,
)
from hsc_catalog.auditing import Change
from hsc_catalog.records.closing import close_links
from hsc_catalog.records.reading import Version
from hsc_catalog.searching import relist
from hsc_catalog.wording import Agents, standing_text

_BATCH = 500  # PIDs in one statement


def standing_of(connection: Connection, version: Version) -> Standing:
    """Give how a dataset stands, by a version of it that the caller was shown."""
    pid = str(version.pid.latest())
    return standings(connection, [pid])[pid]


def known_access(connection: Connection, sight: Sight, version: Version) -> Access | None:
    """Give who may see a dataset; None: that is not for the caller to know."""
    entry = standing_of(connection, version)
    return entry.document() if knows_access(sight.caller, entry) else None


def get_access(connection: Connection, sight: Sight, version: Version) -> Access:
    """Give who may see a dataset.

    Raises
    ------
    ForbiddenError
        The caller may see the dataset, but not this.
    """
    access = known_access(connection, sight, version)
    if access is None:
        raise ForbiddenError(
            "who else may see this dataset is not for you to know",
            where=str(version.pid),
            next_step="members of its proposal and staff of its instrument may ask",
        )
    return access


def grant(
    connection: Connection, sight: Sight, version: Version, asked: AccessChange
) -> list[Change]:
    """Change who may see a dataset and what came of it; give what changed, and why.

    Raises
    ------
    ForbiddenError
        The caller may not share it, or inputs stand in the way.
    ConflictError
        The change is none that can be made.
    """
    entry = standing_of(connection, version)
    done = change(connection, sight.caller, entry, asked, sight.now)
    why = Change("change_access", "reason", entry.pid, None, tables.written(asked))
    return [why, *tell_restood(connection, done)]


def stand_as(connection: Connection, sight: Sight, pid: str, told: Access) -> list[Change]:
    """Let a dataset stand as another catalog says that it stood there; give what changed.

    Its owner and why somebody should look at it are left: those are of this catalog.

    Raises
    ------
    ForbiddenError
        The caller may not share it.
    """
    entry = standings(connection, [pid])[pid]
    before = entry.document()
    asked = AccessChange(
        visibility=told.visibility,
        access_class=told.access_class,
        add_groups=tuple(set(told.groups) - set(before.groups)),
        remove_groups=tuple(set(before.groups) - set(told.groups)),
        embargo_until=told.embargo_until,
        release_embargo=told.embargo_until is None,
        reason="as it stood where it was exported",
    )
    return tell_restood(connection, change(connection, sight.caller, entry, asked, sight.now))


def follow(
    connection: Connection, sight: Sight, version: Version, before: Standing
) -> list[Change]:
    """Let access follow an amendment that was just made; give what changed.

    Raises
    ------
    ForbiddenError
        The caller may not take it out of its proposal, or not put it into the other.
    """
    after = standing_of(connection, version)  # by the newest version, whichever was amended
    if (after.proposal, after.instrument) == (before.proposal, before.instrument):
        return []
    moved = before.moved(after.proposal, after.instrument)
    return tell_restood(connection, move(connection, sight.caller, before, moved, sight.now))


def tell_restood(connection: Connection, done: Iterable[Restood]) -> list[Change]:
    """Let searches and links know of datasets that stand otherwise; give what changed."""
    done = list(done)
    pids, row = sorted(each.after.pid for each in done), tables.dataset.c
    for start in range(0, len(pids), _BATCH):
        some = row.pid.in_(pids[start : start + _BATCH])
        relist(connection, connection.scalars(select(row.id).where(some, row.newest)).all())
    closed = close_links(connection, (each.after.pid for each in done if each.closes_links()))
    agents = Agents(connection, writing=True)
    return [
        *(
            Change(
                "change_access",
                "access",
                each.after.pid,
                standing_text(each.before, agents),
                standing_text(each.after, agents),
            )
            for each in done
        ),
        *closed,
    ]
