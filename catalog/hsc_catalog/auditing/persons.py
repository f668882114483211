"""Persons: a pseudonym for whoever changes something, and forgetting who it was."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update
from ulid import ULID

from hsc.model import now
from hsc_catalog import tables

_row = tables.person.c
_KNOWN = tables.Prepared(select(_row.id).where(_row.subject == bindparam("subject")))


def pseudonym(
    connection: Connection, subject: str, *, name: str | None = None, address: str | None = None
) -> str:
    """Give the pseudonym of an account, a new one at first; name and address are kept if given.

    Parameters
    ----------
    connection
        The transaction to write in.
    subject
        The account.
    name, address
        What to know of the person from now on; None leaves what is known.
    """
    known = _KNOWN.value(connection, subject=subject)
    told = {key: value for key, value in (("name", name), ("address", address)) if value}
    if known is None:
        known = f"agent:{ULID()}"
        connection.execute(insert(tables.person).values(id=known, subject=subject, **told))
    elif told:
        connection.execute(update(tables.person).where(_row.id == known).values(told))
    return str(known)


def person_of(connection: Connection, agent: str) -> str | None:
    """Give the account behind a pseudonym; None: it was erased, or never known."""
    found: str | None = connection.scalar(select(_row.subject).where(_row.id == agent))
    return found


def erase(connection: Connection, subject: str) -> str | None:
    """Forget account, name and address of a person; the pseudonym stays, and says nothing.

    Returns
    -------
    The pseudonym; None where nobody of that account is known.
    """
    known: str | None = connection.scalar(select(_row.id).where(_row.subject == subject))
    if known is not None:
        gone = {"subject": None, "name": None, "address": None}
        erased = tables.microseconds(now())
        connection.execute(
            update(tables.person).where(_row.id == known).values(erased=erased, **gone)
        )
    return known
