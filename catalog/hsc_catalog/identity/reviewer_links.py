"""Reviewer links: a secret address that opens some datasets, to read, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from hsc.errors import ForbiddenError, InvalidRecordError, TokenNotFoundError, UnauthenticatedError
from hsc.model import Pid
from hsc_catalog.access import ANONYMOUS, Caller, dataset_visible
from hsc_catalog.databases import Database
from hsc_catalog.identity.auditing import audited
from hsc_catalog.identity.secret_texts import SecretText
from hsc_catalog.identity.sources import Clock, now
from hsc_catalog.tables import dataset, microseconds, moment, reviewer_link, reviewer_link_dataset
from hsc_catalog.wording import text_now

KIND = "hscr"
DAYS = 90
MOST_DAYS = 365
MOST_DATASETS = 1000
_LONGEST_NOTE = 500

_row = reviewer_link.c
_opened = reviewer_link_dataset.c


@dataclass(frozen=True)
class ReviewerLink:
    """What is known of a reviewer link; its secret is not."""

    id: str
    """What it is listed and withdrawn by."""
    subject: str
    """Who made it."""
    pids: tuple[Pid, ...]
    """The datasets it opens, in all their versions."""
    note: str
    """What it was made for."""
    created: datetime
    """When it was made."""
    expires: datetime
    """When it stops to count."""
    revoked: datetime | None = None
    """When it was withdrawn; None: it was not."""

    def document(self) -> dict[str, Any]:
        """Give it as it stands in an answer."""
        return {
            "id": self.id,
            "subject": self.subject,
            "pids": [str(pid) for pid in self.pids],
            "note": self.note,
            "created": self.created.isoformat(),
            "expires": self.expires.isoformat(),
            "revoked": self.revoked.isoformat() if self.revoked else None,
        }


@dataclass(frozen=True)
class IssuedLink:
    """A new link with its secret, which nobody can be told again."""

    link: ReviewerLink
    """What is kept of it."""
    text: str = field(repr=False)
    """What to send with a request."""

    def document(self) -> dict[str, Any]:
        """Give it as it stands in the one answer that shows the secret."""
        return {**self.link.document(), "link": self.text}


def create_link(
    database: Database,
    caller: Caller,
    pids: Iterable[Pid],
    *,
    note: str = "",
    lasts: timedelta = timedelta(days=DAYS),
    allowed: Callable[[Connection], None] | None = None,
    clock: Clock = now,
) -> IssuedLink:
    """Make a link that opens datasets, to read.

    Parameters
    ----------
    database
        The catalog's.
    caller
        Who makes it.
    pids
        What it opens.
    note
        What it is for.
    lasts
        How long, at most `MOST_DAYS` days.
    allowed
        Raises where the caller may not share one of the datasets (`hsc_catalog.access`); asked in
        the transaction that keeps the link, so that nothing becomes stricter between the two.
    clock
        Gives the time; a parameter for tests.

    Raises
    ------
    ForbiddenError
        The caller's token is not good for sharing.
    InvalidRecordError
        No datasets, too many, or a time that no link can have.
    """
    if not caller.operator and ("share" not in caller.scopes or caller.subject is None):
        raise ForbiddenError("the token you signed in with shares nothing: it lacks scope share")
    opened = tuple(sorted({pid.latest() for pid in pids}, key=str))
    if not 0 < len(opened) <= MOST_DATASETS:
        raise InvalidRecordError(f"a link opens 1 to {MOST_DATASETS} datasets", where="/pids")
    if not timedelta(0) < lasts <= timedelta(days=MOST_DAYS):
        raise InvalidRecordError(f"a link lasts up to {MOST_DAYS} days", where="/expires")
    if len(note) > _LONGEST_NOTE:
        raise InvalidRecordError(f"a note has up to {_LONGEST_NOTE} letters", where="/note")
    made, created = SecretText.new(KIND), clock()
    subject = caller.subject or "operator"
    link = ReviewerLink(made.id, subject, opened, note, created, created + lasts)
    with database.writing() as connection:
        if allowed is not None:
            allowed(connection)
        connection.execute(reviewer_link.insert(), _values(link, made.digest))
        rows = [{"link": link.id, "pid": str(pid)} for pid in opened]
        connection.execute(reviewer_link_dataset.insert(), rows)
        audited(connection, caller, "create", "link", link.id)
    return IssuedLink(link, made.reveal())


def list_links(
    database: Database, pid: Pid, caller: Caller = ANONYMOUS, *, clock: Clock = now
) -> list[ReviewerLink]:
    """List the links that open a dataset, newest first; for whoever may share it.

    Of a link's other datasets those are told that the caller may see.
    """
    opening = select(_opened.link).where(_opened.pid == str(pid.latest()))
    chosen = select(reviewer_link).where(_row.id.in_(opening))
    with database.reading() as connection:
        rows = connection.execute(chosen.order_by(_row.created.desc(), _row.id)).all()
        links = [_link(connection, row) for row in rows]
        return [_seen(connection, link, pid, caller, clock()) for link in links]


def revoke_link(
    database: Database, caller: Caller, pid: Pid, id: str, *, clock: Clock = now
) -> ReviewerLink:
    """Withdraw a link at once; for whoever may share one of the datasets it opens.

    Raises
    ------
    TokenNotFoundError
        No link of that id opens the dataset.
    ForbiddenError
        The caller's token is not good for sharing.
    """
    if not caller.operator and "share" not in caller.scopes:
        raise ForbiddenError("the token you signed in with shares nothing: it lacks scope share")
    with database.writing() as connection:
        row = connection.execute(select(reviewer_link).where(_row.id == id)).one_or_none()
        link = None if row is None else _link(connection, row)
        if link is None or pid.latest() not in link.pids:
            raise TokenNotFoundError("there is no such reviewer link", where=id[:64])
        if link.revoked is None:
            at, before = microseconds(clock()), text_now(connection, "link", id)
            connection.execute(update(reviewer_link).where(_row.id == id).values(revoked=at))
            audited(connection, caller, "revoke", "link", id, before)
        gone = connection.execute(select(reviewer_link).where(_row.id == id)).one()
        return _seen(connection, _link(connection, gone), pid, caller, clock())


def open_link(database: Database, text: str, at: datetime) -> frozenset[Pid]:
    """Give the datasets that a link's secret opens.

    Raises
    ------
    UnauthenticatedError
        It is unknown, withdrawn or past its time.
    """
    shown = SecretText.read(text, KIND)
    if shown is None:
        raise UnauthenticatedError("this is no whole reviewer link")
    with database.reading() as connection:
        row = connection.execute(select(reviewer_link).where(_row.id == shown.id)).one_or_none()
        if not shown.matches(row.digest if row is not None else None) or row is None:
            raise UnauthenticatedError("there is no such reviewer link")
        if row.revoked is not None or row.expires <= microseconds(at):
            raise UnauthenticatedError(
                "this reviewer link does not count any more", next_step="ask for a new one"
            )
        return frozenset(_link(connection, row).pids)


def _values(link: ReviewerLink, digest: str) -> dict[str, Any]:
    return {
        "id": link.id,
        "digest": digest,
        "subject": link.subject,
        "note": link.note,
        "created": microseconds(link.created),
        "expires": microseconds(link.expires),
    }


def _pids(connection: Connection, id: str) -> Sequence[str]:
    return connection.scalars(
        select(_opened.pid).where(_opened.link == id).order_by(_opened.pid)
    ).all()


def _seen(
    connection: Connection, link: ReviewerLink, pid: Pid, caller: Caller, at: datetime
) -> ReviewerLink:
    others = [str(each) for each in link.pids if each != pid.latest()]
    seen = select(dataset.c.pid).where(
        dataset.c.pid.in_(others), dataset.c.newest, dataset_visible(caller, at)
    )
    told = {str(pid.latest()), *connection.scalars(seen)}
    return replace(link, pids=tuple(each for each in link.pids if str(each) in told))


def _link(connection: Connection, row: Row[Any]) -> ReviewerLink:
    pids = tuple(Pid.parse(text) for text in _pids(connection, row.id))
    revoked = None if row.revoked is None else moment(row.revoked)
    times = moment(row.created), moment(row.expires), revoked
    return ReviewerLink(row.id, row.subject, pids, row.note, *times)
