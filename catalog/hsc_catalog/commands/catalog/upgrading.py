"""``hsc catalog upgrade``: the tables of an older release, brought to those of this one."""

from __future__ import annotations

from hsc_catalog.commands.answering import Json, To, answer


def upgrade(to: To = None, json: Json = False) -> None:
    """Upgrade the tables of an older release, all or nothing.

    Of an SQLite catalog a copy is laid beside it first; of one in PostgreSQL make a backup with
    pg_dump yourself, and end the programs that use it.
    """
    # SQLAlchemy and alembic take a moment to load.
    from hsc_catalog.sql import open_sql
    from hsc_catalog.tables import VERSION

    with open_sql(to, upgraded=True) as catalog:
        url = catalog.url
    told = {"catalog": url, "version": VERSION}
    answer(told, f"{url} has schema version {VERSION}", json=json)
