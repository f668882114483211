"""API tokens, reviewer links and roles; of secrets only their hashes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table

from hsc_catalog.tables.metadata import Words, metadata

api_token = Table(
    "api_token",
    metadata,
    Column("id", Words, primary_key=True),
    # SHA-256 of the whole text.
    Column("digest", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("name", Words, nullable=False),
    # Names of scopes with blanks between.
    Column("scopes", Words, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    # Rounded down to the hour; NULL: never.
    Column("used", BigInteger),
    Index("api_token_subject", "subject", "created"),
)

reviewer_link = Table(
    "reviewer_link",
    metadata,
    Column("id", Words, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)

reviewer_link_dataset = Table(
    "reviewer_link_dataset",
    metadata,
    Column("link", ForeignKey("reviewer_link.id"), primary_key=True),
    Column("pid", Words, primary_key=True),
    Index("reviewer_link_dataset_pid", "pid", "link"),
)

granted_role = Table(
    "granted_role",
    metadata,
    Column("subject", Words, primary_key=True),
    Column("role", Words, primary_key=True),
    Column("granted", BigInteger, nullable=False),
)
