"""What SQLite and PostgreSQL say differently: rows that may be there, and words to be found by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    column,
    func,
    insert,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from hsc_catalog.tables.prepared import Prepared
from hsc_catalog.tables.recordsets import next_numbers, put_rows

_PREFIX_FROM = 4  # letters; shorter beginnings match too much and cost too much to rank
LONGEST_WORD = 500  # letters; PostgreSQL keeps at most 2046 bytes of a word

# Words come in already folded (see words.py): SQLite's ASCII rules then split at the blanks alone.
# Rows are never changed, so the text need not be kept a second time (content='').
_SQLITE_WORDS = (
    "CREATE VIRTUAL TABLE dataset_words "
    "USING fts5(words, content='', detail='column', tokenize='ascii')",
)
# A tsvector made of words as they are: PostgreSQL's own parser would drop °, µ and emoji.
_POSTGRESQL_WORDS = (
    "CREATE TABLE dataset_words "
    "(dataset integer PRIMARY KEY REFERENCES dataset (id), words tsvector NOT NULL)",
    "CREATE INDEX dataset_words_words ON dataset_words USING gin (words)",
)
# Rows of the audit log are added, and never changed or taken out again.
_SQLITE_APPEND_ONLY = tuple(
    f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    for change in ("UPDATE", "DELETE")
)
_POSTGRESQL_APPEND_ONLY = (
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)


def is_postgresql(connection: Connection) -> bool:
    """Tell which of the two a connection speaks."""
    return connection.dialect.name == "postgresql"


def insert_rows(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns."""
    if rows and is_postgresql(connection):
        put_rows(connection, into, rows)
    elif rows:
        _inserting(into).each(connection, rows)


def insert_numbered(
    connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]
) -> list[int]:
    """Insert rows whose key is a number that the database gives; give these, in order."""
    if is_postgresql(connection):
        ids = next_numbers(connection, into, len(rows))
    else:
        # As SQLite would number them itself, and nobody else writes meanwhile; asking for each
        # number back would need a statement for each row.
        first = (_last(into).value(connection) or 0) + 1
        ids = list(range(first, first + len(rows)))
    insert_rows(connection, into, [{"id": id, **row} for id, row in zip(ids, rows, strict=True)])
    return ids


def insert_new(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows; those that are there stay as they are. Give how many were new."""
    if not rows:
        return 0
    if is_postgresql(connection):
        return put_rows(connection, into, rows, "ON CONFLICT DO NOTHING")
    return _inserting_new(into).each(connection, rows)


def insert_or_update(
    connection: Connection, into: Table, key: Mapping[str, Any], row: Mapping[str, Any]
) -> None:
    """Insert a row, in place of the one that has its key."""
    values, names = {**key, **row}, list(key)
    if is_postgresql(connection):
        kept = postgresql.insert(into).values(values)
        connection.execute(kept.on_conflict_do_update(index_elements=names, set_=dict(row)))
    else:
        there = sqlite.insert(into).values(values)
        connection.execute(there.on_conflict_do_update(index_elements=names, set_=dict(row)))


def upsert(
    connection: Connection,
    into: Table,
    rows: Sequence[Mapping[str, Any]],
    renewed: Sequence[str],
    *,
    counted: bool = False,
) -> None:
    """Insert rows; of those that are there by their primary key, renew some columns.

    Parameters
    ----------
    connection
        The transaction.
    into
        The table.
    rows
        The rows, all with the same columns.
    renewed
        The columns that those that are there get anew.
    counted
        Whether the column ``revision`` of those that are there goes up by one.
    """
    if not rows:
        return
    if is_postgresql(connection):
        values = [f"{name} = excluded.{name}" for name in renewed]
        values += [f"revision = {into.name}.revision + 1"] if counted else []
        put_rows(connection, into, rows, f"{_at_key(into)} DO UPDATE SET {', '.join(values)}")
    else:
        _upserting(into, tuple(renewed), counted).each(connection, rows)


def add_counts(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; to the column ``count`` of those that are there by their key, add theirs."""
    if rows and is_postgresql(connection):
        total = f"count = {into.name}.count + excluded.count"
        put_rows(connection, into, rows, f"{_at_key(into)} DO UPDATE SET {total}")
    elif rows:
        _adding(into).each(connection, rows)


def _at_key(of: Table) -> str:
    return f"ON CONFLICT ({', '.join(each.name for each in of.primary_key)})"


def make_words_table(connection: Connection) -> None:
    """Make the table of words."""
    for statement in _POSTGRESQL_WORDS if is_postgresql(connection) else _SQLITE_WORDS:
        connection.exec_driver_sql(statement)


def make_audit_append_only(connection: Connection) -> None:
    """Have the database refuse every change of the audit log but new rows."""
    chosen = _POSTGRESQL_APPEND_ONLY if is_postgresql(connection) else _SQLITE_APPEND_ONLY
    for statement in chosen:
        connection.exec_driver_sql(statement)


def keep_words(connection: Connection, words: Mapping[int, Sequence[str]]) -> None:
    """Keep the words of datasets, by their rows."""
    cut = {row: _all_cut(each) for row, each in words.items()}
    if not cut:
        return
    if is_postgresql(connection):
        # Each quoted, so that it is taken as it is; no word has a quote or a backslash.
        told = [
            {"dataset": row, "words": " ".join(f"'{word}'" for word in each)}
            for row, each in cut.items()
        ]
        put_rows(connection, _POSTGRESQL_ROWS, told)
    else:
        kept = [{"rowid": row, "words": " ".join(each)} for row, each in cut.items()]
        _KEEPING_WORDS.each(connection, kept)


def cut(word: str) -> str:
    """Give a word as it is kept: very long ones are cut."""
    return word[:LONGEST_WORD]


def every_word(connection: Connection) -> Iterator[tuple[int, str]]:
    """Give row and word of all words that datasets are found by, in no order."""
    streamed = {"yield_per": 1000}
    if is_postgresql(connection):
        told = text("SELECT dataset, unnest(tsvector_to_array(words)) FROM dataset_words")
        yield from map(tuple, connection.execute(told, execution_options=streamed))
        return
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE temp.dataset_terms USING fts5vocab(main, dataset_words, instance)"
    )
    try:
        told = text("SELECT doc, term FROM temp.dataset_terms")
        yield from map(tuple, connection.execute(told, execution_options=streamed))
    finally:
        connection.exec_driver_sql("DROP TABLE temp.dataset_terms")


