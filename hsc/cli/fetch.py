"""``hsc fetch PID DIR``: a dataset, or parts of it, as a local folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json, MaxRate, Workers
from hsc.cli.output import Bars, answer, size
from hsc.model import Pid


def fetch(
    pid: Annotated[
        str, typer.Argument(help="The dataset's PID, with @n for version n; or a version's URL.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder, new or empty.")],
    select: Annotated[
        list[str] | None,
        typer.Option(help="Only this array, group or file, and all metadata; may be repeated."),
    ] = None,
    workers: Workers = None,
    max_rate: MaxRate = None,
    json: Json = False,
) -> None:
    """Bring a dataset home, checked; the same again goes on where it was, or brings the rest.

    What --select leaves out can't be read there by any reader: it is an error, never zeros.
    """
    location = jobs.folder_url(pid)
    request = jobs.FetchRequest(
        pid=None if location else Pid.parse(pid),
        location=location,
        folder=str(folder.expanduser().absolute()),
        select=tuple(select or ()),
        workers=workers,
        max_rate=max_rate,
    )
    with Bars() as bars:
        made = jobs.fetch(request, progress=bars)
    kept = f", {made.kept} were there" if made.kept else ""
    text = f"{made.folder}: {made.objects} objects, {size(made.bytes)}{kept}"
    left = [f"  not fetched: {name}" for name in made.not_fetched[:20]]
    more = len(made.not_fetched) - len(left)
    left += [f"  and {more} more not fetched"] if more else []
    answer(made.document(), "\n".join([text, *left]))
