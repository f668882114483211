"""Datasets: the small rows that are filtered and sorted, and their documents."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from hsc_catalog.tables.metadata import Words, metadata

# Small rows to filter and sort by; the document stands apart so that scans never read it.
dataset = Table(
    "dataset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pid", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("newest", Boolean, nullable=False),
    Column("title", Words, nullable=False),
    Column("facility", Words, nullable=False),
    Column("instrument", Words),
    Column("proposal", Words),
    Column("sample", Words),
    Column("technique", Words),
    Column("kind", Words, nullable=False),
    Column("created", BigInteger, nullable=False),
    # Empty where the bytes lie in a foreign catalog: then nobody here knows the root.
    Column("root", Words, nullable=False),
    Column("source_id", Words),
    # When it was registered; how often anything of it was changed, from 1, and when last.
    Column("registered", BigInteger, nullable=False, server_default="0"),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("updated", BigInteger, nullable=False, server_default="0"),
    # Who may see it: all versions of a PID share one set. Without one nobody does but operators.
    Column("access", ForeignKey("access_set.id"), index=True),
    Column("owner", Words),
    Column("flagged", Words),
    Column("withdrawn", BigInteger),
    UniqueConstraint("pid", "version"),
    # None begins with `newest`: SQLite would take it for a dataset's newest version, and walk over
    # the newest of all.
    Index("dataset_created", "created", "pid", "newest"),
    # Facets are found by `listed`. Each index is a page more that a new dataset changes.
    *(Index(f"dataset_{name}", name, "created") for name in ("proposal", "sample")),
)

dataset_document = Table(
    "dataset_document",
    metadata,
    Column("dataset", ForeignKey("dataset.id"), primary_key=True),
    Column("json", Text, nullable=False),
)
