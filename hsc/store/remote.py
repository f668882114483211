"""Objects behind an fsspec file system: memory, and any scheme that hsc does not speak itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

from hsc.errors import (
    ConfigurationError,
    HscError,
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreUnwritableError,
)
from hsc.store.objects import checked_key
from hsc.store.pacing import pay
from hsc.store.retrying import Patience, persist

T = TypeVar("T")

_ADVICE = "check HSC_STORE and the credentials in the environment"
# Errors of the libraries behind fsspec, archives among them, that are no OSError, by the package
# that they come from.
_CLIENTS = (
    "aiohttp", "gcsfs", "adlfs", "azure", "ftplib", "paramiko",
    "_lzma", "tarfile", "zipfile", "zlib",
)  # fmt: skip
# What such a library calls a connection that failed, where Python's own errors don't tell.
_PASSING_ERRORS = {
    "ClientConnectionError", "ClientPayloadError", "FSTimeoutError", "SSHException", "error_temp",
}  # fmt: skip


class FsspecObjects:
    """Objects behind an fsspec file system.

    Parameters
    ----------
    url
        Any that fsspec knows, chained ones (``zip::file:///...``) included.
    patience
        How long a server that fails is waited for when reading; a write is not repeated, for it
        can't be told whether the first landed.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        # fsspec pulls in aiohttp and friends with some schemes; a directory does without it.
        import fsspec

        try:
            for scheme in _schemes(url):
                fsspec.get_filesystem_class(scheme)
        except (ValueError, ImportError) as error:
            raise ConfigurationError(
                f"no store speaks {scheme!r}: {error}",
                where=url,
                next_step="use file://, s3:// or another scheme that fsspec knows, with the "
                "package that it needs",
            ) from error
        self._patience = patience or Patience()
        self.url = url.rstrip("/")

    @cached_property
    def _place(self) -> tuple[Any, str]:
        """The file system and the root in it; some connect when they are made."""
        import fsspec

        fs, root = fsspec.core.url_to_fs(self.url)
        return fs, root.rstrip("/")

    def __getstate__(self) -> dict[str, Any]:
        # A file system may hold credentials; whoever gets this makes its own.
        return {"url": self.url, "_patience": self._patience}

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""

        def ask() -> bytes:
            data: bytes = self._place[0].cat_file(self._path(key), start=start or None, end=stop)
            return data

        with self._asking(key, "read"):
            return self._persist(key, ask)

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""
        try:
            with self._asking(key, "read"):
                facts = self._persist(key, lambda: self._place[0].info(self._path(key)))
        except ObjectMissingError:
            return None
        return int(facts["size"]) if facts["type"] == "file" else None

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object that is not there yet."""
        pay(len(data))
        with self._asking(key, "written"):
            path = self._path(key)
            self._place[0].pipe_file(path, bytes(data), mode="create")

    def delete(self, key: str) -> None:
        """Remove an object."""
        if self.size(key) is not None:
            with self._asking(key, "removed"):
                self._place[0].rm_file(self._path(key))

    def keys(self, prefix: str) -> list[str]:
        """List keys below a prefix."""

        def ask() -> list[str]:
            fs, root = self._place
            folder = self._path(prefix) if prefix else root
            # Asked for an object instead of a folder, fsspec finds the object itself.
            below = f"{folder}/" if folder else ""
            found = [path for path in fs.find(folder) if path.startswith(below)]
            return sorted(path[len(root) :].lstrip("/") for path in found)

        with self._asking(prefix, "listed"):
            return self._persist(prefix, ask)

    def _path(self, key: str) -> str:
        root = self._place[1]
        return f"{root}/{checked_key(key, self.url)}" if root else checked_key(key, self.url)

    def _persist(self, key: str, ask: Callable[[], T]) -> T:
        return persist(ask, _passing, f"{self.url}/{key}", self._patience)

    @contextmanager
    def _asking(self, key: str, done: str) -> Iterator[None]:
        """Turn what the file system raises into errors of the store."""
        where = f"{self.url}/{key}"
        try:
            yield
        except HscError:
            raise
        except FileExistsError as error:
            raise ObjectExistsError("the object is there", where=where) from error
        except (FileNotFoundError, IsADirectoryError, KeyError) as error:  # the last from archives
            if done == "written":  # the bucket itself is not there
                raise self._refused(where, error) from error
            raise ObjectMissingError("no such object", where=where) from error
        except PermissionError as error:
            if done == "read":
                what = f"the store does not let us read: {error}"
                raise StoreError(what, where=where, next_step=_ADVICE) from error
            raise self._refused(where, error) from error
        except Exception as error:
            if not isinstance(error, OSError) and _maker(error) not in _CLIENTS:
                raise
            what = f"the object can't be {done}: {_cause(error)}"
            raise StoreError(what, where=where, next_step=_ADVICE) from error

    def _refused(self, where: str, error: Exception) -> StoreUnwritableError:
        return StoreUnwritableError(
            f"the store takes no writes: {_cause(error)}", where=where, next_step=_ADVICE
        )


def _maker(error: Exception) -> str:
    return type(error).__module__.partition(".")[0]


def _cause(error: Exception) -> str:
    """Word an error; s3fs gives some without a word, and tells their cause beside."""
    return str(error.__cause__ or error) if str(error) in ("", "None") else str(error)


def _schemes(url: str) -> list[str]:
    """Give the schemes of a URL, several when it is chained.

    Examples
    --------
    >>> _schemes("zip::simplecache::https://host/a.zip")
    ['zip', 'simplecache', 'https']
    """
    chained, _, _ = url.partition("://")
    return chained.split("::")


def _passing(error: Exception) -> str | None:
    """Word an error of a connection, which may pass; None for any other."""
    names = {kind.__name__ for kind in type(error).__mro__}
    passes = isinstance(error, ConnectionError | TimeoutError | EOFError) or names & _PASSING_ERRORS
    return (_cause(error) or type(error).__name__) if passes else None
