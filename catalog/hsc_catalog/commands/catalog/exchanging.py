"""``hsc catalog import FILE`` and ``export FILE``: records as lines of JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsc.client import Catalog, HttpCatalog, connect
from hsc.errors import ConfigurationError
from hsc_catalog.commands.answering import Json, To, answer, counting, mention
from hsc_catalog.commands.named_file import naming

if TYPE_CHECKING:
    from hsc_catalog.catalog import SqlCatalog

_WRONG = 1


def export(
    file: Annotated[Path, typer.Argument(help="The file to make, or - for stdout.")],
    to: To = None,
    json: Json = False,
) -> None:
    """Write datasets with activities and edges, replicas and nouns, a JSON document a line.

    Documents are written as they were posted, with who may see each dataset. Owners, annotations,
    history and the audit log are not: for those make a backup. Over HTTP it is what the token's
    owner sees, and the whole for administrators.
    """
    tell = counting(shown=not json)
    with _exported(to) as lines, naming(file, "written"):
        if str(file) == "-":
            for line in lines:
                sys.stdout.write(line + "\n")
            return
        count = _write(file, lines, tell)
    answer({"file": str(file), "lines": count}, f"{file}: {count} lines", json=json)


def import_(
    file: Annotated[Path, typer.Argument(help="The file, or - for stdin.")],
    to: To = None,
    json: Json = False,
) -> None:
    """Keep lines of JSON, many in one transaction; the same again changes nothing.

    A wrong line is named and keeps none of the others back; then the exit code is 1. Stopped, the
    same command goes on: what was kept is passed over. A dataset that was not there stands as its
    line tells, else as a new one.
    """
    tell = counting(shown=not json)
    with naming(file, "read"):
        opened = nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb")
    with opened as stream:
        done = _import(to, stream, lambda count: tell("lines", count))
    answer(done, f"{done['kept']} lines kept, {done['wrong']} wrong", json=json)
    if not json:
        for each in done["lines"][:20]:
            place = f" ({each['where']})" if each["where"] else ""
            mention(f"line {each['line']}{place}: {each['message']}")
    if done["wrong"]:
        raise typer.Exit(_WRONG)


@contextmanager
def _exported(to: str | None) -> Iterator[Iterator[str]]:
    """Give the lines of a catalog: in its own database as it stood at one moment."""
    with connect(to, create=False) as catalog:
        if isinstance(catalog, HttpCatalog):
            yield (line.decode() for line in catalog.export_lines())
            return
        # SQLAlchemy takes a moment to load.
        from hsc_catalog.records import export_lines

        own = _own(catalog)
        with own.database.reading() as connection:
            yield export_lines(connection, own.sight())


def _write(file: Path, lines: Iterable[str], tell: Callable[[str, int], None]) -> int:
    """Write a file that appears when it is whole; give how many lines it has."""
    half = file.with_name(f"{file.name}.{os.getpid()}.part")
    count = 0
    try:
        with half.open("w", encoding="utf-8", newline="\n") as stream:
            for count, line in enumerate(lines, 1):
                stream.write(line + "\n")
                if count % 1000 == 0:
                    tell("lines", count)
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
    return count


def _import(to: str | None, stream: Iterable[bytes], tell: Callable[[int], None]) -> dict[str, Any]:
    with connect(to) as catalog:
        if isinstance(catalog, HttpCatalog):
            return catalog.import_lines(stream, tell)
        # SQLAlchemy takes a moment to load.
        from hsc_catalog.faces.importing import import_lines

        done = import_lines(_own(catalog), stream, shown=tell)
    told = [
        {"line": number, "error": type(error).__name__, "message": error.message,
         "where": error.where}
        for number, error in done.refused
    ]  # fmt: skip
    return {"kept": done.kept, "wrong": done.wrong, "lines": told}


def _own(catalog: Catalog) -> SqlCatalog:
    """Give a catalog as that of its own database."""
    from hsc_catalog.catalog import SqlCatalog

    if not isinstance(catalog, SqlCatalog):
        raise ConfigurationError(
            "lines are exchanged with a database or a server of hsc",
            next_step="name it as sqlite://, postgresql:// or https:// in --catalog",
        )
    return catalog
