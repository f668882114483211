"""Serving the application: a socket first, then uvicorn on it, in this process or in several."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import uvicorn
from anyio import to_thread
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from hsc import settings
from hsc.errors import AddressUnavailableError
from hsc.layouts import find_facility
from hsc_catalog.app.making import create_app
from hsc_catalog.faces.scicat import ScicatFace, Site
from hsc_catalog.faces.served import Limits
from hsc_catalog.identity import RequestLimit, ServeSettings, authenticate, open_sources
from hsc_catalog.sql import open_database

LOCK_TIMEOUT_S = 5.0
"""How long a request waits for somebody else's transaction before it answers 503."""
THREADS = 12
"""Requests that are worked on at once, in one process: each may hold a connection."""
_GRACE_S = 10  # for requests under way when the server is to end
_MOST_AT_ONCE = 1000  # connections; more are answered 503 at once
_BACKLOG = 2048


@dataclass(frozen=True)
class Serving:
    """What to serve, and where."""

    catalog_url: str
    """URL of the database, with its credentials."""
    settings: ServeSettings
    """What serve.toml says."""
    host: str
    """Address to listen on."""
    port: int
    """Port to listen on; 0: any that is free."""
    workers: int = 1
    """Processes."""
    proxies: tuple[str, ...] = ()
    """Proxies whose word on a request's true origin is taken; empty: nobody's."""


def listen(host: str, port: int) -> socket.socket:
    """Begin to listen at an address.

    Raises
    ------
    AddressUnavailableError
        Somebody else listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        used = error.errno == errno.EADDRINUSE
        raise AddressUnavailableError(
            "another program listens there" if used else f"can't listen there: {error.strerror}",
            where=f"{host}:{port}",
            next_step="end that program, or choose another --port"
            if used
            else "choose another --host or --port",
        ) from error
    # An answer goes out in two writes, and its second would wait 40 ms for the first's receipt:
    # asyncio sets this by itself only where the socket names its protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(serving: Serving, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are ended first.

    Parameters
    ----------
    serving
        What to serve.
    listener
        Where, as `listen` gives it.
    ready
        Called once, when requests are answered.
    """
    config = uvicorn.Config(
        partial(open_app, serving),
        factory=True,
        # Their defaults would believe any proxy on loopback.
        proxy_headers=bool(serving.proxies),
        forwarded_allow_ips=list(serving.proxies),
        workers=serving.workers,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="warning",
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_GRACE_S,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises again what it has ended for
        if serving.workers == 1:
            _Server(config, ready).run([listener])
        else:
            ready()  # the listener takes connections already, and holds them
            supervisor = Multiprocess(config, [listener])
            supervisor.run()


def open_app(serving: Serving) -> FastAPI:
    """Open the database and make the application on it; both end together.

    Raises
    ------
    CatalogUnavailableError
        The database can't be opened.
    ConfigurationError
        The settings can't be used.
    """
    log_to_stderr()
    database = open_database(serving.catalog_url, LOCK_TIMEOUT_S)
    sources = open_sources(serving.settings, database)
    bounds = serving.settings.limits

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        try:
            yield
        finally:
            await asyncio.to_thread(database.close)

    return create_app(
        database,
        authenticate=partial(authenticate, sources=sources),
        limits=Limits(
            body_nbytes=bounds.body_bytes,
            import_nbytes=bounds.import_bytes,
            json_depth=bounds.json_depth,
        ),
        rate=RequestLimit(bounds.caller, bounds.address, objects=bounds.objects),
        lifespan=lifespan,
        scicat=ScicatFace(_site(serving), sources),
    )


def _site(serving: Serving) -> Site:
    facility = find_facility(settings.facility())
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    address = serving.settings.public_url or f"http://{host}:{serving.port}"
    return Site(facility.id, facility.pid_prefix, f"{address.rstrip('/')}/api")


def log_to_stderr() -> None:
    """Let the server's loggers write to stderr, a line for each request."""
    for name, level in (("hsc.catalog", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        if not logger.handlers:
            lines = logging.StreamHandler(sys.stderr)
            form = "%(asctime)s %(levelname)s %(message)s"
            lines.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S%z"))
            logger.addHandler(lines)
        logger.setLevel(level)
        logger.propagate = False


class _Server(uvicorn.Server):
    """Tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell so."""
        await super().startup(sockets)
        if self.started:
            self._ready()
