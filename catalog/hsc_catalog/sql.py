"""Opening a catalog in an SQL database, by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hsc import settings
from hsc.errors import CatalogUnavailableError, ConfigurationError
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.databases import Database, PostgresqlDatabase, SqliteDatabase
from hsc_catalog.searching import prepared
from hsc_catalog.upgrading import upgrade


def open_catalog(url: str, *, busy_timeout_s: float = 30.0, create: bool = True) -> SqlCatalog:
    """Open the catalog in an SQLite file; make folder, file and tables on first use.

    Tables of an older release are upgraded, after a copy of the file was laid beside it.

    Parameters
    ----------
    url
        ``sqlite:////absolute/path`` or ``sqlite:///path/from/here``; the path is taken as written.
    busy_timeout_s
        How long to wait for somebody else's transaction.
    create
        Whether to make the file where there is none.

    Raises
    ------
    ConfigurationError
        The URL names no file.
    CatalogUnavailableError
        The file can't be opened or is no catalog, or is not there and shall not be made.
    FormatVersionError
        The file was written by a newer release.
    """
    file = _file(url)
    if not (create or file.exists()):
        raise CatalogUnavailableError(
            "there is no catalog",
            where=str(file),
            next_step="check HSC_CATALOG; `hsc ingest` and `hsc serve` make one where none is",
        )
    return SqlCatalog(prepared(SqliteDatabase(file, busy_timeout_s, upgrade)))


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


def is_new(url: str) -> bool:
    """Tell whether a URL names a file that is not there, so that opening it makes a catalog."""
    return url.partition("://")[0] == "sqlite" and not _file(url).exists()


def open_sql(url: str | None, *, upgraded: bool = False) -> SqlCatalog:
    """Open the catalog that a command names in its own database, SQLite or PostgreSQL.

    Parameters
    ----------
    url
        The catalog's URL; None: HSC_CATALOG.
    upgraded
        Whether to upgrade the tables of an older release in PostgreSQL; in SQLite that is done
        anyway.

    Raises
    ------
    ConfigurationError
        It is a server's URL, or none.
    """
    named = settings.catalog_url() if url is None else url
    scheme = named.partition("://")[0].partition("+")[0].lower()
    if scheme == "sqlite":
        return open_catalog(named)
    if scheme == "postgresql":
        return open_postgresql(named, upgraded=upgraded)
    raise ConfigurationError(
        f"this is done on the catalog's own database, and not over {scheme}://",
        next_step="name it as sqlite:// or postgresql:// in --catalog, on the server's machine",
    )


@contextmanager
def open_file(url: str | None) -> Iterator[SqliteDatabase]:
    """Open the SQLite database that a command names.

    Raises
    ------
    ConfigurationError
        The catalog is no file.
    """
    catalog_file(url)
    with open_sql(url) as catalog:
        if isinstance(catalog.database, SqliteDatabase):
            yield catalog.database


def catalog_file(url: str | None) -> Path:
    """Give the file of the catalog that a command names.

    Raises
    ------
    ConfigurationError
        The catalog is no file.
    """
    named = settings.catalog_url() if url is None else url
    if named.partition("://")[0].partition("+")[0].lower() != "sqlite":
        raise ConfigurationError(
            "only a catalog in SQLite is a file that can be copied",
            next_step="use pg_dump and pg_restore, or `hsc catalog export` and `import`",
        )
    return _file(named)


def _file(url: str) -> Path:
    _, _, rest = url.partition("://")
    # A '?' would be the beginning of parameters, which are not understood: never drop them unseen.
    if not rest.startswith("/") or rest in ("/", "/:memory:") or "?" in rest:
        raise ConfigurationError(
            f"{url!r} names no catalog file",
            next_step="write it like sqlite:////data/catalog.sqlite, without parameters",
        )
    return Path(rest[1:]).absolute()
