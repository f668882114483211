"""Exchange: requests to a catalog's server and their answers, bounded, asked again where it may."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hsc.client.problems import error_of
from hsc.errors import (
    CatalogError,
    CatalogUnavailableError,
    ConfigurationError,
    RedirectRefusedError,
    StoreUnavailableError,
    TooLargeError,
)
from hsc.store import Patience, origin_of, persist, token_headers

if TYPE_CHECKING:
    import httpx

JSON = "application/json"

_PASSING_STATUS = {429, 502, 503, 504}
_LARGEST_NBYTES = 256 * 2**20
_LONGEST_LINE = 64 * 2**20

Asked = Mapping[str, str | list[str] | None]
"""What stands in the query of a request; None: it is left out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    body: bytes
    """Its bytes, decoded."""
    headers: Mapping[str, str]
    """Its headers, names in small letters."""

    def document(self, where: str) -> dict[str, Any]:
        """Give it as JSON.

        Raises
        ------
        CatalogError
            It is none.
        """
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise CatalogError("the server's answer is no JSON object", where=where)
        return document


class Exchange:
    """Requests to one catalog.

    The token of the server's origin is sent with them, and nothing else: no cookie, no redirect
    followed.

    Parameters
    ----------
    url
        ``https://host`` or a path below it, before ``/v1``.
    patience
        How long a server that does not answer is waited for.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.url = _checked(url)
        self._origin = origin_of(self.url)
        self._patience = patience or Patience(total_s=30.0)
        self._lock = threading.Lock()
        self._opened: httpx.Client | None = None

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Asked | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
    ) -> Answer:
        """Send a request and give its answer.

        Parameters
        ----------
        method, path, query, headers
            The request; the path below ``/v1``.
        body
            A document to send as JSON; None: nothing.
        again
            Whether the same may be sent twice; None: a GET, HEAD, PUT or DELETE may.

        Raises
        ------
        CatalogUnavailableError
            There was no answer, or none from a catalog.
        HscError
            The error that the server tells.
        """
        where = f"{self.url}/v1{path}"
        sent = None if body is None else json.dumps(body, allow_nan=False).encode()
        told = {"Accept": JSON, **(headers or {})}
        if sent is not None:
            told["Content-Type"] = JSON

        def once() -> Answer:
            return self._once(method, where, _given(query), sent, told)

        may = method in ("GET", "HEAD", "PUT", "DELETE") if again is None else again
        return self._persisting(once, where, may)

    def lines(self, path: str) -> Iterator[bytes]:
        """Give the lines of a streamed answer (NDJSON), as they come."""
        where, rest = f"{self.url}/v1{path}", b""
        try:
            with self._client().stream("GET", where, headers=self._headers({})) as response:
                self._check(response, where)
                for piece in response.iter_bytes():
                    *whole, rest = (rest + piece).split(b"\n")
                    yield from filter(None, whole)
                    if len(rest) > _LONGEST_LINE:
                        raise TooLargeError("a line of the answer has no end", where=where)
        except _LaterError as error:
            raise error.told from error
        except self._transport() as error:
            raise self._unavailable(error, where) from error
        if rest:
            yield rest

    def post_lines(self, path: str, lines: Iterable[bytes]) -> Answer:
        """Send lines (NDJSON) as they come, and give the answer; nothing is sent twice."""
        where = f"{self.url}/v1{path}"
        told = {"Accept": JSON, "Content-Type": "application/x-ndjson"}
        body = (line if line.endswith(b"\n") else line + b"\n" for line in lines)
        return self._persisting(lambda: self._once("POST", where, {}, body, told), where, False)

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _once(
        self,
        method: str,
        where: str,
        query: dict[str, str | list[str]],
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        client = self._client()
        client.cookies.clear()
        told = self._headers(headers)
        with client.stream(method, where, params=query, content=body, headers=told) as response:
            self._check(response, where)
            return Answer(_read(response, where), dict(response.headers))

    def _check(self, response: httpx.Response, where: str) -> None:
        """Raise what an answer tells, when it is none of success."""
        if response.has_redirect_location:
            raise RedirectRefusedError(
                f"the catalog's server leads to {_place(response.headers['location'])}",
                where=where,
                next_step="where you know it to be right, set HSC_CATALOG to it",
            )
        if response.status_code in _PASSING_STATUS:
            raise _LaterError(
                error_of(response.status_code, _read(response, where), where, response.headers)
            )
        if response.status_code >= 400:
            raise error_of(response.status_code, _read(response, where), where, response.headers)
        if response.status_code == 204:
            return
        kind = response.headers.get("content-type", "").partition(";")[0]
        if "json" not in kind:
            raise CatalogUnavailableError(
                f"no catalog answers there: what comes is {kind or 'of no kind'}",
                where=where,
                next_step="check HSC_CATALOG: it is the address before /v1",
            )

    def _persisting(self, once: Any, where: str, again: bool) -> Answer:
        import httpx  # half a second, and ssl with it; other catalogs do without

        def passing(error: Exception) -> str | None:
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
                return str(error) or type(error).__name__  # nothing was sent
            known = isinstance(error, httpx.TransportError | _LaterError)
            return (str(error) or type(error).__name__) if known and again else None

        try:
            answer: Answer = persist(once, passing, where, self._patience)
        except StoreUnavailableError as error:
            cause = error.__cause__
            if isinstance(cause, _LaterError):
                raise cause.told from error
            raise self._unavailable(cause or error, where) from error
        except _LaterError as error:
            raise error.told from error
        except self._transport() as error:
            raise self._unavailable(error, where) from error
        return answer

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**headers, **token_headers(self._origin), "User-Agent": "hsc"}

    def _client(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._opened is None:
                self._opened = httpx.Client(
                    timeout=httpx.Timeout(60, connect=20), follow_redirects=False
                )
            return self._opened

    def _transport(self) -> tuple[type[Exception], ...]:
        import httpx

        return (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)

    def _unavailable(self, error: BaseException, where: str) -> CatalogUnavailableError:
        return CatalogUnavailableError(
            f"the catalog does not answer: {str(error) or type(error).__name__}",
            where=where,
            next_step="find out whether its server is up and reached from here (HSC_CATALOG)",
        )


class _LaterError(Exception):
    """The server can't answer now."""

    def __init__(self, told: Exception) -> None:
        super().__init__(getattr(told, "message", ""))
        self.told = told


