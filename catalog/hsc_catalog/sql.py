"""Opening a catalog in an SQL database, by its URL."""

from __future__ import annotations

from pathlib import Path

from hsc.errors import ConfigurationError
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.databases import Database, PostgresqlDatabase, SqliteDatabase
from hsc_catalog.searching import prepared
from hsc_catalog.upgrading import upgrade


def open_catalog(url: str, *, busy_timeout_s: float = 30.0) -> SqlCatalog:
    """Open the catalog in an SQLite file; make folder, file and tables on first use.

    Tables of an older release are upgraded, after a copy of the file was laid beside it.

    Parameters
    ----------
    url
        ``sqlite:////absolute/path`` or ``sqlite:///path/from/here``; the path is taken as written.
    busy_timeout_s
        How long to wait for somebody else's transaction.

    Raises
    ------
    ConfigurationError
        The URL names no file.
    CatalogUnavailableError
        The file can't be opened or is no catalog.
    FormatVersionError
        The file was written by a newer release.
    """
    return SqlCatalog(prepared(SqliteDatabase(_file(url), busy_timeout_s, upgrade)))


def open_postgresql(
    url: str, *, lock_timeout_s: float = 30.0, upgraded: bool = False
) -> SqlCatalog:
    """Open the catalog in a PostgreSQL database; make the tables on first use.

    Parameters
    ----------
    url
        ``postgresql://account:password@host:port/database``; what is left out is found as every
        PostgreSQL program finds it (``PGPASSFILE``, ``PGSERVICE`` ...). Off loopback the
        connection is encrypted unless ``sslmode`` says otherwise.
    lock_timeout_s
        How long to wait for somebody else's transaction.
    upgraded
        Whether to upgrade the tables of an older release; without it they are refused.

    Raises
    ------
    ConfigurationError
        The URL can't be read, or has parameters that are not understood.
    DependencyMissingError
        The driver, psycopg, is not installed.
    CatalogUnavailableError
        The database can't be reached or is no catalog.
    CatalogOutdatedError
        The tables were made by an older release.
    FormatVersionError
        The tables were made by a newer release.
    """
    return SqlCatalog(
        prepared(PostgresqlDatabase(url, lock_timeout_s, upgrade if upgraded else None))
    )


def open_database(url: str, lock_timeout_s: float = 30.0) -> Database:
    """Open the database of a catalog by its URL, SQLite or PostgreSQL; for a server.

    Raises
    ------
    ConfigurationError, DependencyMissingError, CatalogUnavailableError, FormatVersionError
        As `open_catalog` and `open_postgresql`.
    """
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        return open_catalog(url, busy_timeout_s=lock_timeout_s).database
    if scheme == "postgresql":
        return open_postgresql(url, lock_timeout_s=lock_timeout_s).database
    raise ConfigurationError(
        f"a catalog at {scheme}:// can't be served",
        next_step="name its database, sqlite:// or postgresql://, in HSC_CATALOG",
    )


def _file(url: str) -> Path:
    _, _, rest = url.partition("://")
    # A '?' would be the beginning of parameters, which are not understood: never drop them unseen.
    if not rest.startswith("/") or rest in ("/", "/:memory:") or "?" in rest:
        raise ConfigurationError(
            f"{url!r} names no catalog file",
            next_step="write it like sqlite:////data/catalog.sqlite, without parameters",
        )
    return Path(rest[1:]).absolute()
