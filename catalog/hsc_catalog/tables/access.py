"""Access sets: who may see something; equal ones are one row, shared by all that have them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from hsc_catalog.tables.metadata import Words, metadata

access_set = Table(
    "access_set",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Words, nullable=False, unique=True),
    Column("visibility", Words, nullable=False),
    Column("access_class", Words, nullable=False),
    # Microseconds since 1970; NULL: no embargo.
    Column("embargo", BigInteger),
    # How many clauses of keys it has: the dataset's own, and one for each that its inputs ask.
    Column("clauses", Integer, nullable=False, server_default="1"),
)

# Names of groups, people and staff; whoever has one of each clause sees what has the set. Clause 0
# is the dataset's own.
access_key = Table(
    "access_key",
    metadata,
    Column("access", ForeignKey("access_set.id"), primary_key=True),
    Column("clause", Integer, primary_key=True, server_default="0"),
    Column("name", Words, primary_key=True),
    Index("access_key_name", "name", "access", "clause"),
)
