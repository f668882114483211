"""Web servers of a few lines that write down what they were sent."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    """With names like ``User-Agent``, however they were sent."""

    def __contains__(self, text: str) -> bool:
        return text in f"{self.method} {self.path} {dict(self.headers)}"


@dataclass
class RecordingServer:
    """Serves objects on loopback; use it in a ``with`` block.

    Parameters
    ----------
    objects
        What there is, by path.
    answer
        Is asked first; None from it: serve the object.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    answer: Callable[[Request], Answer | None] = lambda _: None
    seen: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = Request(
                    self.command, self.path, {n.title(): v for n, v in self.headers.items()}
                )
                outer.seen.append(asked)
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, body = outer.answer(asked) or outer.serve(asked)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            # The names that they are looked for by.
            do_HEAD = do_POST = do_PATCH = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def origin(self) -> str:
        """URL without a path."""
        return f"http://{self.host}"

    def serve(self, asked: Request) -> Answer:
        """Answer as a web server does, ranges included."""
        data = self.objects.get(asked.path)
        if data is None:
            return 404, {}, b""
        about = {"ETag": '"x"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("Range", ""))
        if part is None:
            return 200, about, data
        first = int(part[1])
        last = min(int(part[2] or len(data)), len(data) - 1)
        if first >= len(data):
            return 416, {"Content-Range": f"bytes */{len(data)}"}, b""
        about["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return 206, about, data[first : last + 1]


def error(status: int, code: str) -> Answer:
    """Give an error as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
    return status, {"Content-Type": "application/xml"}, body


def redirect(target: str, status: int = 307) -> Answer:
    """Give an answer that leads elsewhere."""
    return status, {"Location": target}, b""
