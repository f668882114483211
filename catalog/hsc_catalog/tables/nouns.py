"""Nouns: facilities, instruments, proposals, samples, publications, each found by its key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from hsc_catalog.tables.metadata import Words, metadata

noun = Table(
    "noun",
    metadata,
    # "facility", "instrument", "proposal", "sample" or "publication".
    Column("kind", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("access", ForeignKey("access_set.id"), index=True),
    Column("json", Text, nullable=False),
)
