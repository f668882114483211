"""Making datasets findable: their words, keywords, numbers, and their place in the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from hsc.model import Dataset, now
from hsc_catalog import tables
from hsc_catalog.databases import Database
from hsc_catalog.searching.columns import drop_from_column, put_column
from hsc_catalog.searching.listing import (
    Place,
    keep_places,
    open_lifted,
    relist,
    sealed_up_to,
)
from hsc_catalog.searching.numbers import numbers

_SEAL_AFTER = 256  # rows; each search reads those that are in no column yet one by one

_measure = tables.measure.c
_MEASURES = tables.Prepared(
    select(_measure.id, _measure.name, _measure.dimension).where(
        _measure.name.in_(bindparam("names", expanding=True))
    )
)

_Database = TypeVar("_Database", bound=Database)

NUMBER = np.dtype([("measure", "<i4"), ("value", "<f8")])
"""One number of a dataset, as ``row_numbers`` packs them."""


def index_datasets(connection: Connection, added: Sequence[tuple[int, Dataset]]) -> None:
    """Make datasets findable that were just added, each by its row and its record."""
    sealed = sealed_up_to(connection)
    if sealed < 0:
        reindex(connection)
        return
    _index(connection, added)
    if max((row for row, _ in added), default=0) - sealed >= _SEAL_AFTER:
        _seal(connection, sealed)
        open_lifted(connection, now())


def reword(connection: Connection, row: int, before: Dataset, after: Dataset) -> None:
    """Make a dataset findable by what its record says now, instead of what it said before."""
    tables.drop_words(connection, row, search_words(before))
    tables.keep_words(connection, {row: search_words(after)})
    connection.execute(delete(tables.keyword).where(tables.keyword.c.dataset == row))
    _keep_keywords(connection, [(row, after)])
    if numbers(before) != numbers(after):
        _renumber(connection, row, before, after)
    relist(connection, [row])


def reindex(connection: Connection) -> None:
    """Make all that searches read anew, from the datasets and their documents."""
    for table in (
        tables.trait, tables.tally, tables.listed, tables.keyword, tables.measure,
        tables.column_block, tables.row_numbers, tables.embargoed, tables.listing_state,
        tables.proposal_number,
    ):  # fmt: skip
        connection.execute(delete(table))
    connection.execute(insert(tables.listing_state), {"id": 1, "sealed": 0})
    tables.remake_words_table(connection)
    for batch in _all_datasets(connection):
        _index(connection, batch)
        _seal(connection, sealed_up_to(connection))
    open_lifted(connection, now())


def prepared(database: _Database) -> _Database:
    """Give a database in which searches find what is there, if an older release wrote it or not."""
    with database.reading() as connection:
        ready = sealed_up_to(connection) >= 0
    if not ready:
        with database.writing() as connection:
            # Somebody else may have done it since.
            if sealed_up_to(connection) < 0:
                reindex(connection)
    return database


def search_words(dataset: Dataset) -> list[str]:
    """Give the words that a dataset is found by."""
    parts = (
        dataset.title,
        dataset.sample,
        dataset.proposal,
        dataset.instrument,
        dataset.facility,
        dataset.technique,
        str(dataset.pid.latest()),
        *dataset.keywords,
        getattr(dataset, "description", None),
    )
    return tables.words(" ".join(filter(None, parts)))


def _index(connection: Connection, added: Sequence[tuple[int, Dataset]]) -> None:
    tables.keep_words(connection, {row: search_words(dataset) for row, dataset in added})
    _keep_keywords(connection, added)
    _keep_numbers(connection, added)
    relist(connection, [row for row, _ in added])


def _keep_keywords(connection: Connection, added: Sequence[tuple[int, Dataset]]) -> None:
    rows = [
        {"word": word, "dataset": row}
        for row, dataset in added
        for word in dict.fromkeys(dataset.keywords)
    ]
    tables.insert_new(connection, tables.keyword, rows)


def _keep_numbers(connection: Connection, added: Sequence[tuple[int, Dataset]]) -> None:
    found = [(row, numbers(dataset)) for row, dataset in added]
    known = _measures(connection, {(n, d) for _, named in found for n, (_, d) in named.items()})
    rows = []
    for row, named in found:
        packed = [(known[name, dimension], value) for name, (value, dimension) in named.items()]
        if packed:
            rows.append({"dataset": row, "packed": np.array(packed, NUMBER).tobytes()})
    tables.insert_rows(connection, tables.row_numbers, rows)


def _renumber(connection: Connection, row: int, before: Dataset, after: Dataset) -> None:
    """Put a row's numbers in place of those that it had, in columns or out of them."""
    if row > sealed_up_to(connection):
        connection.execute(delete(tables.row_numbers).where(tables.row_numbers.c.dataset == row))
        _keep_numbers(connection, [(row, after)])
        return
    old, new = (
        {(name, dimension): value for name, (value, dimension) in numbers(each).items()}
        for each in (before, after)
    )
    known = _measures(connection, {*old, *new})
    rows = np.array([row], np.int64)
    for measure in set(old) - set(new):
        drop_from_column(connection, known[measure], rows)
    for measure, value in new.items():
        put_column(connection, known[measure], rows, np.array([value]))


def _measures(
    connection: Connection, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Give the ids of measures; make those that are new."""
    asked = sorted(set(wanted))
    if not asked:
        return {}
    ids = _known_measures(connection, asked)
    if fresh := [each for each in asked if each not in ids]:
        rows = [{"name": name, "dimension": dimension} for name, dimension in fresh]
        connection.execute(insert(tables.measure), rows)
        ids |= _known_measures(connection, fresh)
    return ids


def _known_measures(
    connection: Connection, asked: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    found = _MEASURES.among(connection, "names", (name for name, _ in asked))
    return {(name, dimension): id for id, name, dimension in found}


def _seal(connection: Connection, sealed: int) -> None:
    """Put the numbers and places of the newest rows, which are many by now, into columns."""
    last = connection.scalar(select(func.max(tables.dataset.c.id))) or 0
    by_measure = defaultdict[int, tuple[list[int], list[float]]](lambda: ([], []))
    told = tables.row_numbers.c
    for row, packed in connection.execute(select(told.dataset, told.packed)):
        for measure, value in np.frombuffer(packed, NUMBER).tolist():
            rows, values = by_measure[measure]
            rows.append(row)
            values.append(value)
    for measure, (rows, values) in sorted(by_measure.items()):
        put_column(connection, measure, np.array(rows, np.int64), np.array(values))
    connection.execute(delete(tables.row_numbers))
    _seal_places(connection, sealed)
    connection.execute(tables.listing_state.update().values(sealed=last))


def _seal_places(connection: Connection, sealed: int) -> None:
    row = tables.listed.c
    found = connection.execute(
        select(row.dataset, row.created, row.pid, row.scope, row.trait, row.proposal).where(
            row.dataset > sealed
        )
    ).all()
    if found:
        places = [Place(*place) for _, *place in found]
        keep_places(connection, np.array([each.dataset for each in found], np.int64), places)


def _all_datasets(connection: Connection) -> Iterator[list[tuple[int, Dataset]]]:
    row, document, last = tables.dataset.c, tables.dataset_document.c, 0
    while True:
        found = connection.execute(
            select(row.id, document.json)
            .join(tables.dataset_document)
            .where(row.id > last)
            .order_by(row.id)
            .limit(4096)
        ).all()
        if not found:
            return
        yield [(key, tables.read(Dataset, text)) for key, text in found]
        last = found[-1].id
