"""Objects on a web server: read only, nothing but the request sent, no redirect followed."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from hsc.errors import (
    HscError,
    ObjectMissingError,
    StoreError,
    StoreUnwritableError,
)
from hsc.store.objects import checked_key
from hsc.store.ranges import Part, at_once
from hsc.store.retrying import Patience, persist
from hsc.store.s3_answers import redirect_refused

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
_ADVICE = "check the address, and whether the server gives it to everybody"

_lock = threading.Lock()
_clients: dict[int, httpx.Client] = {}


class HttpObjects:
    """Objects below an address of the web.

    Parameters
    ----------
    url
        ``https://host/path``.
    patience
        How long a server that does not answer is waited for.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.url = url.rstrip("/")
        self._patience = patience or Patience()

    def get(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Give an object's bytes."""
        if stop is not None and stop <= start:
            if self.size(key) is None:
                raise ObjectMissingError("no such object", where=f"{self.url}/{key}")
            return b""
        wanted = "" if stop is None else stop - 1
        headers = {"Range": f"bytes={start}-{wanted}"} if start or stop is not None else {}

        def ask() -> bytes:
            answer = self._send("GET", key, headers)
            if answer.status_code == 416:  # the object ends before
                return b""
            if answer.status_code == 200:  # the server knows no ranges
                return answer.content[start:stop]
            told = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
            if answer.status_code != 206 or told is None or int(told[1]) != start:
                raise StoreError(
                    f"the server answers bytes {headers} with {answer.status_code} "
                    f"{answer.headers.get('content-range', 'and no range')!r}",
                    where=f"{self.url}/{key}",
                    next_step=_ADVICE,
                )
            return answer.content if stop is None else answer.content[: stop - start]

        return self._ask(key, ask)

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Give many parts of an object."""
        return at_once(lambda each: self.get(key, *each), ranges)

    def size(self, key: str) -> int | None:
        """Give an object's size in bytes."""

        def ask() -> int | None:
            told = self._send("HEAD", key, {}).headers.get("content-length")
            if told is None:
                raise StoreError(
                    "the server does not tell the object's size",
                    where=f"{self.url}/{key}",
                    next_step=_ADVICE,
                )
            return int(told)

        try:
            return self._ask(key, ask)
        except ObjectMissingError:
            return None

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Refuse: a web server is read from.

        Raises
        ------
        StoreUnwritableError
            Always.
        """
        raise self._read_only(key, f"{len(data)} bytes can't be written")

    def delete(self, key: str) -> None:
        """Refuse: a web server is read from.

        Raises
        ------
        StoreUnwritableError
            Always.
        """
        raise self._read_only(key, "nothing can be removed")

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

    def _send(self, method: str, key: str, headers: dict[str, str]) -> httpx.Response:
        address = f"{self.url}/{quote(checked_key(key, self.url))}"
        where = f"{self.url}/{key}"
        # Compressed on the way, a range would be one of other bytes.
        answer = _client().request(
            method, address, headers={**headers, "Accept-Encoding": "identity"}
        )
        status = answer.status_code
        if status in _PASSING_STATUS:
            raise _LaterError(f"HTTP {status}")
        if answer.has_redirect_location:
            raise redirect_refused(self.url, str(answer.headers["location"]), where)
        if status in (404, 410):
            raise ObjectMissingError("no such object", where=where)
        if status not in (200, 206, 416):
            what = f"the object can't be read: HTTP {status}"
            raise StoreError(what, where=where, next_step=_ADVICE)
        return answer

    def _ask(self, key: str, ask: Callable[[], T]) -> T:
        # Half a second's import, and ssl with it; other stores do without.
        import httpx

        def passing(error: Exception) -> str | None:
            known = isinstance(error, httpx.TransportError | _LaterError)
            return (str(error) or type(error).__name__) if known else None

        try:
            return persist(ask, passing, f"{self.url}/{key}", self._patience)
        except HscError:
            raise
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = f"the object can't be read: {error}"
            raise StoreError(what, where=f"{self.url}/{key}", next_step=_ADVICE) from error

    def _read_only(self, key: str, what: str) -> StoreUnwritableError:
        return StoreUnwritableError(
            f"a web server is read only: {what}",
            where=f"{self.url}/{key}",
            next_step="name a store that can be written to, as in s3://bucket/prefix",
        )


class _LaterError(Exception):
    """The server can't answer now."""


def _client() -> httpx.Client:
    """Give this process's client: connections are kept, cookies and redirects are not."""
    import httpx

    with _lock:
        if os.getpid() not in _clients:
            _clients.clear()
            _clients[os.getpid()] = httpx.Client(
                timeout=httpx.Timeout(60, connect=20),
                limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
                follow_redirects=False,
            )
        client = _clients[os.getpid()]
        client.cookies.clear()
        return client
