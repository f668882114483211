"""Persons: who stands behind the pseudonyms of the audit log, for as long as that may be known."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from hsc_catalog.tables.metadata import Words, metadata

person = Table(
    "person",
    metadata,
    # "agent:<ULID>": says nothing by itself, and stays when the rest is erased.
    Column("id", Words, primary_key=True),
    Column("subject", Words, unique=True),
    Column("name", Words),
    Column("address", Words),
    Column("erased", BigInteger),
)
