"""What every part of the catalog stands on: a database, who asks, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hsc.model import now
from hsc_catalog.access import OPERATOR, Caller, Sight
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

    def sight(self) -> Sight:
        """Give what the caller sees now."""
        return Sight(self.caller, self.clock())
