"""``hsc catalog import FILE`` and ``export FILE``: records as lines of JSON."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from hsc_catalog.commands.answering import Json, To, answer, mention
from hsc_catalog.commands.named_file import naming

_WRONG = 1


def export(
    file: Annotated[Path, typer.Argument(help="The file to make, or - for stdout.")],
    to: To = None,
    json: Json = False,
) -> None:
    """Write datasets with activities and edges, replicas and nouns, a JSON document a line.

    Documents are written as they were posted, with who may see each dataset. Owners, annotations,
    history and the audit log are not: for those make a backup.
    """
    # SQLAlchemy takes a moment to load.
    from hsc_catalog.records import export_lines
    from hsc_catalog.sql import open_sql

    count = 0
    half = file.with_name(f"{file.name}.{os.getpid()}.part")
    with open_sql(to) as catalog, catalog.database.reading() as connection, naming(file, "written"):
        lines = export_lines(connection, catalog.sight())
        if str(file) == "-":
            for line in lines:
                sys.stdout.write(line + "\n")
            return
        try:
            with half.open("w", encoding="utf-8", newline="\n") as stream:
                for count, line in enumerate(lines, 1):  # noqa: B007  it is told below
                    stream.write(line + "\n")
            half.replace(file)
        finally:
            half.unlink(missing_ok=True)
    answer({"file": str(file), "lines": count}, f"{file}: {count} lines", json=json)


def import_(
    file: Annotated[Path, typer.Argument(help="The file, or - for stdin.")],
    to: To = None,
    json: Json = False,
) -> None:
    """Keep lines of JSON, a thousand in one transaction; the same again changes nothing.

    A wrong line is named and keeps none of the others back; then the exit code is 1. Stopped, the
    same command goes on: what was kept is passed over. A dataset that was not there stands as its
    line tells, else as a new one.
    """
    # SQLAlchemy takes a moment to load.
    from hsc_catalog.importing import import_lines
    from hsc_catalog.sql import open_sql

    shown = sys.stderr.isatty() and not json

    def tell(count: int) -> None:
        if shown:
            sys.stderr.write(f"\r{count} lines")

    with naming(file, "read"):
        opened = nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb")
    with opened as stream, open_sql(to) as catalog:
        done = import_lines(catalog, stream, shown=tell)
    if shown:
        sys.stderr.write("\n")
    answer(done.document(), f"{done.kept} lines kept, {done.wrong} wrong", json=json)
    if not json:
        for each in done.lines[:20]:
            mention(f"line {each['line']}: {each['message']}")
    if done.wrong:
        raise typer.Exit(_WRONG)
