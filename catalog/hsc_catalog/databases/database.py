"""The seam between the catalog's statements and the database that they run on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection

Upgrade = Callable[[Connection], None]
"""Upgrades the tables of an older release, with all they hold, in the transaction it is given."""


class Database(Protocol):
    """A database with the catalog's tables in place, for several threads and processes at once."""

    url: str
    """Where it is, without credentials."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Read in one transaction: all statements see the same state."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """Write in one transaction, one writer at a time; an error undoes it."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
