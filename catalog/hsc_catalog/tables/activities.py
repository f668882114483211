"""Activities: small rows to list by, and their documents."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from hsc_catalog.tables.metadata import Words, metadata

activity = Table(
    "activity",
    metadata,
    Column("id", Words, primary_key=True),
    Column("type", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    # Who recorded it; where, as in "maxiv/CoSAXS"; and who else may see it, where a set says so.
    Column("recorder", Words),
    Column("instrument", Words),
    Column("access", ForeignKey("access_set.id"), index=True),
    Index("activity_started", "started", "id"),
    Index("activity_recorder", "recorder", "started", "id"),
    Index("activity_instrument", "instrument", "started", "id"),
    Index("activity_state", "state", "started", "id"),
)

activity_document = Table(
    "activity_document",
    metadata,
    Column("activity", ForeignKey("activity.id"), primary_key=True),
    Column("json", Text, nullable=False),
)
