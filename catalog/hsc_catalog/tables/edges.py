"""Provenance edges, in one table that is indexed both ways."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, UniqueConstraint

from hsc_catalog.tables.metadata import Words, metadata

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
