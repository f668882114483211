"""Objects on a web server: read only, nothing but the request sent, no redirect followed."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from hsc.errors import ObjectMissingError, StoreError
from hsc.store.objects import checked_key
from hsc.store.ranges import Part, at_once
from hsc.store.read_only import ReadOnlyObjects
from hsc.store.retrying import Patience
from hsc.store.web import ADVICE, ask_patiently, read_range, send


class HttpObjects(ReadOnlyObjects):
    """Objects below an address of the web.

    Parameters
    ----------
    url
        ``https://host/path``.
    patience
        How long a server that does not answer is waited for.
    """

    kind = "a web server"

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.url = url.rstrip("/")
        self._patience = patience or Patience()

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        if stop is not None and stop <= start:
            if self.size(key) is None:
                raise ObjectMissingError("no such object", where=f"{self.url}/{key}")
            return b""
        where = f"{self.url}/{key}"
        return ask_patiently(
            lambda: read_range(self._address(key), start, stop, where, {}), where, self._patience
        )

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Give many parts of an object."""
        return at_once(lambda each: self.get(key, *each), ranges)

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""
        where = f"{self.url}/{key}"

        def ask() -> int:
            told = send("HEAD", self._address(key), where, {}).headers.get("content-length")
            if told is None:
                what = "the server does not tell the object's size"
                raise StoreError(what, where=where, next_step=ADVICE)
            return int(told)

        try:
            return ask_patiently(ask, where, self._patience)
        except ObjectMissingError:
            return None

    def keys(self, prefix: str) -> list[str]:
        """Refuse: a web server does not list what it has.

        Raises
        ------
        StoreError
            Always.
        """
        raise StoreError(
            "a web server does not list its objects",
            where=f"{self.url}/{prefix}",
            next_step="open a version by its address; its manifest lists what it has",
        )

    def _address(self, key: str) -> str:
        return f"{self.url}/{quote(checked_key(key, self.url))}"
