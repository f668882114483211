"""Serves a catalog on loopback to measure it over HTTP: a program of its own, as in use."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import httpx

from hsc.client import connect
from hsc.errors import CatalogUnavailableError

_START_S = 60
ADMINISTRATOR = "administrator"
"""The bearer token of who sees everything and may create for every proposal."""


def caller_in(groups: str) -> Any:
    """Make a caller who is in groups, with blanks between them."""
    # Applications don't import each other: this one drives the catalog as its user would.
    made = import_module("hsc_catalog.access").Caller
    return made("someone", groups=frozenset(groups.split()))


@contextmanager
def served(url: str | None) -> Iterator[httpx.Client]:
    """Serve a catalog in a process of its own; give what asks it, over one connection.

    Its bearer tokens are the names of the groups that the caller is in, or `ADMINISTRATOR`.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = [sys.executable, "-m", "hsc_benchmarks.catalog_serving", str(port), url or ""]
    server = subprocess.Popen(words)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            _wait(client)
            yield client
    finally:
        server.terminate()
        server.wait()


def _wait(client: httpx.Client) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            client.get("/v1/health").raise_for_status()
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise CatalogUnavailableError("the server did not start") from error
            time.sleep(0.1)
        else:
            return


def _serve(port: int, url: str | None) -> None:
    import uvicorn

    administrator = import_module("hsc_catalog.access").Caller(
        "administrator",
        roles=frozenset({"administrator"}),
        scopes=frozenset({"read", "ingest", "write", "share"}),
    )

    def known(bearer: str | None, link: str | None) -> Any:
        if bearer == ADMINISTRATOR:
            return administrator
        return caller_in((bearer or "").replace(",", " "))

    catalog: Any = connect(url)
    app = import_module("hsc_catalog.app").create_app(catalog.database, authenticate=known)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2] or None)
