"""Objects that are only read: what refuses to write and to remove them."""

from __future__ import annotations

from typing import ClassVar

from hsc.errors import StoreUnwritableError


class ReadOnlyObjects:
    """Base of stores that are read, and never written to."""

    url: str
    """Where the objects are."""
    kind: ClassVar[str]
    """What such a store is, as the begin of a sentence."""

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Refuse.

        Raises
        ------
        StoreUnwritableError
            Always.
        """
        raise self._read_only(key, f"{len(data)} bytes can't be written")

    def delete(self, key: str) -> None:
        """Refuse.

        Raises
        ------
        StoreUnwritableError
            Always.
        """
        raise self._read_only(key, "nothing can be removed")

    def _read_only(self, key: str, what: str) -> StoreUnwritableError:
        return StoreUnwritableError(
            f"{self.kind} is read only: {what}",
            where=f"{self.url}/{key}",
            next_step="name a store that can be written to, as in s3://bucket/prefix",
        )
