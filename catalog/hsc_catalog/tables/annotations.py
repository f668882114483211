"""Annotations: what people said of a dataset after it was made."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from hsc_catalog.tables.metadata import Words, metadata

annotation = Table(
    "annotation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pid", Words, nullable=False),
    # NULL: all versions.
    Column("version", Integer),
    Column("kind", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
    # A pseudonym of `person`.
    Column("by", Words, nullable=False),
    Column("json", Text, nullable=False),
    Index("annotation_pid", "pid", "at", "id"),
)
