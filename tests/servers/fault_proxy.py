"""A proxy between a client and a server that makes the network and the server fail on demand."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from servers.children import free_port

T = TypeVar("T")

_BLOCK = 1 << 16
_TURNS = 50  # of a tenth of a second: so long connections may take to end
_ACCEPT_TURNS = 5  # of the loop: two are needed
_INTERIM = b"HTTP/1.1 100 "  # "go on", no answer yet
_METHODS = (b"GET ", b"PUT ", b"HEAD ", b"POST ", b"DELETE ")


@dataclass(frozen=True)
class Faults:
    """What goes wrong; as it stands, nothing does."""

    latency_s: float = 0.0
    """How much later each piece of bytes goes on, in both directions."""
    bytes_per_s: float | None = None
    """The most that a connection moves in each direction; None: as much as comes."""
    reset_after_up: int | None = None
    """Reset a connection when a request has so many bytes, the last of them not passed on."""
    reset_after_down: int | None = None
    """Reset a connection when an answer has so many bytes, the last of them not passed on."""
    refuse: bool = False
    """Nobody listens."""
    blackhole: bool = False
    """Connections are taken and nothing comes through, neither bytes nor an end."""
    status: int | None = None
    """Answer each request with this HTTP status instead of asking the server."""
    code: str = "InternalError"
    """What S3 calls that status."""
    only: str = ""
    """Only requests whose first line has this in it (a regular expression) have ``status`` and
    resets, as in ``^PUT``; empty: all."""
    times: int | None = None
    """How often ``status`` or a reset happens before all is well again; None: always."""


@dataclass
class Seen:
    """What the proxy met."""

    connections: int = 0
    faults: int = 0
    requests: list[str] = field(default_factory=list)
    """First lines of all requests."""


@dataclass
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    request: str = ""
    """First line of the request that it carries."""
    up: int = 0
    """Bytes that the client sent of that request."""
    down: int = 0
    """Bytes that the server answered it with."""


class FaultProxy:
    """Passes bytes between loopback and a server, and fails as told; runs in a thread.

    Parameters
    ----------
    port
        The server's port on loopback.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = free_port()
        self.seen = Seen()
        self._faults = Faults()
        self._left: int | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set(self, faults: Faults | None = None, *, cut: bool = False) -> None:
        """Fail from now on as told, or not at all; ``cut`` resets the connections there are."""
        self._call(self._set(faults or Faults(), cut))

    def hold(self, seconds: float) -> None:
        """Do nothing at all for a while, from now on: what comes meanwhile comes at once."""
        self._loop.call_soon_threadsafe(time.sleep, seconds)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _set(self, faults: Faults, cut: bool) -> None:
        refused = self._faults.refuse
        self._faults, self._left = faults, faults.times
        if faults.refuse and not refused:
            await self._stop_listening()
        if refused and not faults.refuse:
            await self._listen()
        if cut or faults.refuse:
            await self._cut()

    async def _cut(self) -> None:
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _stop_listening(self) -> None:
        """Take no more connections, and lose none that is being taken."""
        # A server that is closed between asyncio's accept() and the transport that it makes of it
        # a turn later fails there (Server._attach), and the socket is dropped open.
        for each in self._server.sockets:
            self._loop.remove_reader(each.fileno())
        for _ in range(_ACCEPT_TURNS):
            await asyncio.sleep(0)
        self._server.close()

    async def _end(self) -> None:
        await self._stop_listening()
        # A connection that was taken just now has a task that has not begun: cancelled before, it
        # would never close what it was given. So it is waited for, until none is left.
        for turn in range(_TURNS):
            await asyncio.sleep(0.1)
            await self._cut()
            if turn and len(asyncio.all_tasks()) == 1:  # this one itself
                break

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.seen.connections += 1
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            _reset(writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, upward = await asyncio.open_connection("127.0.0.1", self._target)
        one = _Connection(client=writer, server=upward)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_up(reader, one))
                both.create_task(self._pass_down(answers, one))
        except* OSError:
            _reset(writer)
        finally:
            _reset(upward)

    async def _pass_up(self, reader: asyncio.StreamReader, one: _Connection) -> None:
        while data := await reader.read(_BLOCK):
            if data.startswith(_METHODS):
                one.request, one.up, one.down = data.split(b"\r\n", 1)[0].decode("latin-1"), 0, 0
                self.seen.requests.append(one.request)
            if self._faults.status is not None and self._hits(one):
                await self._answer(one)
                return
            one.up += len(data)
            limit = self._faults.reset_after_up
            if limit is not None and one.up >= limit and self._hits(one):
                raise ConnectionResetError
            await self._pass(data, one.server)
        _end_orderly(one.server)

    async def _pass_down(self, reader: asyncio.StreamReader, one: _Connection) -> None:
        while data := await reader.read(_BLOCK):
            if not data.startswith(_INTERIM):
                one.down += len(data)
            limit = self._faults.reset_after_down
            if limit is not None and one.down >= limit and self._hits(one):
                raise ConnectionResetError
            await self._pass(data, one.client)
        _end_orderly(one.client)

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while self._faults.blackhole:
            await asyncio.sleep(0.02)
        await asyncio.sleep(self._faults.latency_s)
        if self._faults.bytes_per_s is not None:
            await asyncio.sleep(len(data) / self._faults.bytes_per_s)
        writer.write(data)
        await writer.drain()

    def _hits(self, one: _Connection) -> bool:
        """Tell whether the fault happens to a connection, and count it."""
        if not re.search(self._faults.only, one.request):
            return False
        if self._left is not None:
            if self._left <= 0:
                return False
            self._left -= 1
        self.seen.faults += 1
        return True

    async def _answer(self, one: _Connection) -> None:
        code = self._faults.code
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>"
        one.client.write(
            f"HTTP/1.1 {self._faults.status} {code}\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
        )
        await one.client.drain()
        _end_orderly(one.client)
        # The client may still send; a reset now could take the answer with it.
        await asyncio.sleep(0.2)
        raise ConnectionResetError


def _end_orderly(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that the other side sees a reset, and not an orderly end."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.is_closing():
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
