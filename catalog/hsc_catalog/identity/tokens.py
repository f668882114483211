"""API tokens: made, listed, withdrawn, and whom one names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from hsc.errors import ForbiddenError, InvalidRecordError, TokenNotFoundError, UnauthenticatedError
from hsc_catalog.access import Caller, Scope
from hsc_catalog.databases import Database
from hsc_catalog.identity.auditing import audited
from hsc_catalog.identity.membership import SCOPES, checked_subject
from hsc_catalog.identity.secret_texts import SecretText
from hsc_catalog.identity.sources import Clock, SignedIn, now
from hsc_catalog.tables import api_token, microseconds, moment
from hsc_catalog.wording import text_now

KIND = "hsc"
DAYS = 90
"""How long a token lasts when nobody says otherwise."""
MOST_DAYS = 365
MOST_TOKENS = 200
"""How many tokens that count one subject may have."""
_LONGEST_NAME = 200
_HOUR = 3600 * 10**6  # microseconds

_row = api_token.c


@dataclass(frozen=True)
class Token:
    """What is known of an API token; its secret is not."""

    id: str
    """What it is listed and withdrawn by."""
    subject: str
    """Whom it names."""
    name: str
    """What its maker called it."""
    scopes: tuple[Scope, ...]
    """What it is good for, sorted."""
    created: datetime
    """When it was made."""
    expires: datetime
    """When it stops to count."""
    revoked: datetime | None = None
    """When it was withdrawn; None: it was not."""
    used: datetime | None = None
    """When it was last used, rounded down to the hour; None: never."""

    def document(self) -> dict[str, Any]:
        """Give it as it stands in an answer."""
        times = {name: getattr(self, name) for name in ("created", "expires", "revoked", "used")}
        return {
            "id": self.id,
            "subject": self.subject,
            "name": self.name,
            "scopes": list(self.scopes),
            **{name: at.isoformat() if at else None for name, at in times.items()},
        }


@dataclass(frozen=True)
class IssuedToken:
    """A new token with its text, which nobody can be told again."""

    token: Token
    """What is kept of it."""
    text: str = field(repr=False)
    """What to send as bearer token."""

    def document(self) -> dict[str, Any]:
        """Give it as it stands in the one answer that shows the text."""
        return {**self.token.document(), "token": self.text}


def create_token(
    database: Database,
    caller: Caller,
    *,
    name: str,
    scopes: Iterable[str],
    subject: str | None = None,
    lasts: timedelta = timedelta(days=DAYS),
    clock: Clock = now,
) -> IssuedToken:
    """Make a token for the caller, or, as the operator, for anybody.

    Parameters
    ----------
    database
        The catalog's.
    caller
        Who asks; needs the scope ``write``, and every scope that the token is to have.
    name
        What to call it.
    scopes
        What it is to be good for, of `SCOPES`.
    subject
        Whom it names; None: the caller.
    lasts
        How long, at most `MOST_DAYS` days.
    clock
        Gives the time; a parameter for tests.

    Raises
    ------
    ForbiddenError
        The caller may not make such a token.
    InvalidRecordError
        Name, scopes or time are none that a token can have.
    """
    whose = _owner(caller, subject)
    wanted = _checked_scopes(caller, scopes)
    if not timedelta(0) < lasts <= timedelta(days=MOST_DAYS):
        raise InvalidRecordError(f"a token lasts up to {MOST_DAYS} days", where="/expires")
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidRecordError("a token's name is 1 to 200 printable letters", where="/name")
    made, created = SecretText.new(KIND), clock()
    token = Token(made.id, whose, name, wanted, created, created + lasts)
    with database.writing() as connection:
        _check_room(connection, whose, created)
        connection.execute(api_token.insert(), _values(token, made.digest))
        audited(connection, caller, "create", "token", token.id)
    return IssuedToken(token, made.reveal())


def list_tokens(database: Database, caller: Caller, *, subject: str | None = None) -> list[Token]:
    """List the caller's tokens, or, as operator, a subject's or (None) everybody's; newest first.

    Raises
    ------
    UnauthenticatedError
        The caller is nobody.
    """
    chosen = select(api_token).order_by(_row.created.desc(), _row.id)
    if not caller.operator:
        chosen = chosen.where(_row.subject == _own(caller))
    elif subject is not None:
        chosen = chosen.where(_row.subject == subject)
    with database.reading() as connection:
        return [_token(row) for row in connection.execute(chosen)]


def revoke_token(database: Database, caller: Caller, id: str, *, clock: Clock = now) -> Token:
    """Withdraw a token at once: one's own, or, as operator or administrator, anybody's.

    Raises
    ------
    TokenNotFoundError
        There is none of that id that the caller may withdraw.
    """
    with database.writing() as connection:
        row = connection.execute(select(api_token).where(_row.id == id)).one_or_none()
        if row is None or not _may_revoke(caller, row.subject):
            raise TokenNotFoundError(
                "there is no such token", where=id[:64], next_step="`hsc token list` lists yours"
            )
        token = _token(row)
        if token.revoked is None:
            at, before = microseconds(clock()), text_now(connection, "token", id)
            connection.execute(update(api_token).where(_row.id == id).values(revoked=at))
            audited(connection, caller, "revoke", "token", id, before)
        return _token(connection.execute(select(api_token).where(_row.id == id)).one())


class TokenSource:
    """Knows the API tokens that a catalog keeps (`BearerSource`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def knows(self, bearer: str) -> bool:
        """Tell whether a text is meant as an API token."""
        return bearer.startswith(f"{KIND}_")

    def sign_in(self, bearer: str, now: datetime) -> SignedIn:
        """Give whom a token names; its last use is noted at most once an hour.

        Raises
        ------
        UnauthenticatedError
            It is unknown, withdrawn or past its time.
        """
        shown = SecretText.read(bearer, KIND)
        if shown is None:
            raise UnauthenticatedError("this is no whole API token")
        with self._database.reading() as connection:
            row = connection.execute(select(api_token).where(_row.id == shown.id)).one_or_none()
        if not shown.matches(row.digest if row is not None else None) or row is None:
            raise UnauthenticatedError("there is no such token", next_step="make a new one")
        if row.revoked is not None:
            raise UnauthenticatedError("this token was withdrawn", next_step="make a new one")
        if row.expires <= microseconds(now):
            raise UnauthenticatedError("this token is past its time", next_step="make a new one")
        self._note_use(row, microseconds(now) // _HOUR * _HOUR)
        return SignedIn(row.subject, frozenset(_scopes(row)))

    def _note_use(self, row: Row[Any], hour: int) -> None:
        if row.used is not None and row.used >= hour:
            return
        with self._database.writing() as connection:
            connection.execute(update(api_token).where(_row.id == row.id).values(used=hour))


def _own(caller: Caller) -> str:
    if caller.subject is None:
        raise UnauthenticatedError(
            "tokens belong to whoever is signed in", next_step="sign in first"
        )
    return caller.subject


def _owner(caller: Caller, subject: str | None) -> str:
    if caller.operator and subject is not None:
        return checked_subject(subject, "the option")
    own = _own(caller)
    if subject not in (None, own):
        raise ForbiddenError("a token can be made for oneself only")
    if "write" not in caller.scopes:
        raise ForbiddenError("the token you signed in with makes no tokens: it lacks scope write")
    return own


def _checked_scopes(caller: Caller, scopes: Iterable[str]) -> tuple[Scope, ...]:
    given = set(scopes)
    unknown = sorted(given - set(SCOPES))
    wanted = tuple(sorted(scope for scope in SCOPES if scope in given))
    if unknown or not wanted:
        raise InvalidRecordError(
            f"there is no scope {unknown[0]!r}" if unknown else "a token needs a scope",
            where="/scopes",
            next_step=f"these are: {', '.join(SCOPES)}",
        )
    if not caller.operator:
        if missing := [scope for scope in wanted if scope not in caller.scopes]:
            raise ForbiddenError(f"you have no scope {', '.join(missing)} to give on")
        if "admin" in wanted and "administrator" not in caller.roles:
            raise ForbiddenError("the scope admin is for administrators")
    return wanted


def _check_room(connection: Connection, subject: str, at: datetime) -> None:
    counting = (_row.subject == subject, _row.revoked.is_(None), _row.expires > microseconds(at))
    count = connection.scalar(select(func.count()).select_from(api_token).where(*counting))
    if (count or 0) >= MOST_TOKENS:
        raise ForbiddenError(
            f"there are {count} tokens already", next_step="withdraw some: `hsc token revoke ID`"
        )


def _may_revoke(caller: Caller, subject: str) -> bool:
    if caller.operator or ("administrator" in caller.roles and "admin" in caller.scopes):
        return True
    return caller.subject == subject and "write" in caller.scopes


def _values(token: Token, digest: str) -> dict[str, Any]:
    return {
        "id": token.id,
        "digest": digest,
        "subject": token.subject,
        "name": token.name,
        "scopes": " ".join(token.scopes),
        "created": microseconds(token.created),
        "expires": microseconds(token.expires),
    }


def _token(row: Row[Any]) -> Token:
    later = (None if at is None else moment(at) for at in (row.revoked, row.used))
    times = moment(row.created), moment(row.expires)
    return Token(row.id, row.subject, row.name, _scopes(row), *times, *later)


def _scopes(row: Row[Any]) -> tuple[Scope, ...]:
    kept = row.scopes.split()
    return tuple(sorted(scope for scope in SCOPES if scope in kept))
