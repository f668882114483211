"""Statements that are run all the time: worded once, then given straight to SQLite's driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.dialects import sqlite

_MOST = 512  # values of one list; SQLite takes 32,766 in a statement
_SQLITE: Any = sqlite.dialect(paramstyle="named")

Statement = Select[Any] | Insert | Update | Delete


class Prepared:
    """A statement that stays the same, with bound parameters for what does not.

    SQLAlchemy spends more on a small statement than SQLite does. Its text is therefore made once,
    and the driver is handed text and values. PostgreSQL, which is asked over a wire, goes by
    SQLAlchemy. Values and rows pass as they are: only for columns that SQLite keeps as given.

    Parameters
    ----------
    statement
        The statement. Lists are parameters with ``expanding=True``.

    Examples
    --------
    >>> from sqlalchemy import bindparam, create_engine, select
    >>> from hsc_catalog import tables
    >>> row = tables.person.c
    >>> known = Prepared(select(row.id).where(row.subject.in_(bindparam("all", expanding=True))))
    >>> with create_engine("sqlite://").begin() as connection:
    ...     tables.metadata.create_all(connection)
    ...     list(known.among(connection, "all", ["anna", "bob"]))
    []
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._worded: dict[Any, tuple[str, dict[str, Any]]] = {}

    def rows(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Give the rows that a statement finds, with values for its parameters."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).all()
        sizes = tuple((name, len(v)) for name, v in values.items() if isinstance(v, list))
        text, fixed = self._worded.get(sizes) or self._word_lists(sizes, values)
        given = {**fixed, **values}
        for name, _ in sizes:
            every = given.pop(name)
            given |= {f"{name}_{place}": value for place, value in enumerate(every, 1)}
        found: list[Any] = _driver(connection).execute(text, given).fetchall()
        return found

    def value(self, connection: Connection, **values: Any) -> Any:
        """Give the first value of the first row; None where there is no row."""
        found = self.rows(connection, **values)
        return found[0][0] if found else None

    def among(
        self, connection: Connection, name: str, every: Iterable[Any], **values: Any
    ) -> Iterator[Any]:
        """Give the rows for a list of values, however many and each once; for none no row."""
        wanted = sorted(set(every))
        for first in range(0, len(wanted), _MOST):
            some = wanted[first : first + _MOST]
            # In few lengths, so that few texts are made: the last value stands several times.
            some += some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
            yield from self.rows(connection, **{name: some}, **values)

    def each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run a statement that changes something for each of some rows, all with the same names.

        Returns
        -------
        How many rows it changed; what PostgreSQL says of many is not to be relied on.
        """
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, rows).rowcount
        names = tuple(rows[0])
        text, fixed = self._worded.get(names) or self._word(names)
        given = [{**fixed, **row} for row in rows] if fixed else rows
        changed: int = _driver(connection).executemany(text, given).rowcount
        return changed

    def _word_lists(
        self, sizes: tuple[tuple[str, int], ...], values: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        blank = dict.fromkeys(values) | {name: [None] * size for name, size in sizes}
        state = self._statement.compile(dialect=_SQLITE).construct_expanded_state(blank)
        self._worded[sizes] = state.statement, dict(state.parameters)
        return self._worded[sizes]

    def _word(self, names: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
        insert = isinstance(self._statement, Insert)
        made = self._statement.compile(dialect=_SQLITE, column_keys=names if insert else None)
        fixed = {name: value for name, value in made.params.items() if name not in names}
        self._worded[names] = made.string, fixed
        return self._worded[names]


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
