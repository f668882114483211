"""``hsc scicat push|pull PID... --url URL``: exchange records with a facility's SciCat."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from hsc import settings
from hsc.cli import Json, answer
from hsc.client import connect
from hsc.errors import ConfigurationError
from hsc.layouts import facilities, find_facility
from hsc.model import Pid
from hsc_catalog.faces.scicat.exchanging import Exchanged, pull, push
from hsc_catalog.faces.scicat.remote import RemoteScicat

Pids = Annotated[list[str], typer.Argument(help="PIDs of datasets.", metavar="PID...")]
Url = Annotated[str, typer.Option(help="The SciCat, as in https://scicat.maxiv.lu.se/api/v3.")]


def pull_records(
    pids: Pids,
    url: Url,
    facility: Annotated[
        str | None, typer.Option(help="Whose datasets these are; by default by their prefix.")
    ] = None,
    json: Json = False,
) -> None:
    """Take datasets' records from a SciCat into the catalog, under their own PIDs."""
    remote = RemoteScicat(url, _token(required=False))
    with connect(settings.catalog_url()) as catalog:
        _each(pids, lambda pid: pull(catalog, remote, pid, facility or _facility(pid)), "from")


def push_records(
    pids: Pids,
    url: Url,
    owner_group: Annotated[
        str | None,
        typer.Option(help="Group there that it shall belong to; by default the proposal."),
    ] = None,
    contact: Annotated[
        str | None, typer.Option(help="Address for questions, where the record has none.")
    ] = None,
    json: Json = False,
) -> None:
    """Give datasets' records to a SciCat, under their own PIDs where it allows that."""
    remote = RemoteScicat(url, _token(required=True))
    with connect(settings.catalog_url()) as catalog:
        _each(
            pids,
            lambda pid: push(
                catalog, remote, Pid.parse(pid), owner_group=owner_group, contact=contact
            ),
            "to",
        )


def _each(pids: list[str], exchange: Callable[[str], Exchanged], way: str) -> None:
    done = [exchange(pid) for pid in pids]
    lines = [
        f"{each.pid} {way} {each.remote_pid}{': was there already' if each.existing else ''}"
        for each in done
    ]
    answer({"datasets": [each.document() for each in done]}, "\n".join(lines))


def _token(*, required: bool) -> str | None:
    """Give the SciCat's token: of the environment, else as it is typed; never an argument."""
    token = settings.scicat_token()
    if token is None and required and sys.stdin.isatty():
        token = typer.prompt("Token of the SciCat", hide_input=True, err=True)
    if token is None and required:
        raise ConfigurationError(
            "sending to a SciCat needs a token of it",
            next_step="make one in its web page and set HSC_SCICAT_TOKEN",
        )
    return token


def _facility(pid: str) -> str:
    prefix = pid.partition("/")[0]
    known = [each.id for each in facilities().values() if each.pid_prefix == prefix]
    return known[0] if known else find_facility(settings.facility()).id
