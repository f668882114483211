"""``hsc serve``: the catalog over HTTP."""

from __future__ import annotations

import ipaddress
import json as json_text
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hsc import settings as environment


def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; by default this machine alone, 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0: any that is free.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(envvar="HSC_SERVE", help="Settings: accounts, providers, limits."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address of a proxy that may say whom a request is from; repeatable."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout, when ready.")
    ] = False,
) -> None:
    """Serve the catalog that HSC_CATALOG names over HTTP, until Ctrl-C."""
    # FastAPI and uvicorn come with the extra `catalog` only, and take a second to load.
    from hsc_catalog.app import serving as server
    from hsc_catalog.identity import has_administrator, read_settings
    from hsc_catalog.sql import is_new, open_database

    told = read_settings(config)
    serving = server.Serving(
        catalog_url=environment.catalog_url(),
        settings=told,
        host=host or told.host,
        port=told.port if port is None else port,
        workers=workers,
        proxies=tuple(proxy or told.trusted_proxies),
    )
    # Before anything listens: what can't be opened is an error of the command.
    new = is_new(serving.catalog_url)
    database = open_database(serving.catalog_url, server.LOCK_TIMEOUT_S)
    try:
        known = has_administrator(database)
        where = database.url
        if new:
            sys.stderr.write(f"made a new catalog: {where}\n")
    finally:
        database.close()
    with server.listen(serving.host, serving.port) as listener:
        address = _address(listener.getsockname())
        _advise(serving.host, address, administrator=known)

        def ready() -> None:
            _tell({"address": address, "api": f"{address}/v1", "catalog": where}, json)

        server.serve(serving, listener, ready)


def _address(name: tuple[Any, ...]) -> str:
    host, port = name[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _tell(document: dict[str, str], json: bool) -> None:
    if json:
        sys.stdout.write(json_text.dumps(document) + "\n")
        sys.stdout.flush()
    else:
        sys.stderr.write(f"serving {document['catalog']} at {document['api']}; Ctrl-C ends it\n")
        sys.stderr.flush()


def _advise(host: str, address: str, *, administrator: bool) -> None:
    if not administrator:
        sys.stderr.write(
            "nobody is administrator yet: "
            "`hsc catalog administrator NAME` makes one and prints a token\n"
        )
    if not _is_loopback(host):
        sys.stderr.write(
            f"{address} can be reached from elsewhere, and tokens travel there as they are: "
            "put a proxy with TLS before it, and let nobody else reach it\n"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
