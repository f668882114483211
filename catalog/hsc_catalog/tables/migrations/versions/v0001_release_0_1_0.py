"""The tables of release 0.1.0, made where they are not there."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from hsc_catalog.tables.dialects import make_words_table
from hsc_catalog.tables.metadata import Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what the database lacks: schema 1 had no table of replicas, schema 2 has all."""
    there = set(sa.inspect(op.get_bind()).get_table_names())
    tables: dict[str, Callable[[], None]] = {
        "schema_version": _schema_version,
        "dataset": _dataset,
        "dataset_document": _dataset_document,
        "quantity": _quantity,
        "replica": _replica,
        "activity": _activity,
        "activity_document": _activity_document,
        "edge": _edge,
        "dataset_words": lambda: make_words_table(op.get_bind()),
    }
    for name, make in tables.items():
        if name not in there:
            make()


def _schema_version() -> None:
    made = op.create_table("schema_version", sa.Column("version", sa.Integer, nullable=False))
    op.bulk_insert(made, [{"version": 2}])


def _dataset() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pid", Words, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("newest", sa.Boolean, nullable=False),
        sa.Column("title", Words, nullable=False),
        sa.Column("facility", Words, nullable=False),
        sa.Column("instrument", Words),
        sa.Column("proposal", Words),
        sa.Column("technique", Words),
        sa.Column("kind", Words, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("root", Words, nullable=False),
        sa.Column("source_id", Words),
        sa.UniqueConstraint("pid", "version"),
    )
    op.create_index("ix_dataset_root", "dataset", ["root"])
    op.create_index("ix_dataset_source_id", "dataset", ["source_id"])
    op.create_index("dataset_newest", "dataset", ["newest", "created", "pid"])
    for name in ("facility", "instrument", "proposal", "technique", "kind"):
        op.create_index(f"dataset_{name}", "dataset", [name, "created"])


def _dataset_document() -> None:
    op.create_table(
        "dataset_document",
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.id"), primary_key=True),
        sa.Column("json", sa.Text, nullable=False),
    )


def _quantity() -> None:
    op.create_table(
        "quantity",
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.id"), primary_key=True),
        sa.Column("name", Words, primary_key=True),
        sa.Column("dimension", Words, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
    )
    op.create_index("quantity_value", "quantity", ["name", "dimension", "value", "dataset"])


def _replica() -> None:
    op.create_table(
        "replica",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.id"), nullable=False),
        sa.Column("location", Words, nullable=False),
        sa.Column("json", sa.Text, nullable=False),
        sa.UniqueConstraint("dataset", "location"),
    )


def _activity() -> None:
    op.create_table(
        "activity",
        sa.Column("id", Words, primary_key=True),
        sa.Column("type", Words, nullable=False),
        sa.Column("state", Words, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
    )
    op.create_index("activity_started", "activity", ["started", "id"])
    op.create_index("activity_state", "activity", ["state", "started", "id"])


def _activity_document() -> None:
    op.create_table(
        "activity_document",
        sa.Column("activity", Words, sa.ForeignKey("activity.id"), primary_key=True),
        sa.Column("json", sa.Text, nullable=False),
    )


def _edge() -> None:
    op.create_table(
        "edge",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subject", Words, nullable=False),
        sa.Column("predicate", Words, nullable=False),
        sa.Column("object", Words, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.UniqueConstraint("subject", "predicate", "object", "role"),
    )
    op.create_index("edge_object", "edge", ["object", "predicate"])
