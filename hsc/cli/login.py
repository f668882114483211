"""``hsc login [URL]``: keep a token for a catalog, under its server's address."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Annotated

import typer

from hsc import settings
from hsc.cli.options import Json
from hsc.cli.output import answer
from hsc.client import HttpCatalog
from hsc.errors import ConfigurationError, UnauthenticatedError
from hsc.store import bind_token, keep_token, unbind_token

_LONGEST = 65_536


def login(
    url: Annotated[
        str | None, typer.Argument(help="The catalog's address; by default HSC_CATALOG.")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the token of the server.")
    ] = False,
    json: Json = False,
) -> None:
    """Ask for a token, try it, and keep it for that server alone, readable by you alone.

    The token is asked for without being shown, or read from stdin; never an argument, for those
    everybody on the machine can see.
    """
    place = url or settings.catalog_url()
    if not place.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"{place.partition('://')[0]!r} is no catalog that one signs in to",
            next_step="name its address: hsc login https://catalog.example.org",
        )
    if forget:
        path = keep_token(place, None)
        answer({"catalog": place, "file": str(path)}, f"the token of {place} is forgotten")
        return
    token = _ask_token()
    with closing(HttpCatalog(place)) as catalog:
        bind_token(catalog.url, token)
        try:
            who = catalog.me()
        finally:
            unbind_token(catalog.url)
        path = keep_token(catalog.url, token)
    name = who.get("subject") or f"a reviewer of {len(who.get('datasets', ()))} datasets"
    scopes = ", ".join(who.get("scopes", ()))
    answer(
        {"catalog": place, "file": str(path), "me": who},
        f"signed in to {place} as {name} ({scopes}); the token is in {path}",
    )


def _ask_token() -> str:
    if sys.stdin.isatty():
        given = str(typer.prompt("Token", hide_input=True, err=True)).strip()
    else:
        given = sys.stdin.readline(_LONGEST).strip()
    if not given:
        raise UnauthenticatedError(
            "no token was given", next_step="whoever runs the catalog gives tokens"
        )
    return given
