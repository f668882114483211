"""Objects as files below a directory, written durably."""

from __future__ import annotations

import errno
import os
import platform
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
from hsc.provenance import alive, process_space
from hsc.store.inside import another, gone
from hsc.store.leases import LEASE
from hsc.store.newfile import NewFile
from hsc.store.objects import checked_key
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

    @contextmanager
    def reading(self, key: str, start: int = 0) -> Iterator[Callable[[NDArray[np.uint8]], int]]:
        """Open an object, to read it into buffers that are there already."""
        try:
            with self._path(key).open("rb", buffering=0) as file:
                if start:
                    file.seek(start)
                yield lambda buffer: file.readinto(buffer.data) or 0
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

    def copy_new(self, source: str, key: str, nbytes: int, digest: bytes) -> None:
        """Copy an object, without taking room where the file system can; the copy is read back."""
        try:
            descriptor = os.open(self._path(source), os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError as error:
            raise gone(f"{self.url}/{source}") from error
        except OSError as error:
            what = f"can't read: {error.strerror}"
            raise StoreError(what, where=f"{self.url}/{source}") from error
        try:
            with self.begin(key) as made:
                if (
                    made.fill(descriptor, nbytes) != digest
                    or os.fstat(descriptor).st_size != nbytes
                ):
                    raise another(f"{self.url}/{source}")
                made.place()
        finally:
            os.close(descriptor)

    def begin(self, key: str, *, over: bool = False) -> NewFile:
        """Begin an object that is written part by part; ``over``: in place of one that is there."""
        temporary = self._root / _TEMPORARY / _temporary_name()
        return NewFile(temporary, self._path(key), lambda: self._writing(key), over=over)

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
    return blake3(f"{platform.node()} {process_space()}".encode()).hexdigest()[:12]


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
