"""The seams that identity comes through, and the sources that one catalog asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from hsc_catalog.access import Scope
from hsc_catalog.databases import Database
from hsc_catalog.identity.membership import Membership

Clock = Callable[[], datetime]
"""Gives the time, aware and in UTC."""


def now() -> datetime:
    """Give the time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class SignedIn:
    """Whom a bearer token names."""

    subject: str
    """The person or program, as every source of groups knows it."""
    scopes: frozenset[Scope]
    """What the token is good for."""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the token itself says of the subject; empty for the catalog's own tokens."""


class BearerSource(Protocol):
    """Knows bearer tokens of one kind."""

    def knows(self, bearer: str) -> bool:
        """Tell whether a token is of this kind, valid or not; costs nothing."""
        ...

    def sign_in(self, bearer: str, now: datetime) -> SignedIn:
        """Give whom a token names.

        Raises
        ------
        UnauthenticatedError
            The token does not count, or not any more.
        CatalogUnavailableError
            What it is checked against can't be had now.
        """
        ...


class GroupSource(Protocol):
    """Knows what a subject belongs to; asked at every request, never copied into the database."""

    def membership(self, subject: str, claims: Mapping[str, Any]) -> Membership:
        """Give what is known of a subject; `NOBODY` when it is unknown here.

        Raises
        ------
        CatalogUnavailableError
            The source does not answer: nobody may then pass for less, or more, than they are.
        """
        ...


class PasswordSource(Protocol):
    """Knows people by name and password."""

    def check_password(self, name: str, password: str) -> str | None:
        """Give the subject when the password is theirs, else None.

        Raises
        ------
        CatalogUnavailableError
            The source does not answer.
        """
        ...


@dataclass(frozen=True)
class Sources:
    """All that one catalog asks who is who."""

    database: Database | None = None
    """Keeps reviewer links, API tokens and roles; None: there are none."""
    bearers: tuple[BearerSource, ...] = ()
    """Each is asked whether a bearer token is of its kind, in this order."""
    groups: tuple[GroupSource, ...] = ()
    """All are asked, and their answers joined."""
    meaning: Callable[[Membership], Membership] | None = None
    """Adds what belonging to a group means here (see `AccountsFile.meaning`); None: nothing."""
    passwords: tuple[PasswordSource, ...] = ()
    """The first that knows name and password decides."""
