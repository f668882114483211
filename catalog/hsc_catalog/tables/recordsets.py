"""Many rows in one statement of PostgreSQL: as one JSON text, which it takes apart itself.

Each row as a statement of its own costs its driver ten times what the server does with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, text

from hsc_catalog.tables.metadata import Words

_NUL, _PICTURE = "\0", "\u2400"


def put_rows(
    connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]], ending: str = ""
) -> int:
    """Insert rows, all with the same columns; give how many were inserted or changed.

    Parameters
    ----------
    connection
        A transaction in PostgreSQL.
    into
        The table.
    rows
        The rows; bytes among them are written as the database writes them.
    ending
        What the statement says of rows that are there.
    """
    quoted = connection.dialect.identifier_preparer.quote
    columns = [into.c[name] for name in rows[0]]
    names = ", ".join(quoted(column.name) for column in columns)
    types = ", ".join(
        f"{quoted(column.name)} {column.type.compile(connection.dialect)}" for column in columns
    )
    made = text(
        f"INSERT INTO {quoted(into.name)} ({names}) SELECT {names} "  # noqa: S608 - names of tables
        f"FROM json_to_recordset(CAST(:rows AS json)) AS given ({types}) {ending}"
    )
    return connection.execute(made, {"rows": _worded(columns, rows)}).rowcount


def next_numbers(connection: Connection, of: Table, count: int) -> list[int]:
    """Give the numbers that the next rows of a table have, in order."""
    drawn = text(
        "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)"
    )
    return sorted(connection.scalars(drawn, {"name": of.name, "count": count}))


def _worded(columns: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> str:
    # Not as ASCII: lone surrogates are refused where all text of this connection is written.
    words = json.dumps(rows, ensure_ascii=False, default=_bytes)
    if "\\u0000" not in words:
        return words
    kept = [column.name for column in columns if isinstance(column.type, Words)]
    told = [
        {name: _pictured(value) if name in kept else value for name, value in row.items()}
        for row in rows
    ]
    return json.dumps(told, ensure_ascii=False, default=_bytes)


def _pictured(value: Any) -> Any:
    return value.replace(_NUL, _PICTURE) if isinstance(value, str) else value


def _bytes(value: bytes) -> str:
    return f"\\x{value.hex()}"
