"""Reading by HTTP: parts of what lies at an address; no redirect followed, nothing kept."""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from hsc.errors import HscError, ObjectMissingError, StoreError, StoreRefusedError
from hsc.store.retrying import Patience, persist
from hsc.store.s3_answers import redirect_refused

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
ADVICE = "check the address, and whether the server gives it to everybody"

_lock = threading.Lock()
_clients: dict[int, httpx.Client] = {}


class PassingError(Exception):
    """The server can't answer now."""


def read_range(
    address: str, start: int, stop: int | None, where: str, headers: Mapping[str, str]
) -> bytes:
    """Give the bytes from ``start`` to ``stop`` (to the end when None) at an address; one try."""
    wanted = "" if stop is None else stop - 1
    asked = {"Range": f"bytes={start}-{wanted}"} if start or stop is not None else {}
    answer = send("GET", address, where, {**headers, **asked})
    if answer.status_code == 416:  # the object ends before
        return b""
    if answer.status_code == 200:  # the server knows no ranges
        return answer.content[start:stop]
    told = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    if answer.status_code != 206 or told is None or int(told[1]) != start:
        raise StoreError(
            f"the server answers bytes {asked} with {answer.status_code} "
            f"{answer.headers.get('content-range', 'and no range')!r}",
            where=where,
            next_step=ADVICE,
        )
    return answer.content if stop is None else answer.content[: stop - start]


def send(
    method: str, address: str, where: str, headers: Mapping[str, str], json: object = None
) -> httpx.Response:
    """Send one request.

    Parameters
    ----------
    method, address, headers, json
        The request.
    where
        What it is about, for errors: the address may hold a signature.

    Raises
    ------
    PassingError
        The server can't answer now.
    ObjectMissingError
        There is nothing.
    StoreRefusedError
        It does not give it to us.
    StoreError
        Another answer than bytes.
    """
    # Compressed on the way, a range would be one of other bytes.
    asked = {**headers, "Accept-Encoding": "identity"}
    answer = _client().request(method, address, headers=asked, json=json)
    status = answer.status_code
    if status in _PASSING_STATUS:
        raise PassingError(f"HTTP {status}")
    if answer.has_redirect_location:
        raise redirect_refused(_place(address), str(answer.headers["location"]), where)
    if status in (404, 410):
        raise ObjectMissingError("no such object", where=where)
    if status not in (200, 206, 416):
        kind = StoreRefusedError if status in (401, 403) else StoreError
        raise kind(f"the object can't be read: HTTP {status}", where=where, next_step=ADVICE)
    return answer


def ask_patiently(ask: Callable[[], T], where: str, patience: Patience) -> T:
    """Ask until there is an answer, or patience ends.

    Raises
    ------
    StoreUnavailableError
        Patience ended.
    StoreError
        The request can't be sent.
    """
    # Half a second's import, and ssl with it; other stores do without.
    import httpx

    def passing(error: Exception) -> str | None:
        known = isinstance(error, httpx.TransportError | PassingError)
        return (str(error) or type(error).__name__) if known else None

    try:
        return persist(ask, passing, where, patience)
    except HscError:
        raise
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = f"the object can't be read: {error}"
        raise StoreError(what, where=where, next_step=ADVICE) from error


def _place(address: str) -> str:
    return address.partition("?")[0]


def _client() -> httpx.Client:
    """Give this process's client: connections are kept, cookies and redirects are not."""
    import httpx

    with _lock:
        if os.getpid() not in _clients:
            _clients.clear()
            _keep_signatures_out_of_logs()
            atexit.register(_close)
            _clients[os.getpid()] = httpx.Client(
                timeout=httpx.Timeout(60, connect=20),
                limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
                follow_redirects=False,
            )
        client = _clients[os.getpid()]
        client.cookies.clear()
        return client


def _close() -> None:
    """Close the connections that this process kept; those of a parent are its own to close."""
    with _lock:
        client = _clients.pop(os.getpid(), None)
    if client is not None:
        client.close()


def _keep_signatures_out_of_logs() -> None:
    """Have httpx not write addresses with signatures into its log."""
    log = logging.getLogger("httpx")
    if _holds_no_signature not in log.filters:
        log.addFilter(_holds_no_signature)


def _holds_no_signature(record: logging.LogRecord) -> bool:
    return "signature=" not in record.getMessage().lower()
