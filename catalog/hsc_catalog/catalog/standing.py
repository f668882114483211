"""What every part of the catalog stands on: a database, and who asks."""

from __future__ import annotations

from hsc_catalog.access import OPERATOR, Caller
from hsc_catalog.databases import Database


class OnDatabase:
    """A database with a caller."""

    def __init__(self, database: Database, caller: Caller = OPERATOR) -> None:
        self.database = database
        self.caller = caller
        self.url = database.url
