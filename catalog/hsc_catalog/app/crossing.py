"""What every request and answer crosses: number, size, headers, HEAD, and a line in the log."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from ulid import ULID

from hsc.errors import TooLargeError, TooManyRequestsError
from hsc_catalog.app.paths import DescribedPaths
from hsc_catalog.faces.problems import defect, invalid_request, problem_of, refused
from hsc_catalog.faces.served import Rate, reads_object

_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

_log = logging.getLogger("hsc.catalog.requests")


class Crossing:
    """Wraps the application: requests are numbered, bounded and logged, answers get headers.

    Parameters
    ----------
    app
        The application.
    paths
        What the application says of its paths.
    body_nbytes
        How many bytes a request may bring.
    streamed
        Paths whose requests bring any number of bytes, which are read as they come.
    rate
        How often an address may ask; None: any time.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        paths: DescribedPaths,
        body_nbytes: int,
        streamed: frozenset[str],
        rate: Rate | None,
    ) -> None:
        self._app = app
        self._paths = paths
        self._body_nbytes = body_nbytes
        self._streamed = streamed
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, scope)
        scope.setdefault("state", {})["request_id"] = answer.request_id
        try:
            refusal = self._refusal(scope, answer.request_id)
            if refusal is not None:
                await refusal(scope, receive, answer.send)
            else:
                await self._app(scope, self._bounded(scope, receive), answer.send)
        except ClientDisconnect:
            answer.gone = True
        except Exception as error:
            # Once begun, an answer can only break off.
            if answer.begun:
                raise
            await defect(error, answer.request_id)(scope, receive, answer.send)
        finally:
            answer.log()

    def _refusal(self, scope: Scope, request_id: str) -> Response | None:
        """Answer what needs no route; None: it needs one."""
        if self._rate is not None:
            try:
                address = (scope.get("client") or ("", 0))[0]
                self._rate.admit_address(address, objects=reads_object(scope["path"]))
            except TooManyRequestsError as error:
                return problem_of(error, request_id)
        said = dict(scope["headers"]).get(b"content-length", b"")
        if said.isdigit() and int(said) > self._body_nbytes and not self._streams(scope):
            response = problem_of(self._too_large(), request_id)
            # The rest is not read: the connection is of no more use.
            response.headers["Connection"] = "close"
            return response
        return self._by_route(scope, request_id)

    def _by_route(self, scope: Scope, request_id: str) -> Response | None:
        allowed = self._paths.methods(scope["path"])
        method = scope["method"]
        if not allowed:  # of another face, or nobody's
            return None
        if method not in allowed:
            headers = {"Allow": ", ".join(sorted(allowed))}
            if method == "OPTIONS":
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
            return refused(HTTPException(405, "not with this method", headers), request_id)
        if method == "HEAD":
            scope["method"] = "GET"
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        faults = self._paths.unknown(scope["path"], scope["method"], query)
        return invalid_request(RequestValidationError(faults), request_id) if faults else None

    def _streams(self, scope: Scope) -> bool:
        return scope["path"] in self._streamed

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        if self._streams(scope):
            return receive
        arrived = 0

        async def receive_bounded() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._body_nbytes:
                raise self._too_large()
            return message

        return receive_bounded

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"the request has more than {self._body_nbytes} bytes",
            next_step="send many records to /v1/import, which takes them line by line",
        )


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self.request_id = str(ULID())
        self.begun = False
        self.gone = False
        self._send = send
        # Never the query: searches name samples, links carry secrets.
        self._what = f"{scope['method']} {scope['path']}"
        self._head = scope["method"] == "HEAD"
        self._status = 500
        self._began_s = time.perf_counter()

    async def send(self, message: Message) -> None:
        """Send a part of it."""
        if message["type"] == "http.response.start":
            self.begun = True
            self._status = message["status"]
            has = {name.lower() for name, _ in message["headers"]}
            headers = [*message["headers"], *(pair for pair in _SECURITY if pair[0] not in has)]
            headers.append((b"x-request-id", self.request_id.encode()))
            if b"cache-control" not in has:
                headers.append((b"cache-control", b"private, no-cache"))
            message = {**message, "headers": headers}
        elif self._head and message["type"] == "http.response.body":
            if message.get("more_body"):
                return
            message = {**message, "body": b""}
        await self._send(message)

    def log(self) -> None:
        """Write its line into the log."""
        took_ms = (time.perf_counter() - self._began_s) * 1000
        what = self._what.encode("unicode_escape").decode()
        how = "gone" if self.gone else str(self._status)
        _log.info("%s %s %s %.1f ms", self.request_id, what, how, took_ms)
