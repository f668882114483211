"""``hsc catalog erase SUBJECT``: who somebody was, forgotten; what they did stays."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from hsc_catalog.commands.answering import Json, To, answer, mention


def erase(
    subject: Annotated[str, typer.Argument(help="The account, as tokens and providers name it.")],
    also: Annotated[
        list[str] | None,
        typer.Option(help="A name, address or ORCID iD of the person, as records have it; repeat."),
    ] = None,
    to: To = None,
    json: Json = False,
) -> None:
    """Forget a person: their account in every table, and what --also names, in documents too.

    Tokens, links and roles are taken back. A pseudonym that says nothing stands in the place of
    the account; the audit log verifies, and others see what they saw. An SQLite file is written
    anew. Backups made before hold the person still: they are named.
    """
    # SQLAlchemy takes a moment to load.
    from hsc_catalog.databases import SqliteDatabase
    from hsc_catalog.erasing import erase_person
    from hsc_catalog.sql import open_sql

    with open_sql(to) as catalog:
        with catalog.database.writing() as connection:
            done = erase_person(connection, catalog.caller.actor, subject, also)
        left = "PostgreSQL keeps old rows until VACUUM FULL, and its WAL and dumps keep them too"
        backups = []
        if isinstance(catalog.database, SqliteDatabase):
            whole = catalog.database.rewrite()
            left = "" if whole else "others read the catalog: its -wal file keeps old pages yet"
            backups = [str(each) for each in catalog.database.backups()]
    told = {"erased": done.agent, **asdict(done), "backups": backups, "left": left or None}
    told.pop("agent")
    answer(told, f"{done.agent} is nobody known any more", json=json)
    if not json:
        for what in (done.revoked, done.changed):
            mention(", ".join(f"{kind} {count}" for kind, count in what.items()))
        for each in backups:
            mention(f"still in the backup {each}")
        if left:
            mention(left)
