"""The version of the tables, and making them in a new database."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    select,
)

from hsc.errors import CatalogUnavailableError, FormatVersionError
from hsc_catalog.tables.datasets import dataset
from hsc_catalog.tables.dialects import make_audit_append_only, make_words_table
from hsc_catalog.tables.metadata import metadata

VERSION = 3
"""Version of these tables; raised with each step in `migrations`."""

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))


_STEP = "0002"

# What alembic knows a database by; it makes the same table itself where there is none.
_alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def make_tables(connection: Connection) -> None:
    """Make the tables in an empty database."""
    metadata.create_all(connection, checkfirst=False)
    make_words_table(connection)
    make_audit_append_only(connection)
    connection.execute(schema_version.insert().values(version=VERSION))
    _alembic_version.create(connection)
    connection.execute(_alembic_version.insert().values(version_num=_STEP))


def found_version(connection: Connection, where: str) -> int | None:
    """Give the version of the tables that are there; None: the database is empty.

    Raises
    ------
    CatalogUnavailableError
        The database is of something else.
    FormatVersionError
        The tables are of a newer release.
    """
    names = inspect(connection).get_table_names()
    if not names:
        return None
    if schema_version.name not in names or dataset.name not in names:
        raise CatalogUnavailableError(
            "the database holds other tables, and no catalog",
            where=where,
            next_step="name another one in HSC_CATALOG; this one was left as it is",
        )
    found = int(connection.scalars(select(schema_version.c.version)).one())
    if found > VERSION:
        raise FormatVersionError(
            f"the catalog has schema version {found}, this release knows up to {VERSION}",
            where=where,
            next_step="install the newer release of hanseatic-science-cloud that wrote it",
        )
    return found
