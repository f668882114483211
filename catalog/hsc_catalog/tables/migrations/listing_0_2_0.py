"""What searches read, as release 0.2.0 has it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hsc_catalog.tables.metadata import Words


def make() -> None:
    """Make the tables, those first that others name."""
    _column_block()
    _embargoed()
    _listing_state()
    _measure()
    _proposal_number()
    _tally()
    _trait()
    _keyword()
    _listed()
    _row_numbers()


def _column_block() -> None:
    op.create_table(
        "column_block",
        sa.Column("measure", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("filled", sa.Integer, nullable=False),
        sa.Column("low", sa.Float, nullable=False),
        sa.Column("high", sa.Float, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("measure", "block"),
    )


def _embargoed() -> None:
    op.create_table(
        "embargoed",
        sa.Column("access", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("embargo", sa.BigInteger, nullable=False),
        sa.Column("opened", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("access"),
    )
    op.create_index("embargoed_waiting", "embargoed", ["opened", "embargo"])


def _listing_state() -> None:
    op.create_table(
        "listing_state",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("sealed", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _measure() -> None:
    op.create_table(
        "measure",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("dimension", Words, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", "dimension"),
    )


def _proposal_number() -> None:
    op.create_table(
        "proposal_number",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )


def _tally() -> None:
    op.create_table(
        "tally",
        sa.Column("scope", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("trait", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("scope", "trait"),
    )
    op.create_index("tally_trait", "tally", ["trait"])


def _trait() -> None:
    op.create_table(
        "trait",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility", Words, nullable=False),
        sa.Column("instrument", Words),
        sa.Column("technique", Words),
        sa.Column("kind", Words, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trait_facility", "trait", ["facility", "instrument"])


def _keyword() -> None:
    op.create_table(
        "keyword",
        sa.Column("word", Words, nullable=False),
        sa.Column("dataset", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.id"]),
        sa.PrimaryKeyConstraint("word", "dataset"),
    )
    op.create_index("keyword_dataset", "keyword", ["dataset"])


def _listed() -> None:
    op.create_table(
        "listed",
        sa.Column("dataset", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("pid", Words, nullable=False),
        sa.Column("scope", sa.Integer, nullable=False),
        sa.Column("trait", sa.Integer, nullable=False),
        sa.Column("proposal", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.id"]),
        sa.PrimaryKeyConstraint("dataset"),
    )
    op.create_index("listed_both", "listed", ["scope", "trait", "created"])
    op.create_index("listed_created", "listed", ["created"])
    op.create_index("listed_scope", "listed", ["scope", "created"])
    op.create_index("listed_trait", "listed", ["trait", "created"])


def _row_numbers() -> None:
    op.create_table(
        "row_numbers",
        sa.Column("dataset", sa.Integer, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.id"]),
        sa.PrimaryKeyConstraint("dataset"),
    )
