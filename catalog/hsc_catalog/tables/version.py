"""The version of the tables, and making them in a new database."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, Table, inspect, select, text

from hsc.errors import CatalogUnavailableError, FormatVersionError
from hsc_catalog.tables.datasets import dataset
from hsc_catalog.tables.dialects import make_audit_append_only, make_words_table
from hsc_catalog.tables.metadata import metadata

VERSION = 3
"""Version of these tables; raised whenever a database of before would have to be changed."""

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))


def make_tables(connection: Connection) -> None:
    """Make the tables in an empty database, or bring those of an older release up."""
    found = inspect(connection)
    if not found.get_table_names():
        metadata.create_all(connection, checkfirst=False)
        make_words_table(connection)
        make_audit_append_only(connection)
        connection.execute(schema_version.insert().values(version=VERSION))
        return
    old = {name: {each["name"] for each in found.get_columns(name)} for name in _grown(connection)}
    metadata.create_all(connection)
    make_audit_append_only(connection)
    for name, columns in old.items():
        for column in metadata.tables[name].columns:
            if column.name not in columns:
                kind = column.type.compile(connection.dialect)
                default = column.server_default
                told = f" DEFAULT {default.arg} NOT NULL" if default is not None else ""  # type: ignore[attr-defined]
                connection.execute(
                    text(f"ALTER TABLE {name} ADD COLUMN {column.name} {kind}{told}")
                )
    connection.execute(schema_version.update().values(version=VERSION))


def _grown(connection: Connection) -> list[str]:
    return [name for name in ("dataset", "activity") if inspect(connection).has_table(name)]


def has_tables(connection: Connection, where: str) -> bool:
    """Tell whether all tables are there; False: an empty database, or one of an older release.

    Raises
    ------
    CatalogUnavailableError
        The database is of something else.
    FormatVersionError
        The tables are of a newer release.
    """
    names = inspect(connection).get_table_names()
    if not names:
        return False
    if schema_version.name not in names or dataset.name not in names:
        raise CatalogUnavailableError(
            "the database holds other tables, and no catalog",
            where=where,
            next_step="name another one in HSC_CATALOG; this one was left as it is",
        )
    found = connection.scalars(select(schema_version.c.version)).one()
    if found > VERSION:
        raise FormatVersionError(
            f"the catalog has schema version {found}, this release knows up to {VERSION}",
            where=where,
            next_step="install the newer release of hanseatic-science-cloud that wrote it",
        )
    return bool(found == VERSION)
