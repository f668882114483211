"""What every part of the catalog stands on: a database, who asks, and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from hsc.model import now
from hsc_catalog.access import OPERATOR, Caller, Sight, require
from hsc_catalog.databases import Database


class OnDatabase:
    """A database with a caller.

    Parameters
    ----------
    database
        Where the tables are.
    caller
        Who asks; by default whoever opened the database itself.
    clock
        Gives the moment: embargoes end by it.
    """

    def __init__(
        self,
        database: Database,
        caller: Caller = OPERATOR,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.database = database
        self.caller = caller
        self.clock = clock
        self.url = database.url

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read in one transaction, with a token that is good for reading.

        Raises
        ------
        ForbiddenError
            The caller's token is not.
        """
        require(self.caller, "read")
        with self.database.reading() as connection:
            yield connection

    def sight(self) -> Sight:
        """Give what the caller sees now."""
        return Sight(self.caller, self.clock())
