"""A cache of parts of objects on the local disk, known by what they hold, not by where they lie."""

from __future__ import annotations

import errno
import logging
import os
import random
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hsc import settings
from hsc.store.ranges import Part

_LOG = logging.getLogger(__name__)
_FOLDER = "hsc-cache-1"
_NEW = ".new-"
_STALE_S = 3600
_SWEEPS = 20  # a sweep after a twentieth of the bound was written
_KEPT_SHARE = 0.9
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class DiskCache:
    """Parts of objects by the BLAKE3 of their object, first byte and end.

    Many processes may share one. An entry appears whole or not at all; who reads one checks it, as
    if a store had given it, and drops what is wrong. What can't be read or written here is read
    from the store: a full or broken disk is told through logging and is never an error. When the
    bound is passed, those that were used least lately go.

    Parameters
    ----------
    folder
        Where; a folder of its own is made in it, which only its owner may read.
    nbytes
        About how many bytes it may have.
    """

    def __init__(self, folder: Path, nbytes: int) -> None:
        self._root = folder / _FOLDER
        self._most = nbytes
        self._lock = threading.Lock()
        # Somewhere between two sweeps, so that many processes that write little sweep in turn.
        self._unswept = random.random() * nbytes / _SWEEPS  # noqa: S311 (no secret)
        self._complained = False

    def get(self, digest: bytes, start: int, stop: int) -> bytes | None:
        """Give a part of an object as it was put; None when it is not here."""
        path = self._path(digest, start, stop)
        try:
            _check_ours(self._root)
            data = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(error)
            return None
        return data

    def put(self, digest: bytes, start: int, stop: int, data: Part) -> None:
        """Keep a part of an object that was checked."""
        path = self._path(digest, start, stop)
        made = path.parent / f"{_NEW}{secrets.token_hex(8)}"
        try:
            _make_private(path.parent)
            _check_ours(self._root)
            with open(os.open(made, _FLAGS, 0o600), "wb") as file:
                file.write(data)
            made.replace(path)
        except OSError as error:
            self._complain(error)
            with suppress(OSError):  # what can't be removed a later sweep finds
                made.unlink()
        if self._due(len(data)):
            self.sweep()

    def drop(self, digest: bytes, start: int, stop: int) -> None:
        """Forget a part that was wrong."""
        try:
            self._path(digest, start, stop).unlink(missing_ok=True)
        except OSError as error:
            self._complain(error)

    def sweep(self) -> None:
        """Remove what was used least lately until the bound holds, and what dead writers left."""
        found = sorted(self._entries())
        left = sum(nbytes for _, nbytes, _ in found)
        most = self._most * _KEPT_SHARE if left > self._most else left
        for used_s, nbytes, path in found:
            stale = path.name.startswith(_NEW) and time.time() - used_s > _STALE_S
            if left <= most and not stale:
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # on Windows: somebody reads it
                self._complain(error)
                continue
            left -= nbytes

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Go through what is here: when it was used last, its bytes and where it is."""
        try:
            folders = [each.path for each in os.scandir(self._root) if each.is_dir()]
        except OSError as error:
            self._complain(error)
            return
        for folder in folders:
            try:
                there = list(os.scandir(folder))
            except OSError as error:  # somebody removed it
                self._complain(error)
                continue
            for each in there:
                try:
                    state = each.stat()
                except OSError:  # somebody else swept it away
                    continue
                yield state.st_mtime, state.st_size, Path(each.path)

    def _due(self, nbytes: int) -> bool:
        with self._lock:
            self._unswept += nbytes
            due = self._unswept > self._most / _SWEEPS
            self._unswept = 0 if due else self._unswept
        return due

    def _path(self, digest: bytes, start: int, stop: int) -> Path:
        name = digest.hex()
        return self._root / name[:2] / f"{name}-{start}-{stop}"

    def _complain(self, error: OSError) -> None:
        level = logging.DEBUG if self._complained else logging.WARNING
        self._complained = True
        _LOG.log(level, "the cache %s fails: %s", self._root, error)


def _make_private(folder: Path) -> None:
    if not folder.is_dir():
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)


def _check_ours(folder: Path) -> None:
    """Refuse a folder that somebody else made or may write to: a checksum is soon made to fit."""
    state = os.lstat(folder)
    if not hasattr(os, "geteuid"):
        return
    if state.st_uid != os.geteuid() or not stat.S_ISDIR(state.st_mode) or state.st_mode & 0o022:
        raise PermissionError(errno.EPERM, "others may write there; name a folder of your own")


def open_cache() -> DiskCache | None:
    """Give the cache that ``HSC_CACHE`` names; None when it names none.

    Raises
    ------
    ConfigurationError
        ``HSC_CACHE`` or ``HSC_CACHE_SIZE`` can't be used.
    """
    folder = settings.cache_folder()
    return None if folder is None else DiskCache(folder, settings.cache_nbytes())
