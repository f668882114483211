"""The proxy fails as it is told, and only then."""

from __future__ import annotations

import http.client
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from servers.fault_proxy import FaultProxy, Faults

BODY = bytes(range(256)) * 4096  # 1 MiB


class _Store(http.server.BaseHTTPRequestHandler):
    """Takes what is put and gives it back."""

    protocol_version = "HTTP/1.1"
    kept: bytes = b""

    def do_PUT(self) -> None:
        type(self).kept = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(BODY)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # what the proxy is for
            self.close_connection = True


@pytest.fixture
def store() -> Iterator[type[_Store]]:
    _Store.kept = b""
    return _Store


@pytest.fixture
def proxy(store: type[_Store]) -> Iterator[FaultProxy]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), store)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    with FaultProxy(server.server_port) as proxy:
        yield proxy
    server.shutdown()
    server.server_close()
    thread.join()


def ask(proxy: FaultProxy, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    with closing(connection):
        connection.request(method, "/x", body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_without_a_fault_it_passes_everything(proxy: FaultProxy, store: type[_Store]) -> None:
    assert ask(proxy, "PUT", BODY) == (200, b"")
    assert store.kept == BODY
    assert ask(proxy) == (200, BODY)
    assert proxy.seen.requests == ["PUT /x HTTP/1.1", "GET /x HTTP/1.1"]
    assert proxy.seen.faults == 0


def test_a_reset_on_the_way_up_keeps_the_request_from_the_server(
    proxy: FaultProxy, store: type[_Store]
) -> None:
    proxy.set(Faults(reset_after_up=len(BODY) // 2))
    with pytest.raises(ConnectionError):
        ask(proxy, "PUT", BODY)
    assert store.kept == b""
    proxy.set()
    assert ask(proxy, "PUT", BODY) == (200, b"")


def test_a_reset_on_the_way_down_takes_the_answer_of_what_was_done(
    proxy: FaultProxy, store: type[_Store]
) -> None:
    proxy.set(Faults(reset_after_down=1))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(proxy, "PUT", BODY)
    assert store.kept == BODY


def test_a_reset_in_the_middle_of_an_answer_cuts_it(proxy: FaultProxy) -> None:
    proxy.set(Faults(reset_after_down=len(BODY) // 2))
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        ask(proxy)


def test_a_fault_happens_as_often_as_told_and_only_to_what_begins_so(proxy: FaultProxy) -> None:
    proxy.set(Faults(status=503, code="SlowDown", only="^PUT", times=2))
    assert ask(proxy) == (200, BODY)
    for _ in range(2):
        status, told = ask(proxy, "PUT", b"a")
        assert status == 503
        assert b"<Code>SlowDown</Code>" in told
    assert ask(proxy, "PUT", b"a") == (200, b"")
    assert proxy.seen.faults == 2


def test_nobody_listens_while_it_refuses(proxy: FaultProxy) -> None:
    proxy.set(Faults(refuse=True))
    with pytest.raises(ConnectionRefusedError):
        ask(proxy)
    proxy.set()
    assert ask(proxy) == (200, BODY)


def test_a_blackhole_gives_nothing_and_then_everything(proxy: FaultProxy) -> None:
    proxy.set(Faults(blackhole=True))
    began = time.monotonic()
    timer = threading.Timer(0.5, proxy.set)
    timer.start()
    assert ask(proxy) == (200, BODY)
    assert time.monotonic() - began >= 0.5
    timer.join()


@pytest.mark.parametrize("faults", [Faults(latency_s=0.05), Faults(bytes_per_s=2_000_000)])
def test_a_slow_line_takes_its_time(proxy: FaultProxy, faults: Faults) -> None:
    proxy.set(faults)
    began = time.monotonic()
    assert ask(proxy, "PUT", BODY) == (200, b"")
    assert time.monotonic() - began >= 0.4


def test_connections_there_are_can_be_cut(proxy: FaultProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)

    def read() -> bytes:
        connection.request("GET", "/x")
        return connection.getresponse().read()

    with closing(connection):
        assert read() == BODY
        proxy.set(cut=True)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            read()