def _read(response: httpx.Response, where: str) -> bytes:
    parts, nbytes = [], 0
    for part in response.iter_bytes():
        nbytes += len(part)
        if nbytes > _LARGEST_NBYTES:
            raise TooLargeError(
                f"the server's answer has more than {_LARGEST_NBYTES} bytes",
                where=where,
                next_step="ask for less at once",
            )
        parts.append(part)
    return b"".join(parts)


def _given(query: Asked | None) -> dict[str, str | list[str]]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _checked(url: str) -> str:
    """Give a catalog's address back, without a slash at its end.

    Raises
    ------
    ConfigurationError
        It is no address, or carries credentials.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # a ValueError when it is no number
    except ValueError:  # its text may repeat a password
        raise ConfigurationError(
            "a catalog's address can't be read: what stands behind its host's colon is no port",
            next_step="write it like https://catalog.example.org:8443",
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{without_credentials(url)!r} is no address of a catalog",
            next_step="write it like https://catalog.example.org",
        )
    if "@" in parts.netloc:
        raise ConfigurationError(
            "a catalog's address must not carry credentials",
            where=without_credentials(url),
            next_step="set HSC_TOKEN, or run `hsc login URL`",
        )
    return url.rstrip("/").removesuffix("/v1")


def without_credentials(url: str) -> str:
    """Give a catalog's URL without what stands before a host or behind the path."""
    # Cut to the last @, wherever: a password may hold any sign. Parameters may hold secrets too.
    return re.sub(r"^([^/]*://)?.*@", r"\1", url, flags=re.DOTALL).partition("?")[0]


def _place(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "another path"
