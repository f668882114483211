"""Agents: pseudonyms in the place of accounts, wherever the audit log has a digest of one."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hsc_catalog import tables
from hsc_catalog.auditing import pseudonym

ERASED = "agent:"
"""How what stands in the place of an erased account begins: it is that account's pseudonym."""

_row = tables.person.c
_PERSON = "user:"


class Agents:
    """Gives the pseudonym of each account, each looked up once in a transaction.

    A digest of somebody's name could be guessed, and would not hold once the name is erased.

    Parameters
    ----------
    connection
        The transaction.
    writing
        Whether an account that has none gets one; else it stands for itself, which no log has.
    """

    def __init__(self, connection: Connection, *, writing: bool = False) -> None:
        self._connection = connection
        self._writing = writing
        self._known: dict[str, str] = {}

    def of(self, subject: str | None) -> str | None:
        """Give the pseudonym of an account; None of None."""
        if subject is None:
            return None
        if subject not in self._known:
            self._known[subject] = self._look_up(subject)
        return self._known[subject]

    def key(self, name: str) -> str:
        """Give a name of an access set with the pseudonym of whom it names, if it names one."""
        return f"{_PERSON}{self.of(name[len(_PERSON) :])}" if name.startswith(_PERSON) else name

    def _look_up(self, subject: str) -> str:
        if subject.startswith(ERASED):
            return subject
        if self._writing:
            return pseudonym(self._connection, subject)
        known = self._connection.scalar(select(_row.id).where(_row.subject == subject))
        return f"unknown:{subject}" if known is None else str(known)
