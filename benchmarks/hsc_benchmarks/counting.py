"""Counting the requests that reading sends to a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hsc.store import ObjectStore, Part, add_scheme, get_ranges

Counted = list[str]
"""What was asked for, one line each."""


class CountedObjects:
    """A store that notes what it is asked for; a range is a request."""

    def __init__(self, objects: ObjectStore, requests: Counted) -> None:
        self._objects = objects
        self._requests = requests
        self.url = objects.url

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        self._requests.append(f"{key} {start} {stop}")
        return self._objects.get(key, start, stop)

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Give parts of an object."""
        self._requests.extend(f"{key} {start} {stop}" for start, stop in ranges)
        return list(get_ranges(self._objects, key, ranges))

    def size(self, key: str) -> int | None:
        """Give an object's size."""
        self._requests.append(f"{key} size")
        return self._objects.size(key)

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Write an object."""
        self._objects.put_new(key, data)

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._objects.delete(key)

    def keys(self, prefix: str) -> list[str]:
        """List keys."""
        self._requests.append(f"{prefix} list")
        return self._objects.keys(prefix)


def count_requests(scheme: str, opener: Callable[[str], ObjectStore]) -> Counted:
    """Count what is asked of all stores of a scheme from now on, in this process.

    Parameters
    ----------
    scheme
        As in ``s3``.
    opener
        Opens such a store.

    Returns
    -------
    requests
        Grows with each request; clear it to count anew.
    """
    requests: Counted = []
    add_scheme(scheme, lambda url: CountedObjects(opener(url), requests))
    return requests
