"""The catalog's tables, and making them in a new database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    inspect,
    select,
)
from sqlalchemy.types import TypeEngine

from hsc.errors import CatalogUnavailableError, FormatVersionError, InvalidQueryError
from hsc.model import Quantity
from hsc_catalog.dialects import make_words_table

VERSION = 2
"""Version of these tables; raised whenever a database of before would have to be changed."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text that sorts by its bytes, whatever the database's language.

    PostgreSQL keeps no NUL: there it becomes U+2400, its picture. Documents are ASCII and have it
    escaped, so what was registered comes back as it was.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the type as a database has it."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Give the text as the database keeps it."""
        if value is None or dialect.name != "postgresql":
            return value
        return value.replace("\0", "\u2400")


metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

# Small rows to filter and sort by; the document stands apart so that scans never read it.
dataset = Table(
    "dataset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pid", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("newest", Boolean, nullable=False),
    Column("title", Words, nullable=False),
    Column("facility", Words, nullable=False),
    Column("instrument", Words),
    Column("proposal", Words),
    Column("technique", Words),
    Column("kind", Words, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("root", Words, nullable=False, index=True),
    Column("source_id", Words, index=True),
    UniqueConstraint("pid", "version"),
    Index("dataset_newest", "newest", "created", "pid"),
    *(
        Index(f"dataset_{name}", name, "created")
        for name in ("facility", "instrument", "proposal", "technique", "kind")
    ),
)

dataset_document = Table(
    "dataset_document",
    metadata,
    Column("dataset", ForeignKey("dataset.id"), primary_key=True),
    Column("json", Text, nullable=False),
)

# One row per number of a dataset: its value in SI, and the dimension it can be compared within.
quantity = Table(
    "quantity",
    metadata,
    Column("dataset", ForeignKey("dataset.id"), primary_key=True),
    Column("name", Words, primary_key=True),
    Column("dimension", Words, nullable=False),
    Column("value", Float, nullable=False),
    Index("quantity_value", "name", "dimension", "value", "dataset"),
)

# Where versions lie beside, or how they stand at, the place that their document tells.
replica = Table(
    "replica",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", ForeignKey("dataset.id"), nullable=False),
    Column("location", Words, nullable=False),
    Column("json", Text, nullable=False),
    UniqueConstraint("dataset", "location"),
)

activity = Table(
    "activity",
    metadata,
    Column("id", Words, primary_key=True),
    Column("type", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("started", BigInteger, nullable=False),
    Index("activity_started", "started", "id"),
    Index("activity_state", "state", "started", "id"),
)

activity_document = Table(
    "activity_document",
    metadata,
    Column("activity", ForeignKey("activity.id"), primary_key=True),
    Column("json", Text, nullable=False),
)

# The role is empty, not NULL, where there is none: SQL holds two NULLs for different.
edge = Table(
    "edge",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Words, nullable=False),
    Column("predicate", Words, nullable=False),
    Column("object", Words, nullable=False),
    Column("role", Words, nullable=False),
    UniqueConstraint("subject", "predicate", "object", "role"),
    Index("edge_object", "object", "predicate"),
)


def make_tables(connection: Connection) -> None:
    """Make the tables in an empty database, or those that an older release did not know."""
    if inspect(connection).get_table_names():
        metadata.create_all(connection)
        connection.execute(schema_version.update().values(version=VERSION))
        return
    metadata.create_all(connection, checkfirst=False)
    make_words_table(connection)
    connection.execute(schema_version.insert().values(version=VERSION))


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


def microseconds(moment: datetime) -> int:
    """Give a moment as whole microseconds since 1970 in UTC, so that it sorts and compares.

    Raises
    ------
    InvalidQueryError
        The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise InvalidQueryError(
            f"the time {moment.isoformat()} has no zone",
            next_step="give it one, as in 2026-11-22T10:00:00Z",
        )
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """Give the moment in UTC that stands so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def comparable(number: Quantity) -> tuple[float, str]:
    """Give a quantity's value and dimension to compare by; an unknown unit is its own dimension."""
    return number.si() or (number.value, f"unknown:{number.unit.strip()}")
