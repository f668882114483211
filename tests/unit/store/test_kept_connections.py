"""Connections that a process keeps for the next request end with it, and are closed by it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

# What is registered first is called last: it sees what is left open when all else has ended.
_ASKS = """
import atexit, gc, socket, sys

def look():
    sockets = [each for each in gc.get_objects() if isinstance(each, socket.socket)]
    print([each for each in sockets if each.fileno() >= 0])

atexit.register(look)
from hsc.store.web import send
assert send("GET", sys.argv[1], "here", {}).content == b"told"
"""


class Answers(BaseHTTPRequestHandler):
    """Answers everything, and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"told")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()
        thread.join()


def test_a_program_that_read_by_http_leaves_no_socket_open_at_its_end(server: str) -> None:
    # Python tells of one as it ends, in -X dev and where warnings are errors.
    program = [sys.executable, "-c", _ASKS, server]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
