"""History: documents that were replaced, as they stood."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from hsc_catalog.tables.metadata import Words, metadata

history = Table(
    "history",
    metadata,
    # "dataset", "activity", "replica" or the kind of a noun; then PID with version, id or key.
    Column("kind", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("revision", Integer, primary_key=True),
    # When it was replaced.
    Column("at", BigInteger, nullable=False),
    Column("json", Text, nullable=False),
)
