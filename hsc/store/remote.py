"""Objects behind an fsspec file system: memory, and any scheme that hsc does not speak itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hsc.errors import (
    ConfigurationError,
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreUnwritableError,
)
from hsc.store.objects import checked_key
from hsc.store.pacing import pay

_ADVICE = "check HSC_STORE and the credentials in the environment"
# Errors of the libraries behind fsspec that are no OSError, by the package that they come from.
_CLIENTS = ("aiohttp", "gcsfs", "adlfs", "azure")


class FsspecObjects:
    """Objects behind an fsspec file system."""

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

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        path = self._path(key)
        with self._asking(key, "read"):
            data: bytes = self._fs.cat_file(path, start=start or None, end=stop)
        return data

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""
        path = self._path(key)
        try:
            with self._asking(key, "read"):
                facts = self._fs.info(path)
        except ObjectMissingError:
            return None
        return int(facts["size"]) if facts["type"] == "file" else None

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object that is not there yet."""
        path = self._path(key)
        pay(len(data))
        with self._asking(key, "written"):
            self._fs.pipe_file(path, bytes(data), mode="create")

    def delete(self, key: str) -> None:
        """Remove an object."""
        path = self._path(key)
        if self.size(key) is not None:
            with self._asking(key, "removed"):
                self._fs.rm_file(path)

    def keys(self, prefix: str) -> list[str]:
        """List keys below a prefix."""
        folder = self._path(prefix) if prefix else self._root
        with self._asking(prefix, "listed"):
            found = self._fs.find(folder)
        # Asked for an object instead of a folder, fsspec finds the object itself.
        below = f"{folder}/"
        return sorted(path[len(self._root) + 1 :] for path in found if path.startswith(below))

    def _path(self, key: str) -> str:
        return f"{self._root}/{checked_key(key, self.url)}"

    @contextmanager
    def _asking(self, key: str, done: str) -> Iterator[None]:
        """Turn what the file system raises into errors of the store."""
        where = f"{self.url}/{key}"
        try:
            yield
        except FileExistsError as error:
            raise ObjectExistsError("the object is there", where=where) from error
        except (FileNotFoundError, IsADirectoryError) as error:
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


def _options(scheme: str) -> dict[str, Any]:
    # Listings must be fresh: other machines write to the same store.
    return {"use_listings_cache": False} if scheme in ("http", "https") else {}
