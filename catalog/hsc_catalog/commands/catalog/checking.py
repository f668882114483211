"""``hsc catalog check``: whether all that a catalog holds agrees with itself."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc_catalog.commands.answering import Json, To, answer, counting

_FAULTY = 1
_SHOWN = 20


def check(
    head: Annotated[
        str | None,
        typer.Option(
            help="Digest of the audit log's newest row as an earlier check told it: it must still "
            "be in the log."
        ),
    ] = None,
    to: To = None,
    json: Json = False,
) -> None:
    """Check the audit log's chain, and by it every row; what searches read; references and access.

    What was changed, put in or taken out behind the catalog's back is told by kind and key. Note
    the head that it tells somewhere else: with --head a later check finds rows that were cut off.
    Faults make the exit code 1; nothing is changed.
    """
    # SQLAlchemy takes a moment to load.
    from hsc_catalog.checking import check_catalog
    from hsc_catalog.sql import open_sql

    with open_sql(to) as catalog, catalog.database.reading() as connection:
        found = check_catalog(connection, head, counting(shown=not json))
    lines = [
        f"{found.datasets} datasets, {found.activities} activities, {found.changes} changes",
        f"head {found.head}",
        *found.faults[:_SHOWN],
        "all of it agrees" if not found.faults else f"{found.wrong} faults",
    ]
    answer(found.document(), "\n".join(lines), json=json)
    if found.faults:
        raise typer.Exit(_FAULTY)
