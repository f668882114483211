"""The one door from a request's bearer token and reviewer link to a Caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hsc.errors import UnauthenticatedError
from hsc_catalog.access import ANONYMOUS, Caller, Role, Scope
from hsc_catalog.identity.membership import Membership
from hsc_catalog.identity.reviewer_links import open_link
from hsc_catalog.identity.sources import Clock, SignedIn, Sources, now

_LONGEST = 16_384  # letters; proxies cut headers at 8 to 16 KiB
_ASK = "sign in again: `hsc login`, or make a new token"


def authenticate(
    bearer: str | None, link: str | None, sources: Sources, clock: Clock = now
) -> Caller:
    """Give who is asking.

    Parameters
    ----------
    bearer
        What followed ``Bearer`` in the request's Authorization; None: there was none.
    link
        The secret of a reviewer link; None: there was none. It opens its datasets for reading,
        whoever else the caller is.
    sources
        What is asked who is who.
    clock
        Gives the time; a parameter for tests.

    Raises
    ------
    UnauthenticatedError
        Token or link are unknown, withdrawn or past their time, or the account is disabled.
    CatalogUnavailableError
        A source does not answer; nobody passes for less than they are.
    """
    caller = ANONYMOUS if bearer is None else _signed_in(bearer, sources, clock)
    if link is None:
        return caller
    if sources.database is None:
        raise UnauthenticatedError("this catalog keeps no reviewer links")
    pids = open_link(sources.database, link, clock())
    scopes: frozenset[Scope] = caller.scopes | {"read"}
    return replace(caller, datasets=frozenset(caller.datasets) | pids, scopes=scopes)


def membership(subject: str, claims: Mapping[str, Any], sources: Sources) -> Membership:
    """Give all that the sources know of a subject, and what it means here.

    Raises
    ------
    UnauthenticatedError
        The account is disabled.
    """
    known = Membership()
    for source in sources.groups:
        known |= source.membership(subject, claims)
    if sources.meaning is not None:
        known = sources.meaning(known)
    if known.disabled:
        raise UnauthenticatedError(
            "this account is disabled", next_step="ask whoever runs the catalog to enable it"
        )
    return known


def _signed_in(bearer: str, sources: Sources, clock: Clock) -> Caller:
    who = _whom(bearer, sources, clock)
    known = membership(who.subject, who.claims, sources)
    # An administrator's everyday token is no key to all that there is.
    withheld: frozenset[Role] = (
        frozenset() if "admin" in who.scopes else frozenset({"administrator"})
    )
    return Caller(
        subject=who.subject,
        groups=known.groups,
        roles=known.roles - withheld,
        staff_of=known.staff_of,
        leads=known.leads,
        scopes=who.scopes,
    )


def _whom(bearer: str, sources: Sources, clock: Clock) -> SignedIn:
    # Never repeat a token in an error: errors are logged.
    if not 0 < len(bearer) <= _LONGEST or not bearer.isascii() or not bearer.isprintable():
        raise UnauthenticatedError("the bearer token has a wrong form", next_step=_ASK)
    for source in sources.bearers:
        if source.knows(bearer):
            return source.sign_in(bearer, clock())
    raise UnauthenticatedError(
        "the bearer token is of no kind that this catalog takes", next_step=_ASK
    )
