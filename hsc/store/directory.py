"""Objects as files below a directory, written durably."""

from __future__ import annotations

import errno
import os
import platform
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import (
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreFullError,
    StoreUnwritableError,
)
from hsc.provenance import alive
from hsc.store.leases import LEASE
from hsc.store.objects import checked_key
from hsc.store.pacing import payer
from hsc.store.room import Room, folder_room

_TEMPORARY = ".tmp"
_FULL = {errno.EDQUOT, errno.ENOSPC}
_UNWRITABLE = {
    errno.EACCES,
    errno.ENOENT,  # a folder can't be made, as below /proc
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_SYNCED_EARLY = 1 << 20


class DirectoryObjects:
    """Objects as files below a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.url = root.absolute().as_uri()

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        try:
            with self._path(key).open("rb", buffering=0) as file:
                if start:
                    file.seek(start)
                return _read_fully(file.fileno(), None if stop is None else stop - start)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ObjectMissingError("no such object", where=f"{self.url}/{key}") from error
        except OSError as error:
            raise StoreError(f"can't read: {error.strerror}", where=f"{self.url}/{key}") from error

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object whole and durably: temporary file, fsync, hard link, fsync."""
        with self.begin(key) as made:
            whole = np.frombuffer(data, np.uint8)
            made.write(whole, whole.size)
            made.place()

    def begin(self, key: str) -> NewFile:
        """Begin an object that is written part by part."""
        temporary = self._root / _TEMPORARY / _temporary_name()
        return NewFile(temporary, self._path(key), lambda: self._writing(key))

    def room(self) -> Room:
        """Give what the file system can still take."""
        return folder_room(self._root)

    def delete(self, key: str) -> None:
        """Remove an object and the folders that it leaves empty."""
        path = self._path(key)
        with self._writing(key):
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self._root:
                    break
                try:
                    folder.rmdir()
                except OSError:  # not empty, or gone already
                    break

    def strays(self) -> list[tuple[str, int]]:
        """Give key and bytes of temporary files whose writers are gone; `delete` removes them."""
        folder = self._root / _TEMPORARY
        found = []
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            try:
                state = path.stat()
            except FileNotFoundError:  # its writer is done with it
                continue
            if _stray(path.name, state.st_mtime):
                found.append((f"{_TEMPORARY}/{path.name}", state.st_size))
        return found

    def keys(self, prefix: str) -> list[str]:
        """List keys below a prefix."""
        folder = self._path(prefix) if prefix else self._root
        found = (path for path in folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self._root).as_posix() for path in found)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key, self.url)

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            if error.filename2 is None:  # not the link: a file stands where a folder should
                raise self._unwritable(key, error) from error
            raise ObjectExistsError("the object is there", where=f"{self.url}/{key}") from error
        except OSError as error:
            if error.errno in _FULL:
                raise self._full(key, error) from error
            if error.errno in _UNWRITABLE:
                raise self._unwritable(key, error) from error
            raise StoreError(
                f"can't write: {error.strerror}",
                where=f"{self.url}/{key}",
                next_step="check the file system and its limits, or set HSC_STORE to another place",
            ) from error

    def _full(self, key: str, error: OSError) -> StoreFullError:
        return StoreFullError(
            f"the store is full: {error.strerror}",
            where=f"{self.url}/{key}",
            next_step="make room there (`hsc gc` lists what dead attempts left) or have the quota "
            "raised, or set HSC_STORE to another place; then run the same command again",
        )

    def _unwritable(self, key: str, error: OSError) -> StoreUnwritableError:
        return StoreUnwritableError(
            f"the store takes no writes: {error.strerror}",
            where=f"{self.url}/{key}",
            next_step="check the path's owner, mode and free space, or set HSC_STORE to "
            "another place",
        )


def _temporary_name() -> str:
    """Name a temporary file so that others can tell whether its writer is still there."""
    return f"{_host()}-{os.getpid()}-{secrets.token_hex(8)}"


def _stray(name: str, changed_s: float) -> bool:
    host, _, rest = name.partition("-")
    process = rest.partition("-")[0]
    if host == _host() and process.isdecimal() and not alive(int(process)):
        return True
    # Nobody takes that long to write one object, wherever he is.
    return time.time() - changed_s > LEASE.total_seconds()


def _host() -> str:
    return blake3(platform.node().encode()).hexdigest()[:12]


def _read_fully(descriptor: int, length: int | None) -> bytes:
    if length is None:
        length = os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)
    parts = []
    while length > 0:
        part = os.read(descriptor, min(length, 2**30))
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class NewFile:
    """An object on its way to the disk: a temporary file that gets its name at the end.

    Parameters
    ----------
    temporary
        Where it grows.
    target
        What it will be.
    guard
        Gives a block in which the operating system's errors become those of the store.
    """

    def __init__(
        self, temporary: Path, target: Path, guard: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._temporary = temporary
        self._target = target
        self._guard = guard
        self._pay = payer()  # its parts may be written by another thread
        self._descriptor = -1
        self._length = 0

    def __enter__(self) -> Self:
        with self._guard():
            _make_folder(self._temporary.parent)
            self._descriptor = os.open(self._temporary, _NEW, 0o666)
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._descriptor)
        with self._guard():
            self._temporary.unlink(missing_ok=True)

    def write(self, buffer: NDArray[np.uint8], nbytes: int) -> bool:
        """Append a part, and have the disk begin with it."""
        self._pay(nbytes)
        with self._guard():
            rest = buffer[:nbytes].data
            while rest:
                rest = rest[os.write(self._descriptor, rest[: 2**30]) :]
            _begin_to_sync(self._descriptor, self._length, nbytes)
        self._length += nbytes
        return False

    def place(self) -> None:
        """Make it durable and give it its name; a taken name fails."""
        with self._guard():
            os.fsync(self._descriptor)
            _link_new(self._temporary, self._target)
            _sync_folder(self._target.parent)


def _begin_to_sync(descriptor: int, start: int, length: int) -> None:
    """Have dirty pages written while more are made, so that fsync has little left to wait for.

    To give up pages that are not on the disk yet is how Linux is asked for that.
    """
    if hasattr(os, "posix_fadvise") and length >= _SYNCED_EARLY:
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def _link_new(temporary: Path, target: Path) -> None:
    """Give a file its name; a taken name fails, where a rename would overwrite."""
    for _ in range(100):
        try:
            _make_folder(target.parent)
            os.link(temporary, target)
        except FileNotFoundError:
            # Somebody who deletes a neighbour takes empty folders away: make them again.
            continue
        except FileExistsError as error:
            # From making the folder: it was there, and was taken away before it was looked at.
            if error.filename2 is not None or any(each.is_file() for each in target.parents):
                raise
            continue
        return
    raise FileNotFoundError(errno.ENOENT, "its folder keeps disappearing", str(target.parent))


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    missing = [folder, *(parent for parent in folder.parents if not parent.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can't open a folder, and needs no such call
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
