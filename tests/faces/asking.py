"""Asking the catalog's application, in memory, without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI


class Asking:
    """Sends requests to an application and gives its answers."""

    def __init__(self, client: httpx.AsyncClient, portal: BlockingPortal) -> None:
        self._client = client
        self._portal = portal

    def __call__(self, method: str, path: str, token: str | None = None, **more: Any) -> Any:
        """Send one request; ``token`` goes into its Authorization."""
        headers = dict(more.pop("headers", {}))
        if (
            "json" in more
        ):  # httpx's own writer can't write what is no Unicode, as file names may be
            more["content"] = json.dumps(more.pop("json"))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"

        async def send() -> httpx.Response:
            return await self._client.request(method, path, headers=headers, **more)

        return self._portal.call(send)


@contextmanager
def asking(app: FastAPI) -> Iterator[Asking]:
    """Ask an application for the length of a block."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    with start_blocking_portal() as portal:
        client = httpx.AsyncClient(transport=transport, base_url="http://catalog.test")
        yield Asking(client, portal)
        portal.call(client.aclose)
