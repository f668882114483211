"""The one metadata that all tables of the catalog stand on, and its type of text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect, Integer, MetaData, String, TypeDecorator
from sqlalchemy.types import TypeEngine


class Words(TypeDecorator[str]):
    """Text that sorts by its bytes, whatever the database's language.

    PostgreSQL keeps no NUL: there it becomes U+2400, its picture. Documents are ASCII and have it
    escaped, so what was registered comes back as it was.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the type as a database has it."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Give the text as the database keeps it."""
        if value is None or dialect.name != "postgresql":
            return value
        return value.replace("\0", "\u2400")


def kept_word(connection: Connection, word: str) -> str:
    """Give a text as a column of `Words` keeps it."""
    return word.replace("\0", "\u2400") if connection.dialect.name == "postgresql" else word


RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""A large number that is a table's key: in SQLite only INTEGER is the row's own number."""

metadata = MetaData()
