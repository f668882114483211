"""Signing in with name and password: SciCat's login, and `hsc login`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hsc.errors import UnauthenticatedError
from hsc_catalog.access import Caller, Scope
from hsc_catalog.identity.authenticating import membership
from hsc_catalog.identity.limits import LoginThrottle
from hsc_catalog.identity.sources import Clock, Sources, now
from hsc_catalog.identity.tokens import IssuedToken, create_token

SESSION = timedelta(hours=12)
"""How long a session lasts when nobody says otherwise."""
EVERYDAY_SCOPES: tuple[Scope, ...] = ("read", "ingest", "write", "share")
"""What a session is good for when nobody says otherwise: all but administration."""
_LONGEST = 1024


def sign_in(
    name: str,
    password: str,
    sources: Sources,
    throttle: LoginThrottle,
    address: str,
    *,
    scopes: Iterable[Scope] = EVERYDAY_SCOPES,
    lasts: timedelta = SESSION,
    clock: Clock = now,
) -> IssuedToken:
    """Give a token of a few hours to whoever knows name and password.

    Parameters
    ----------
    name, password
        As they were typed.
    sources
        Of them the passwords are asked in turn; the database keeps the token.
    throttle
        Counts wrong tries.
    address
        Where the try comes from.
    scopes
        What the token is to be good for.
    lasts
        How long it counts.
    clock
        Gives the time; a parameter for tests.

    Raises
    ------
    UnauthenticatedError
        Nobody has that name and password; it is not said which is wrong.
    TooManyRequestsError
        There were too many wrong tries.
    """
    if sources.database is None or not sources.passwords:
        raise UnauthenticatedError(
            "this catalog takes no passwords", next_step="sign in with a token"
        )
    throttle.admit(name, address)
    subject = _subject(name, password, sources)
    if subject is None:
        raise UnauthenticatedError("no such name with this password")
    throttle.succeeded(name, address)
    wanted = tuple(scopes)
    known = membership(subject, {}, sources)
    caller = Caller(subject=subject, roles=known.roles, scopes=frozenset({*wanted, "write"}))
    return create_token(
        sources.database, caller, name="signed in", scopes=wanted, lasts=lasts, clock=clock
    )


def _subject(name: str, password: str, sources: Sources) -> str | None:
    # An empty password is an anonymous bind to LDAP (RFC 4513, 5.1.2), and so must not get there.
    if not name or not password or len(name) > _LONGEST or len(password) > _LONGEST:
        return None
    for source in sources.passwords:
        subject = source.check_password(name, password)
        if subject is not None:
            return subject
    return None
