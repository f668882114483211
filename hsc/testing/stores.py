"""Stores to test with: one that takes each object once and for all, and one that is watched.

Each wraps another store and has a URL scheme of its own, `writeonce+file://...`, once
`add_scheme` was told of it; its ``url`` is that of the store it wraps.
"""

from __future__ import annotations

from collections.abc import Callable

from hsc.errors import StoreUnwritableError
from hsc.store import ObjectStore, copy_inside, open_objects

Hear = Callable[[str, str, str], None]
"""Hears ``before`` or ``after``, then ``put``, ``copy`` or ``delete``, then the key."""


class WriteOnceObjects:
    """Objects that can be created and read, never removed; overwriting and appending do not exist.

    Parameters
    ----------
    inner
        Where they really lie.
    """

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner
        self.url = inner.url

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        return self._inner.get(key, start, stop)

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""
        return self._inner.size(key)

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object."""
        self._inner.put_new(key, data)

    def copy_new(self, source: str, key: str, nbytes: int, digest: bytes) -> None:
        """Copy an object."""
        copy_inside(self._inner, source, key, nbytes, digest)

    def delete(self, key: str) -> None:
        """Refuse.

        Raises
        ------
        StoreUnwritableError
            Always, as such stores answer whether the object is there or not.
        """
        raise StoreUnwritableError(
            "the store keeps every object",
            where=f"{self.url}/{key}",
            next_step="wait until its retention ends",
        )

    def keys(self, prefix: str) -> list[str]:
        """List keys below a prefix."""
        return self._inner.keys(prefix)


class WatchedObjects(WriteOnceObjects):
    """Objects whose writing and removal somebody hears of, who may end the process there.

    Parameters
    ----------
    inner
        Where they really lie.
    hear
        Hears of each.
    """

    def __init__(self, inner: ObjectStore, hear: Hear) -> None:
        super().__init__(inner)
        self._hear = hear

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object."""
        self._hear("before", "put", key)
        super().put_new(key, data)
        self._hear("after", "put", key)

    def copy_new(self, source: str, key: str, nbytes: int, digest: bytes) -> None:
        """Copy an object."""
        self._hear("before", "copy", key)
        super().copy_new(source, key, nbytes, digest)
        self._hear("after", "copy", key)

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._hear("before", "delete", key)
        self._inner.delete(key)
        self._hear("after", "delete", key)


def open_write_once(url: str) -> WriteOnceObjects:
    """Open ``writeonce+<url of another store>``."""
    return WriteOnceObjects(open_objects(url.partition("+")[2]))
