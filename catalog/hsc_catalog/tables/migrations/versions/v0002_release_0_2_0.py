"""The tables of release 0.2.0: access, audit, history, accounts, and what searches read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hsc_catalog.tables.dialects import make_audit_append_only
from hsc_catalog.tables.metadata import Words
from hsc_catalog.tables.migrations import listing_0_2_0, records_0_2_0

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add tables and columns; numbers go from rows into columns, which are made anew."""
    records_0_2_0.make()
    make_audit_append_only(op.get_bind())
    _grow_dataset()
    _grow_activity()
    listing_0_2_0.make()
    op.drop_table("quantity")
    if op.get_bind().dialect.name == "postgresql":
        # Packed numbers don't get smaller, but PostgreSQL would try each time.
        op.execute("ALTER TABLE column_block ALTER COLUMN packed SET STORAGE EXTERNAL")


def _grow_dataset() -> None:
    for column in (
        sa.Column("sample", Words),
        sa.Column("registered", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("updated", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("owner", Words),
        sa.Column("flagged", Words),
        sa.Column("withdrawn", sa.BigInteger),
    ):
        op.add_column("dataset", column)
    _add_access("dataset")
    op.create_index("dataset_sample", "dataset", ["sample", "created"])
    for name in (
        "dataset_newest", "dataset_facility", "dataset_instrument", "dataset_technique",
        "dataset_kind", "ix_dataset_root", "ix_dataset_source_id",
    ):  # fmt: skip
        op.drop_index(name, "dataset")
    op.create_index("dataset_created", "dataset", ["created", "pid", "newest"])


def _grow_activity() -> None:
    for column in (
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("recorder", Words),
        sa.Column("instrument", Words),
    ):
        op.add_column("activity", column)
    _add_access("activity")
    for name in ("recorder", "instrument"):
        op.create_index(f"activity_{name}", "activity", [name, "started", "id"])


def _add_access(table: str) -> None:
    # In words: alembic would add the reference by itself, which SQLite does not know how to do.
    op.execute(f"ALTER TABLE {table} ADD COLUMN access INTEGER REFERENCES access_set (id)")
    op.create_index(f"ix_{table}_access", table, ["access"])
