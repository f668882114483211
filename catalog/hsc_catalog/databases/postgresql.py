"""The PostgreSQL database under a catalog: connections, transactions, and what its errors mean."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, exc, text
from sqlalchemy.engine import make_url

from hsc.errors import (
    CatalogOutdatedError,
    CatalogUnavailableError,
    ConfigurationError,
    DependencyMissingError,
)
from hsc_catalog.databases.database import Upgrade
from hsc_catalog.tables import VERSION, found_version, make_tables

# One writer at a time, as in SQLite: any number that other programs in the database don't take.
_WRITERS = 0x6873635F63617461  # "hsc_cata"
_CONNECT_S = 10
_PARAMETERS = {"host", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "service"}

# By SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_NEXT_STEPS = {
    "25006": "name the server that takes writes; this one is a copy",
    "42501": "grant the account USAGE and CREATE on the schema, and its tables",
    "53100": "make room on the server's file system",
    "53300": "the server has too many connections: raise max_connections, or run less at once",
    "55P03": "another program holds it; run this again when that one is done",
}
_CHECK = "check that the server runs there, and account, password and database in HSC_CATALOG"
_EXAMPLE = "write it like postgresql://account@host:5432/database, the password in PGPASSFILE"


class PostgresqlDatabase:
    """One PostgreSQL database, opened, with the catalog's tables in place.

    Parameters
    ----------
    url
        ``postgresql://account:password@host:port/database``; what is left out is found as every
        PostgreSQL program finds it (``PGPASSFILE``, ``PGPASSWORD``, ``PGSERVICE`` ...).
    lock_timeout_s
        How long to wait for somebody else's transaction.
    upgrade
        What upgrades the tables of an older release; None: they are left alone, and refused.
    """

    def __init__(self, url: str, lock_timeout_s: float, upgrade: Upgrade | None = None) -> None:
        parsed = _parsed(url)
        self.url = str(
            URL.create("postgresql", None, None, parsed.host, parsed.port, parsed.database)
        )
        self._password = parsed.password
        self._lock_timeout_ms = round(lock_timeout_s * 1000)
        self._upgrade = upgrade
        self._closed = False
        self._engine = _engine(parsed)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read in one transaction: all statements see the same state."""
        with self._transaction("REPEATABLE READ") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction, one writer at a time."""
        # What follows the lock sees all that the writer before has kept.
        with self._transaction("READ COMMITTED") as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {self._lock_timeout_ms}")
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS})
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._engine.dispose()

    def _prepare(self) -> None:
        with self.reading() as connection:
            ready = found_version(connection, self.url) == VERSION
        if not ready:
            with self.writing() as connection:
                # Somebody else may have made or upgraded them since.
                found = found_version(connection, self.url)
                if found is None:
                    make_tables(connection)
                elif found < VERSION:
                    self._leave_or_upgrade(connection, found)

    def _leave_or_upgrade(self, connection: Connection, found: int) -> None:
        if self._upgrade is None:
            # Other programs may be at it, and the backup is its operator's.
            raise CatalogOutdatedError(
                f"the catalog has schema version {found}, this release needs {VERSION}",
                where=self.url,
                next_step="end the programs that use it, back it up with pg_dump, "
                "then run `hsc catalog upgrade`",
            )
        self._upgrade(connection)

    @contextmanager
    def _transaction(self, isolation: str) -> Iterator[Connection]:
        with self._reported():
            if self._closed:
                raise CatalogUnavailableError("the catalog was closed", where=self.url)
            options = self._engine.execution_options(isolation_level=isolation)
            with options.begin() as connection:
                yield connection

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError) as error:
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            words = " ".join(str(cause).split())
            if self._password:
                words = words.replace(str(self._password), "…")
            raise CatalogUnavailableError(
                f"the catalog can't be used: {words}",
                where=self.url,
                next_step=_NEXT_STEPS.get(getattr(cause, "sqlstate", None) or "", _CHECK),
            ) from error


def _parsed(url: str) -> URL:
    # What make_url raises may hold the password, so it is neither repeated nor chained.
    parsed: URL | None = None
    with suppress(exc.ArgumentError, ValueError):
        parsed = make_url(url)
    if parsed is None:
        raise ConfigurationError("HSC_CATALOG is no URL that PostgreSQL knows", next_step=_EXAMPLE)
    unknown = sorted(set(parsed.query) - _PARAMETERS)
    if unknown:
        raise ConfigurationError(
            f"the catalog's URL has parameters that are not understood: {', '.join(unknown)}",
            next_step=f"these are: {', '.join(sorted(_PARAMETERS))}",
        )
    return parsed


def _engine(url: URL) -> Engine:
    chosen: dict[str, Any] = {"connect_timeout": _CONNECT_S, "application_name": "hsc"}
    if not (is_near(url) or "sslmode" in url.query or "PGSSLMODE" in os.environ):
        # PostgreSQL's own default would go on in clear text where a server has no TLS.
        chosen["sslmode"] = "require"
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args=chosen,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ImportError as error:
        raise DependencyMissingError(
            "a catalog in PostgreSQL needs psycopg, which is not installed",
            next_step="pip install 'hanseatic-science-cloud[postgresql]'",
        ) from error


def is_near(url: URL) -> bool:
    """Tell whether the server is on this machine: a Unix socket, or loopback."""
    host = url.query.get("host") or url.host
    if host is None:
        return "service" not in url.query and not {"PGHOST", "PGHOSTADDR", "PGSERVICE"} & set(
            os.environ
        )
    name = str(host)
    if name == "localhost" or name.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
