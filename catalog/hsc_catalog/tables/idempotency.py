"""Idempotency keys: what was answered to a request, should it be sent again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from hsc_catalog.tables.metadata import Words, metadata

idempotency = Table(
    "idempotency",
    metadata,
    # Whose key it is: two callers may choose the same.
    Column("subject", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
