"""``hsc catalog rebuild STORE``: a lost catalog, made again from what the store says of itself."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted
from hsc.cli.places import store_argument
from hsc.client import connect
from hsc.errors import ObjectMissingError

_SKIPPED = 3


def rebuild(
    store: Annotated[str, typer.Argument(help="URL or folder of the store.")],
    to: Annotated[
        str | None, typer.Option("--catalog", help="URL of the catalog; by default HSC_CATALOG.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell a catalog of all versions in a store that it does not have; they become private.

    Versions that are damaged or were never finished are named and skipped; then the exit code is 3.
    """
    with connect(to) as told:
        made = jobs.rebuild(store_argument(store), told)
    if not made.attempts and not made.skipped:
        raise ObjectMissingError(
            "hsc never wrote to this store: there is nothing to tell a catalog of",
            where=made.store,
            next_step="name the store itself, as HSC_STORE does; was another one meant?",
        )
    if json_wanted():
        answer(made.document(), "")
    else:
        for pid in made.registered:
            answer(None, f"registered {pid}")
        answer(None, f"{len(made.registered)} registered, {made.known} known before")
        for each in made.skipped:
            answer(None, f"skipped {each.path}: {each.message}", to_stderr=True)
    if made.skipped:
        raise typer.Exit(_SKIPPED)
