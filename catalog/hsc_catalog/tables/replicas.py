"""Replicas: where versions lie, besides or at the place that their document tells."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from hsc_catalog.tables.metadata import Words, metadata

replica = Table(
    "replica",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", ForeignKey("dataset.id"), nullable=False),
    Column("location", Words, nullable=False),
    Column("json", Text, nullable=False),
    UniqueConstraint("dataset", "location"),
)
