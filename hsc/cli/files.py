"""``hsc files PID``: what lies below a dataset's ``files/``, listed or brought home as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table, size
from hsc.client import connect
from hsc.model import Pid
from hsc.reading import open_dataset


def files(
    pid: Annotated[str, typer.Argument(help="The dataset's PID, with @n for version n.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Some of them; else all.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write them there; without it, list them.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    json: Json = False,
) -> None:
    """List a dataset's files (reports, columns, notes), or bring them home, checked."""
    # Only who brings files home waits for the exporters.
    from hsc.exporting import check_named, write_named

    with connect(create=False) as catalog:
        located = jobs.locate(catalog, Pid.parse(pid))
    dataset = open_dataset(located.record, located.others)
    chosen = [dataset.files[name] for name in check_named(dataset, names or ())]
    written = () if to is None else write_named(dataset, names or (), to, overwrite=overwrite)
    listed = [{"name": one.name, "bytes": one.nbytes, "blake3": one.blake3} for one in chosen]
    if to is not None or json_wanted():
        document = {"pid": pid, "files": listed, "written": [str(path) for path in written]}
        answer(document, "\n".join(map(str, written)) or f"no files lie with {pid}")
        return
    if not chosen:
        answer(None, f"no files lie with {pid}; `hsc show {pid}` lists its arrays")
        return
    show_table("", ["file", "size"], [[one.name, size(one.nbytes)] for one in chosen])
