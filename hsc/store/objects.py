"""The seam to where bytes live: objects under keys, written once, whole."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from hsc.errors import StoreError


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


@runtime_checkable
class KeepsStrays(Protocol):
    """A store that writes by way of temporary objects, which a writer that dies leaves."""

    def strays(self) -> list[tuple[str, int]]:
        """Give key and bytes of temporary objects whose writers are gone; `delete` takes them."""
        ...


def checked_key(key: str, url: str) -> str:
    """Give a key back when it is one.

    Raises
    ------
    StoreError
        It has empty parts, or parts that lead elsewhere.
    """
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise StoreError(f"{key!r} is no key", where=url)
    return key
