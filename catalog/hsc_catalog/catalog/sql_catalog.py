"""SqlCatalog: what is told, asked and tended, for one caller on one database."""

from __future__ import annotations

from typing import Self

from hsc_catalog.access import Caller
from hsc_catalog.catalog.asking import Asking
from hsc_catalog.catalog.telling import Telling
from hsc_catalog.catalog.tending import Tending


class SqlCatalog(Telling, Asking, Tending):
    """A catalog in an SQL database (`hsc.client.Catalog`).

    Every method is one transaction, and raises CatalogUnavailableError when the database can't be
    used. What the caller may not see is not there, by any method.

    Parameters
    ----------
    database
        Where the tables are.
    caller
        Who asks; by default whoever opened the database itself.
    clock
        Gives the moment: embargoes end by it.
    """

    def seen_by(self, caller: Caller) -> SqlCatalog:
        """Give the same catalog as somebody else sees it; closing it closes this one too."""
        return SqlCatalog(self.database, caller, self.clock)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
