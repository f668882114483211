"""Records, access, audit and accounts, as release 0.2.0 has them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hsc_catalog.tables.metadata import RowNumber, Words


def make() -> None:
    """Make the tables, those first that others name."""
    _access_set()
    _annotation()
    _api_token()
    _audit()
    _granted_role()
    _history()
    _idempotency()
    _person()
    _reviewer_link()
    _access_key()
    _foreign_document()
    _noun()
    _reviewer_link_dataset()


def _access_set() -> None:
    op.create_table(
        "access_set",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("visibility", Words, nullable=False),
        sa.Column("access_class", Words, nullable=False),
        sa.Column("embargo", sa.BigInteger),
        sa.Column("clauses", sa.Integer, server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )


def _annotation() -> None:
    op.create_table(
        "annotation",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pid", Words, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("kind", Words, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", Words, nullable=False),
        sa.Column("json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("annotation_pid", "annotation", ["pid", "at", "id"])


def _api_token() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", Words, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("subject", Words, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("scopes", Words, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.Column("used", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("api_token_subject", "api_token", ["subject", "created"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", RowNumber, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", Words, nullable=False),
        sa.Column("action", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("before", Words),
        sa.Column("after", Words),
        sa.Column("previous", Words, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("audit_entity", "audit", ["kind", "key", "number"])


def _granted_role() -> None:
    op.create_table(
        "granted_role",
        sa.Column("subject", Words, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.Column("granted", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subject", "role"),
    )


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("kind", Words, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "revision"),
    )


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("subject", Words, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subject", "key"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", Words, nullable=False),
        sa.Column("subject", Words),
        sa.Column("name", Words),
        sa.Column("address", Words),
        sa.Column("erased", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject"),
    )


def _reviewer_link() -> None:
    op.create_table(
        "reviewer_link",
        sa.Column("id", Words, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("subject", Words, nullable=False),
        sa.Column("note", Words, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
    )


def _access_key() -> None:
    op.create_table(
        "access_key",
        sa.Column("access", sa.Integer, nullable=False),
        sa.Column("clause", sa.Integer, server_default="0", nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.ForeignKeyConstraint(["access"], ["access_set.id"]),
        sa.PrimaryKeyConstraint("access", "clause", "name"),
    )
    op.create_index("access_key_name", "access_key", ["name", "access", "clause"])


def _foreign_document() -> None:
    op.create_table(
        "foreign_document",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("face", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("pid", Words),
        sa.Column("access", sa.Integer),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("created_by", Words),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.Column("updated_by", Words),
        sa.Column("json", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["access"], ["access_set.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("face", "kind", "key"),
    )
    op.create_index("foreign_document_pid", "foreign_document", ["face", "pid", "kind"])
    op.create_index("ix_foreign_document_access", "foreign_document", ["access"])


def _noun() -> None:
    op.create_table(
        "noun",
        sa.Column("kind", Words, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.Column("access", sa.Integer),
        sa.Column("json", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["access"], ["access_set.id"]),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_index("ix_noun_access", "noun", ["access"])


def _reviewer_link_dataset() -> None:
    op.create_table(
        "reviewer_link_dataset",
        sa.Column("link", Words, nullable=False),
        sa.Column("pid", Words, nullable=False),
        sa.ForeignKeyConstraint(["link"], ["reviewer_link.id"]),
        sa.PrimaryKeyConstraint("link", "pid"),
    )
    op.create_index("reviewer_link_dataset_pid", "reviewer_link_dataset", ["pid", "link"])
