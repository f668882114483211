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
)

# Names of groups, people and staff; whoever has one of them sees what has the set.
access_key = Table(
    "access_key",
    metadata,
    Column("access", ForeignKey("access_set.id"), primary_key=True),
    Column("name", Words, primary_key=True),
    Index("access_key_name", "name", "access"),
)
