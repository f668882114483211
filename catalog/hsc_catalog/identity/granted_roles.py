"""Roles that the catalog itself keeps: administrators and ingestors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select

from hsc.errors import ForbiddenError
from hsc_catalog.access import Caller
from hsc_catalog.auditing import pseudonym
from hsc_catalog.databases import Database
from hsc_catalog.identity.auditing import audited
from hsc_catalog.identity.membership import ROLES, SCOPES, Membership, checked_role, checked_subject
from hsc_catalog.identity.sources import Clock, now
from hsc_catalog.identity.tokens import IssuedToken, create_token
from hsc_catalog.tables import granted_role, microseconds
from hsc_catalog.wording import text_now

_FIRST_DAYS = 30

_row = granted_role.c


class GrantedRoles:
    """Knows the roles that the catalog keeps (`GroupSource`); asked anew at every request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def membership(self, subject: str, claims: Mapping[str, Any]) -> Membership:
        """Give a subject's roles."""
        with self._database.reading() as connection:
            kept = connection.scalars(select(_row.role).where(_row.subject == subject)).all()
        return Membership(roles=frozenset(role for role in ROLES if role in kept))


def grant_role(
    database: Database, caller: Caller, subject: str, role: str, *, clock: Clock = now
) -> bool:
    """Give a subject a role; False: they had it.

    Raises
    ------
    ForbiddenError
        The caller is no administrator.
    ConfigurationError
        There is no such role.
    """
    _check(caller)
    values = {"subject": checked_subject(subject, "the request"), "role": checked_role(role)}
    with database.writing() as connection:
        there = select(_row.role).where(_row.subject == subject, _row.role == role)
        if connection.execute(there).one_or_none() is not None:
            return False
        connection.execute(granted_role.insert(), {**values, "granted": microseconds(clock())})
        key = f"{role}:{pseudonym(connection, subject)}"
        audited(connection, caller, "grant", "role", key)
    return True


def withdraw_role(database: Database, caller: Caller, subject: str, role: str) -> bool:
    """Take a role from a subject; False: the catalog had not given it.

    Raises
    ------
    ForbiddenError
        The caller is no administrator.
    """
    _check(caller)
    with database.writing() as connection:
        key = f"{role}:{pseudonym(connection, subject)}"
        before = text_now(connection, "role", key)
        if before is None:
            return False
        connection.execute(delete(granted_role).where(_row.subject == subject, _row.role == role))
        audited(connection, caller, "withdraw", "role", key, before)
    return True


def list_roles(database: Database) -> list[tuple[str, str]]:
    """List subject and role, sorted."""
    with database.reading() as connection:
        rows = connection.execute(select(_row.subject, _row.role).order_by(_row.subject, _row.role))
        return [(row.subject, row.role) for row in rows]


def has_administrator(database: Database) -> bool:
    """Tell whether the catalog itself knows an administrator."""
    counted = select(func.count()).where(_row.role == "administrator")
    with database.reading() as connection:
        return bool(connection.scalar(counted))


def make_administrator(
    database: Database, caller: Caller, subject: str, *, clock: Clock = now
) -> IssuedToken:
    """Make a subject administrator, and give them a token for the first 30 days."""
    grant_role(database, caller, subject, "administrator", clock=clock)
    return create_token(
        database,
        caller,
        name="first administrator's token",
        scopes=SCOPES,
        subject=subject,
        lasts=timedelta(days=_FIRST_DAYS),
        clock=clock,
    )


def _check(caller: Caller) -> None:
    if caller.operator or ("administrator" in caller.roles and "admin" in caller.scopes):
        return
    raise ForbiddenError("roles are given and taken by administrators, with the scope admin")
