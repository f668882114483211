"""The catalog's tables, and making them in a new file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
)

from hsc.errors import CatalogUnavailableError, FormatVersionError, InvalidQueryError
from hsc.model import Quantity

VERSION = 1
"""Version of these tables; raised whenever a file of before would have to be changed."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

# Small rows to filter and sort by; the document stands apart so that scans never read it.
dataset = Table(
    "dataset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pid", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("newest", Boolean, nullable=False),
    Column("title", String, nullable=False),
    Column("facility", String, nullable=False),
    Column("instrument", String),
    Column("proposal", String),
    Column("technique", String),
    Column("kind", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("root", String, nullable=False, index=True),
    Column("source_id", String, index=True),
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
    Column("name", String, primary_key=True),
    Column("dimension", String, nullable=False),
    Column("value", Float, nullable=False),
    Index("quantity_value", "name", "dimension", "value", "dataset"),
)

activity = Table(
    "activity",
    metadata,
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("state", String, nullable=False),
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
    Column("subject", String, nullable=False),
    Column("predicate", String, nullable=False),
    Column("object", String, nullable=False),
    Column("role", String, nullable=False),
    UniqueConstraint("subject", "predicate", "object", "role"),
    Index("edge_object", "object", "predicate"),
)

# Words come in already folded (see words.py): SQLite's ASCII rules then split at the blanks alone.
# Rows are never changed, so the text need not be kept a second time (content='').
_FULL_TEXT = (
    "CREATE VIRTUAL TABLE dataset_words "
    "USING fts5(words, content='', detail='column', tokenize='ascii')"
)


def make_tables(connection: Connection) -> None:
    """Make the tables in an empty database."""
    metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(_FULL_TEXT)
    connection.execute(schema_version.insert().values(version=VERSION))


def has_tables(connection: Connection, where: str) -> bool:
    """Tell whether the tables are there; False means an empty database.

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
            "the file is an SQLite database but no catalog",
            where=where,
            next_step="name another file in HSC_CATALOG; this one was left as it is",
        )
    found = connection.scalars(select(schema_version.c.version)).one()
    if found > VERSION:
        raise FormatVersionError(
            f"the catalog has schema version {found}, this release knows up to {VERSION}",
            where=where,
            next_step="install the newer release of hanseatic-science-cloud that wrote it",
        )
    return True


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
