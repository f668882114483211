"""A catalog's server on loopback: the real application on uvicorn, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Self

import uvicorn
from fastapi import FastAPI

from hsc.errors import UnauthenticatedError
from hsc_catalog.access import ALL_SCOPES, ANONYMOUS, Caller
from hsc_catalog.app import create_app
from hsc_catalog.databases import Database
from hsc_catalog.delivery import Delivery

TOKEN = "admin-token"  # noqa: S105 - it opens nothing but what a test made
ADMINISTRATOR = Caller("anna", roles=frozenset({"administrator"}), scopes=ALL_SCOPES)

Known = dict[str, Caller]
"""Who holds which token or link."""


class CatalogServer:
    """The application on a port of loopback; use it in a ``with`` block.

    Parameters
    ----------
    database
        What is served; `serve` changes it.
    known
        Who holds which token.
    delivery
        Makes what delivers objects; None: from the stores that the environment names.
    """

    def __init__(
        self,
        database: Database,
        known: Known | None = None,
        delivery: Callable[[Database], Delivery] = Delivery,
    ) -> None:
        self.known = {TOKEN: ADMINISTRATOR} if known is None else known
        self._delivery = delivery
        self.app: FastAPI = create_app(
            database, authenticate=self._authenticate, delivery=delivery(database)
        )
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        # Else each answer's second part would wait 40 ms for the receipt of its first.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(self.app, log_config=None, lifespan="off", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def serve(self, database: Database) -> None:
        """Serve another database from now on."""
        served = self.app.state.served
        self.app.state.served = replace(
            served, database=database, delivery=self._delivery(database)
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def _authenticate(self, bearer: str | None, link: str | None) -> Caller:
        if bearer is None and link is None:
            return ANONYMOUS
        for shown in (bearer, link):
            if shown in self.known:
                return self.known[shown]
        raise UnauthenticatedError("this catalog knows no such token")
