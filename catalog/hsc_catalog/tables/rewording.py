"""Taking words out of full-text search again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from hsc_catalog.tables.dialects import LONGEST_WORD, is_postgresql, make_words_table


def drop_words(connection: Connection, dataset: int, words: Sequence[str]) -> None:
    """Forget the words of a dataset, by its row; they must be those that were kept."""
    if is_postgresql(connection):
        connection.execute(text("DELETE FROM dataset_words WHERE dataset = :row"), {"row": dataset})
        return
    # SQLite keeps no text beside its index, and must be told what to take out of it.
    connection.execute(
        text(
            "INSERT INTO dataset_words (dataset_words, rowid, words) "
            "VALUES ('delete', :row, :words)"
        ),
        {"row": dataset, "words": " ".join(word[:LONGEST_WORD] for word in words)},
    )


def remake_words_table(connection: Connection) -> None:
    """Make the table of words anew, empty."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS dataset_words")
    make_words_table(connection)


def merge_words(connection: Connection) -> None:
    """Merge the index of words, so that nothing is left in it of words that were dropped."""
    if not is_postgresql(connection):
        connection.exec_driver_sql("INSERT INTO dataset_words(dataset_words) VALUES ('optimize')")
