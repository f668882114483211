"""``hsc catalog backup FILE`` and ``restore FILE``: a whole copy of an SQLite catalog, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsc_catalog.commands.answering import Json, To, answer
from hsc_catalog.commands.named_file import naming


def backup(
    file: Annotated[Path, typer.Argument(help="The file to make; an older one is replaced.")],
    to: To = None,
    json: Json = False,
) -> None:
    """Copy the catalog as it stands at one moment, while others read and write.

    Of a catalog in PostgreSQL `pg_dump` makes the backup; `hsc catalog export` writes the records
    of either.
    """
    # SQLAlchemy takes a moment to load.
    from hsc_catalog.sql import open_file

    with open_file(to) as database, naming(file, "written"):
        database.back_up(file.absolute())
    size = file.stat().st_size
    answer({"file": str(file), "nbytes": size}, f"{file}: {size} bytes", json=json)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup, or the copy that an upgrade made.")],
    to: To = None,
    force: Annotated[
        bool, typer.Option(help="Also in place of a catalog that holds something.")
    ] = False,
    json: Json = False,
) -> None:
    """Put a backup in the place of the catalog; what stood there is kept beside it.

    End the programs that use the catalog first: while one has it open, nothing is done. The
    backup is checked before anything is replaced.
    """
    # SQLAlchemy takes a moment to load.
    from hsc_catalog.restoring import restore_file

    target, kept = restore_file(file, to, force=force)
    told = {"catalog": str(target), "kept": None if kept is None else str(kept)}
    text = f"{target} is {file} now"
    answer(told, text if kept is None else f"{text}; what stood there is {kept}", json=json)
