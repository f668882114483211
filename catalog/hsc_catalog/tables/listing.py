"""What searches read: the list of findable datasets, how many there are of each sort, numbers."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    event,
)

from hsc_catalog.tables.metadata import Words, metadata

# One row per facility, instrument, technique and kind that occur together.
trait = Table(
    "trait",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility", Words, nullable=False),
    Column("instrument", Words),
    Column("technique", Words),
    Column("kind", Words, nullable=False),
    # How many listed datasets have it, whoever may see them.
    Column("count", BigInteger, nullable=False),
    Index("trait_facility", "facility", "instrument"),
)

# How many listed datasets of a trait are in a scope. A scope is an access set, or 0: open to all.
tally = Table(
    "tally",
    metadata,
    Column("scope", Integer, primary_key=True, autoincrement=False),
    Column("trait", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Index("tally_trait", "trait"),
)

# One row per dataset that a search may find: its newest version, unless withdrawn.
listed = Table(
    "listed",
    metadata,
    Column("dataset", ForeignKey("dataset.id"), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("pid", Words, nullable=False),
    Column("scope", Integer, nullable=False),
    Column("trait", Integer, nullable=False),
    # 0: none is known.
    Column("proposal", Integer, nullable=False),
    Index("listed_created", "created"),
    Index("listed_scope", "scope", "created"),
    Index("listed_trait", "trait", "created"),
    Index("listed_both", "scope", "trait", "created"),
)

# Proposals by number: as columns hold them.
proposal_number = Table(
    "proposal_number",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Words, nullable=False, unique=True),
)

keyword = Table(
    "keyword",
    metadata,
    Column("word", Words, primary_key=True),
    Column("dataset", ForeignKey("dataset.id"), primary_key=True),
    Index("keyword_dataset", "dataset"),
)

# A name of numbers within one dimension: what can be compared with each other.
measure = Table(
    "measure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Words, nullable=False),
    Column("dimension", Words, nullable=False),
    UniqueConstraint("name", "dimension"),
)

# Numbers by column: those of one measure in 4096 neighbouring rows of `dataset`, packed, with
# least, most and how many there are. Negative measures are columns of `listed`.
column_block = Table(
    "column_block",
    metadata,
    Column("measure", Integer, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("filled", Integer, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)

# Numbers by row, of the newest datasets alone, until they go into columns.
row_numbers = Table(
    "row_numbers",
    metadata,
    Column("dataset", ForeignKey("dataset.id"), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)

# Access sets that are public but for an embargo; opened: their datasets went into scope 0.
embargoed = Table(
    "embargoed",
    metadata,
    Column("access", Integer, primary_key=True, autoincrement=False),
    Column("embargo", BigInteger, nullable=False),
    Column("opened", Boolean, nullable=False),
    Index("embargoed_waiting", "opened", "embargo"),
)

# One row: up to which row of `dataset` columns reach. Without it, all of this is to be made anew.
listing_state = Table(
    "listing_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sealed", BigInteger, nullable=False),
)

# Packed numbers don't get smaller, but PostgreSQL would try each time.
_external = DDL("ALTER TABLE column_block ALTER COLUMN packed SET STORAGE EXTERNAL")  # type: ignore[no-untyped-call]
event.listen(column_block, "after_create", _external.execute_if(dialect="postgresql"))