def _all_cut(words: Sequence[str]) -> Sequence[str]:
    if len(max(words, key=len, default="")) <= LONGEST_WORD:
        return words
    return [cut(word) for word in words]


def having_words(connection: Connection, words: Sequence[str]) -> Select[Any]:
    """Select the rows of datasets that have all words; longer ones may be only begun."""
    cut = [word[:LONGEST_WORD] for word in words]
    if is_postgresql(connection):
        terms = (f"'{word}':*" if len(word) >= _PREFIX_FROM else f"'{word}'" for word in cut)
        kept = table("dataset_words", column("dataset"), column("words", postgresql.TSVECTOR))
        asked = literal(" & ".join(terms), postgresql.TSQUERY)
        return select(kept.c.dataset).where(kept.c.words.op("@@")(asked))
    terms = (f'"{word}"*' if len(word) >= _PREFIX_FROM else f'"{word}"' for word in cut)
    rows = table("dataset_words", column("rowid"))
    return select(rows.c.rowid).where(column("dataset_words").match(" AND ".join(terms)))


_POSTGRESQL_ROWS = Table(
    "dataset_words", MetaData(), Column("dataset", Integer), Column("words", postgresql.TSVECTOR)
)
_KEEPING_WORDS = Prepared(insert(table("dataset_words", column("rowid"), column("words"))))


@cache
def _inserting(into: Table) -> Prepared:
    return Prepared(insert(into))


@cache
def _inserting_new(into: Table) -> Prepared:
    return Prepared(sqlite.insert(into).on_conflict_do_nothing())


@cache
def _last(of: Table) -> Prepared:
    return Prepared(select(func.max(of.c.id)))


@cache
def _upserting(into: Table, renewed: tuple[str, ...], counted: bool) -> Prepared:
    made = sqlite.insert(into)
    values: dict[str, Any] = {name: made.excluded[name] for name in renewed}
    if counted:
        values["revision"] = into.c.revision + 1
    return Prepared(made.on_conflict_do_update(index_elements=[*into.primary_key], set_=values))


@cache
def _adding(into: Table) -> Prepared:
    made = sqlite.insert(into)
    total = {"count": into.c.count + made.excluded.count}
    return Prepared(made.on_conflict_do_update(index_elements=[*into.primary_key], set_=total))
