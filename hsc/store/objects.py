"""Objects under keys, in a directory or behind any fsspec scheme; written once, whole."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hsc.errors import (
    ConfigurationError,
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreUnwritableError,
)

_SINGLE_PUT = 5 * 2**30
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOSPC, errno.EDQUOT}


class ObjectStore(Protocol):
    """Bytes under keys. A key has no leading slash; an object is never changed once written."""

    url: str
    """Where the store is, without credentials."""

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes from ``start`` to ``stop`` (to its end when None).

        Raises
        ------
        ObjectMissingError
            There is no such object.
        """
        ...

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes; None when there is no such object."""
        ...

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object whole and durably, or not at all.

        Raises
        ------
        ObjectExistsError
            An object with that key was there first; it is left as it was.
        StoreUnwritableError
            The store takes no writes.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with ``prefix`` and a slash, sorted."""
        ...


def open_objects(url: str) -> ObjectStore:
    """Open the objects under a URL; nothing is made or asked until the first use.

    Raises
    ------
    ConfigurationError
        The scheme is unknown, or the URL carries credentials.
    """
    parts = urlsplit(url)
    if parts.password or (parts.username and parts.scheme != "file"):
        raise ConfigurationError(
            "a store's URL must not carry credentials",
            where=f"{parts.scheme}://…@{parts.hostname}{parts.path}",
            next_step="put them into the environment (AWS_ACCESS_KEY_ID and the like)",
        )
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise ConfigurationError(
                f"{url!r} names a host", next_step="write file:///path with three slashes"
            )
        return DirectoryObjects(Path(url2pathname(parts.path)))
    return FsspecObjects(url)


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
        target = self._path(key)
        temporary = self._root / ".tmp" / secrets.token_hex(12)
        with self._writing(key):
            _make_folder(temporary.parent)
            try:
                with temporary.open("xb", buffering=0) as file:
                    _write_fully(file.fileno(), data)
                    os.fsync(file.fileno())
                _link_new(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(target.parent)

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

    def keys(self, prefix: str) -> list[str]:
        """List keys below a prefix."""
        folder = self._path(prefix) if prefix else self._root
        found = (path for path in folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self._root).as_posix() for path in found)

    def _path(self, key: str) -> Path:
        return self._root / _checked(key, self.url)

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            if error.filename2 is None:  # not the link: a file stands where a folder should
                raise self._unwritable(key, error) from error
            raise ObjectExistsError("the object is there", where=f"{self.url}/{key}") from error
        except OSError as error:
            if error.errno in _UNWRITABLE:
                raise self._unwritable(key, error) from error
            raise StoreError(f"can't write: {error.strerror}", where=f"{self.url}/{key}") from error

    def _unwritable(self, key: str, error: OSError) -> StoreUnwritableError:
        return StoreUnwritableError(
            f"the store takes no writes: {error.strerror}",
            where=f"{self.url}/{key}",
            next_step="check the path's owner, mode and free space, or set HSC_STORE to "
            "another place",
        )


class FsspecObjects:
    """Objects behind an fsspec file system: S3, memory, or any other scheme that it speaks."""

    def __init__(self, url: str) -> None:
        # fsspec pulls in aiohttp and friends with some schemes; a directory does without it.
        import fsspec

        scheme = url.split("://", 1)[0]
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **_options(scheme))
        except (ValueError, ImportError) as error:
            raise ConfigurationError(
                f"no store speaks {scheme!r}: {error}",
                where=url,
                next_step="use file://, s3:// or another scheme that fsspec knows",
            ) from error
        self.url = url.rstrip("/")
        self._root = root.rstrip("/")
        self._single_put = {"chunksize": _SINGLE_PUT} if scheme in ("s3", "s3a") else {}

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        try:
            data: bytes = self._fs.cat_file(self._path(key), start=start or None, end=stop)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise ObjectMissingError("no such object", where=f"{self.url}/{key}") from error
        except OSError as error:
            raise StoreError(f"can't read: {error}", where=f"{self.url}/{key}") from error
        return data

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""
        try:
            facts = self._fs.info(self._path(key))
        except FileNotFoundError:
            return None
        return int(facts["size"]) if facts["type"] == "file" else None

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object by one conditional PUT (If-None-Match on S3)."""
        try:
            self._fs.pipe_file(self._path(key), bytes(data), mode="create", **self._single_put)
        except FileExistsError as error:
            raise ObjectExistsError("the object is there", where=f"{self.url}/{key}") from error
        except PermissionError as error:
            raise StoreUnwritableError(
                f"the store takes no writes: {error}",
                where=f"{self.url}/{key}",
                next_step="check the credentials' rights, or set HSC_STORE to another place",
            ) from error
        except OSError as error:
            raise StoreError(f"can't write: {error}", where=f"{self.url}/{key}") from error

    def delete(self, key: str) -> None:
        """Remove an object."""
        if self.size(key) is not None:
            self._fs.rm_file(self._path(key))

    def keys(self, prefix: str) -> list[str]:
        """List keys below a prefix."""
        found = self._fs.find(self._path(prefix) if prefix else self._root)
        # Asked for an object instead of a folder, fsspec finds the object itself.
        below = f"{self._root}/{prefix}/" if prefix else f"{self._root}/"
        return sorted(path[len(self._root) + 1 :] for path in found if path.startswith(below))

    def _path(self, key: str) -> str:
        return f"{self._root}/{_checked(key, self.url)}"


def _checked(key: str, url: str) -> str:
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise StoreError(f"{key!r} is no key", where=url)
    return key


def _options(scheme: str) -> dict[str, Any]:
    # Listings must be fresh: other machines write to the same store.
    return {"use_listings_cache": False} if scheme in ("s3", "s3a", "http", "https") else {}


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


def _write_fully(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest[: 2**30]) :]


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
