"""Foreign documents: what clients of another catalog's face posted, beside hsc's own records."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from hsc_catalog.tables.metadata import Words, metadata

foreign_document = Table(
    "foreign_document",
    metadata,
    Column("id", Integer, primary_key=True),
    # Whose words these are: "scicat".
    Column("face", Words, nullable=False),
    # "dataset", "origdatablock", "attachment", "sample", "proposal" or "instrument".
    Column("kind", Words, nullable=False),
    Column("key", Words, nullable=False),
    # PID of the dataset that it is of or belongs to, and is as visible as; NULL: of none.
    Column("pid", Words),
    # Who may see what belongs to no dataset; NULL: whoever sees the dataset.
    Column("access", ForeignKey("access_set.id"), index=True),
    Column("created", BigInteger, nullable=False),
    Column("created_by", Words),
    Column("updated", BigInteger, nullable=False),
    Column("updated_by", Words),
    Column("json", Text, nullable=False),
    UniqueConstraint("face", "kind", "key"),
    Index("foreign_document_pid", "face", "pid", "kind"),
)
