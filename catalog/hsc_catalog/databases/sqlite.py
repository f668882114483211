"""The SQLite file under a catalog: connections, transactions, and what its errors mean."""

from __future__ import annotations

import glob
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc

from hsc.errors import CatalogUnavailableError, ConfigurationError
from hsc_catalog.databases.database import Upgrade
from hsc_catalog.tables import VERSION, found_version, make_tables

# By SQLite's result codes, https://www.sqlite.org/rescode.html
_NEXT_STEPS = {
    sqlite3.SQLITE_CANTOPEN: "check that the path is no folder and that you may read and write it",
    sqlite3.SQLITE_READONLY: "check that you may write the file and the folder it is in",
    sqlite3.SQLITE_PERM: "check that you may write the file and the folder it is in",
    sqlite3.SQLITE_NOTADB: "name another file in HSC_CATALOG; this one was left as it is",
    sqlite3.SQLITE_CORRUPT: "put back a backup; to ingest a source again registers it anew",
    sqlite3.SQLITE_BUSY: "another program holds it; run this again when that one is done",
    sqlite3.SQLITE_LOCKED: "another program holds it; run this again when that one is done",
    sqlite3.SQLITE_FULL: "make room on the file system",
    sqlite3.SQLITE_PROTOCOL: "put the catalog on a local disk: file locks don't work where it is",
}

# SQLite's own 2 MB are less than a batch changes: pages would be written and read again within one
# transaction. Filled as they are used.
_CACHE_KIB = 64 * 1024
_SMALLEST_DATABASE = 512  # bytes: one page of the smallest size


def backup_beside(path: Path, version: int) -> Path:
    """Give the file that a catalog is copied to before it is upgraded from a schema version."""
    return path.with_name(f"{path.name}.schema-{version}")


class SqliteDatabase:
    """One SQLite file, opened, with its tables in place.

    Safe to use from several threads and from several processes at once, on a local disk. Tables of
    an older release are upgraded when it is opened, after a copy was laid beside it.

    Parameters
    ----------
    path
        The file.
    busy_timeout_s
        How long to wait for somebody else's transaction.
    upgrade
        What upgrades the tables of an older release.
    """

    def __init__(self, path: Path, busy_timeout_s: float, upgrade: Upgrade) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self._busy_timeout_s = busy_timeout_s
        self._upgrade = upgrade
        self._closed = False
        self._engine = _engine(path, busy_timeout_s)
        # Others would be made anew for each transaction.
        self._modes = {
            mode: self._engine.execution_options(begin_mode=mode)
            for mode in ("DEFERRED", "IMMEDIATE")
        }
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read in one transaction: all statements see the same state."""
        with self._transaction("DEFERRED") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction, kept on disk when the block ends, undone when it raises."""
        # The lock is taken first: a reader that turns writer can't wait its turn in SQLite.
        with self._transaction("IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._engine.dispose()

    def _prepare(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogUnavailableError(
                f"the catalog's folder can't be made: {error.strerror}",
                where=str(self.path.parent),
                next_step="make it yourself, or name another place in HSC_CATALOG",
            ) from error
        where = str(self.path)
        if self.path.is_file() and 0 < self.path.stat().st_size < _SMALLEST_DATABASE:
            # SQLite would take it for a new file and write over it.
            raise CatalogUnavailableError(
                "the file is no database",
                where=where,
                next_step=_NEXT_STEPS[sqlite3.SQLITE_NOTADB],
            )
        with self.reading() as connection:
            ready = found_version(connection, where) == VERSION
        if not ready:
            with self.writing() as connection:
                # Somebody else may have made or upgraded them since.
                found = found_version(connection, where)
                if found is None:
                    make_tables(connection)
                elif found < VERSION:
                    self._back_up(backup_beside(self.path, found))
                    self._upgrade(connection)
        with self._reported():
            self._turn_on_wal()

    def back_up(self, target: Path) -> None:
        """Copy the catalog as it stands at one moment, while others read and write.

        Parameters
        ----------
        target
            The file to make; it appears whole or not at all.

        Raises
        ------
        ConfigurationError
            The file is the catalog itself.
        CatalogUnavailableError
            It can't be written.
        """
        if target.exists() and target.samefile(self.path):
            # A copy in its place would leave whoever has it open writing into a file without name.
            raise ConfigurationError(
                "the backup would take the catalog's own place",
                where=str(target),
                next_step="name another file, on another disk if there is one",
            )
        with self._reported("the backup can't be made", target):
            self._back_up(target)
            if target not in self.backups():
                # So that whoever erases a person knows where else they are named.
                with self._backup_list.open("a", encoding="utf-8") as stream:
                    stream.write(f"{target}\n")

    def rewrite(self) -> bool:
        """Write the whole file anew, so that no free page of it holds what was there before.

        Returns
        -------
        Whether nothing of it is left in the log beside the file either; readers may hold it.
        """
        with self._reported(), closing(sqlite3.connect(self.path, timeout=10)) as connection:
            connection.isolation_level = None
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def backups(self) -> list[Path]:
        """Give the copies that backups, upgrades and restores made, and that are there."""
        told = self._backup_list.read_text("utf-8") if self._backup_list.is_file() else ""
        named = [Path(line) for line in told.splitlines() if line]
        beside = sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}.[sb]*"))
        copies = (each for each in beside if each != self._backup_list)
        return [each for each in dict.fromkeys([*named, *copies]) if each.is_file()]

    @property
    def _backup_list(self) -> Path:
        return self.path.with_name(f"{self.path.name}.backups")

    def _back_up(self, target: Path) -> None:
        half = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            with (
                closing(sqlite3.connect(self.path, timeout=self._busy_timeout_s)) as source,
                closing(sqlite3.connect(half)) as copy,
            ):
                # In one go: in steps it would begin again whenever somebody else writes.
                source.backup(copy)
                # One file by itself, also where nobody may write beside it.
                copy.execute("PRAGMA journal_mode = DELETE")
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)

    def _turn_on_wal(self) -> None:
        # Several processes may do this at once, and then SQLite doesn't wait, it refuses at once.
        deadline = time.monotonic() + self._busy_timeout_s
        while not self._wal_is_on(deadline):
            time.sleep(0.02)

    def _wal_is_on(self, deadline: float) -> bool:
        with closing(self._engine.raw_connection()) as connection:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                return False
            return True

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[Connection]:
        with self._reported():
            if self._closed:
                raise CatalogUnavailableError("the catalog was closed", where=str(self.path))
            with self._modes[mode].begin() as connection:
                yield connection

    @contextmanager
    def _reported(
        self, failed: str = "the catalog can't be used", where: Path | None = None
    ) -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            raise CatalogUnavailableError(
                f"{failed}: {cause}",
                where=str(where or self.path),
                next_step=_NEXT_STEPS.get(_code(cause), "check the file and the disk it is on"),
            ) from error


def _engine(path: Path, busy_timeout_s: float) -> Engine:
    url = URL.create("sqlite+pysqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s})

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON").close()
        connection.execute("PRAGMA synchronous = FULL").close()
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # Left alone, Python's driver would begin at the first write: reads would not agree.
        mode = connection.get_execution_options()["begin_mode"]
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _code(error: BaseException | None) -> int:
    # The low byte is the primary code, the rest says more (SQLITE_BUSY_SNAPSHOT and the like).
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
