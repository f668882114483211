"""The database that HSC_CATALOG names, opened by whoever may open it: the operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hsc import settings
from hsc.errors import ConfigurationError
from hsc_catalog.databases import Database
from hsc_catalog.sql import open_database


@contextmanager
def opened_database() -> Iterator[Database]:
    """Open the catalog's database for a command of its operator.

    Raises
    ------
    ConfigurationError
        HSC_CATALOG names a served catalog.
    """
    url = settings.catalog_url()
    if url.startswith(("http://", "https://")):
        raise ConfigurationError(
            "this is for whoever may open the catalog's database",
            where=url,
            next_step="run it on the server, with HSC_CATALOG naming the database; "
            "your own tokens are at /v1/tokens",
        )
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()
