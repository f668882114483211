"""The audit log: one row for every change, each holding the digest of the one before."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table

from hsc_catalog.tables.metadata import RowNumber, Words, metadata

audit = Table(
    "audit",
    metadata,
    # From 1, without gaps: that no two rows follow one is said by it, and by `previous`.
    Column("number", RowNumber, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    # A pseudonym of `person`.
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    # What was changed: its kind and its PID with version, id or key.
    Column("kind", Words, nullable=False),
    Column("key", Words, nullable=False),
    # SHA-256 of the document before and after; NULL: there was none.
    Column("before", Words),
    Column("after", Words),
    Column("previous", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Index("audit_entity", "kind", "key", "number"),
)
