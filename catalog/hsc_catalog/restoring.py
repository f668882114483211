"""Restoring an SQLite catalog from a backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from itertools import chain, count
from pathlib import Path

from hsc.errors import CatalogUnavailableError, ConflictError
from hsc_catalog.sql import catalog_file

_KEPT = ".before-restore"


def restore_file(backup: Path, url: str | None, *, force: bool) -> tuple[Path, Path | None]:
    """Put a backup in the place of a catalog's file.

    Parameters
    ----------
    backup
        The backup; it stays as it is.
    url
        The catalog's URL; None: HSC_CATALOG.
    force
        Whether a catalog that holds datasets may be replaced.

    Returns
    -------
    The catalog's file, and where the one before is kept now; None: there was none.

    Raises
    ------
    CatalogUnavailableError
        The backup is no catalog, or is damaged; or a program has the catalog open.
    ConflictError
        There is a catalog that holds something.
    """
    target = catalog_file(url)
    if _count(backup) is None:
        raise CatalogUnavailableError(
            "this is no backup of a catalog, or it is damaged",
            where=str(backup),
            next_step="name the file that `hsc catalog backup` made",
        )
    if _count(target) and not force:
        raise ConflictError(
            "there is a catalog that holds datasets",
            where=str(target),
            next_step="name another place in --catalog, or say --force: it is kept beside it",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with (
            closing(sqlite3.connect(_read_only(backup), uri=True)) as source,
            closing(sqlite3.connect(half)) as copy,
        ):
            source.backup(copy)
        _refuse_in_use(target)
        kept = _set_aside(target)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    return target, kept


def _refuse_in_use(target: Path) -> None:
    """Refuse to replace a catalog that a server or another program has open.

    It would go on reading and writing in the file that was set aside, and what it says is kept
    would be lost.
    """
    if not target.is_file():
        return
    try:
        with closing(sqlite3.connect(target, timeout=0)) as connection:
            # Whoever has the file open in WAL mode holds a lock on it, also between transactions.
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE").close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise CatalogUnavailableError(
                f"the catalog can't be replaced: {error}", where=str(target)
            ) from error
        raise CatalogUnavailableError(
            "a server or another program has the catalog open",
            where=str(target),
            next_step="end it first, then restore, then start it again",
        ) from error


def _set_aside(target: Path) -> Path | None:
    """Keep the file that is there under another name, whole, with what its log still holds."""
    if not target.is_file():
        return None
    kept = _free_name(target.with_name(target.name + _KEPT))
    with closing(sqlite3.connect(target)) as there, closing(sqlite3.connect(kept)) as copy:
        there.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    # A log of the old file would be played into the new one.
    for name in (f"{target.name}-wal", f"{target.name}-shm"):
        target.with_name(name).unlink(missing_ok=True)
    return kept


def _free_name(wanted: Path) -> Path:
    """Give a name that nothing has: what an earlier restore set aside stays."""
    names = (wanted.with_name(f"{wanted.name}-{number}") for number in count(2))
    return next(name for name in chain([wanted], names) if not name.exists())


def _count(file: Path) -> int | None:
    """Count the datasets of a catalog's file; None: it is none, or is damaged."""
    if not file.is_file():
        return None
    try:
        with closing(sqlite3.connect(_read_only(file), uri=True)) as connection:
            if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                return None
            connection.execute("SELECT version FROM schema_version").fetchone()
            return int(connection.execute("SELECT count(*) FROM dataset").fetchone()[0])
    except sqlite3.Error:
        return None


def _read_only(file: Path) -> str:
    return f"{file.absolute().as_uri()}?mode=ro"
