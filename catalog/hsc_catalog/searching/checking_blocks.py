"""Checking list, columns, numbers, keywords and words, a block of datasets at a time."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from sqlalchemy import Connection, Row, func, select

from hsc.model import Dataset
from hsc_catalog import tables
from hsc_catalog.searching.columns import BLOCK, CREATED, PROPOSAL, SCOPE, TRAIT, blocks_at
from hsc_catalog.searching.counting import read_traits
from hsc_catalog.searching.indexing import NUMBER, search_words
from hsc_catalog.searching.listing import HIDDEN, OPEN_TO_ALL, sealed_up_to
from hsc_catalog.searching.numbers import numbers

_PLACES = {SCOPE: "scope", TRAIT: "trait", CREATED: "created", PROPOSAL: "proposal"}


def check_blocks(connection: Connection) -> Iterator[str]:
    """Say for which datasets searches read something else than their rows and documents have.

    Of a million datasets memory holds one block of 4096, and a number for each.
    """
    row, sealed = tables.dataset.c, sealed_up_to(connection)
    states = connection.scalar(select(func.count()).select_from(tables.listing_state))
    if states != 1:
        yield f"listing_state has {states} rows"
    last = connection.scalar(select(func.max(row.id))) or 0
    if sealed > last:
        yield f"listing_state says that columns reach row {sealed}, and the last is {last}"
    for table, place in (
        (tables.listed, tables.listed.c.dataset),
        (tables.row_numbers, tables.row_numbers.c.dataset),
        (tables.keyword, tables.keyword.c.dataset),
        (tables.column_block, tables.column_block.c.block * BLOCK),
    ):
        if (farthest := connection.scalar(select(func.max(place))) or 0) > last:
            yield f"{table.name} reaches row {farthest}, and the last is {last}"
    words = np.zeros(last + 1, np.uint64)
    known = _Known(connection)
    for block in range(last // BLOCK + 1):
        yield from _check_block(connection, block, sealed, known, words)
    there = np.zeros_like(words)
    for dataset, word in tables.every_word(connection):
        if dataset > last:
            yield f"dataset_words has row {dataset}, of no dataset"
        else:
            there[dataset] += _weight(word)
    for wrong in np.flatnonzero(words != there).tolist():
        yield f"dataset_words of row {wrong} are not those of its record"


def _weight(word: str) -> np.uint64:
    # Sums of many such numbers agree by chance once in 10^9 times; nothing hangs on it but finding.
    return np.uint64(zlib.crc32(word.encode("utf-8", "surrogatepass")) + 1)


class _Known:
    """What rows are compared by: names of traits and proposals."""

    def __init__(self, connection: Connection) -> None:
        self.traits = read_traits(connection)
        number, measure = tables.proposal_number.c, tables.measure.c
        self.proposals = dict(connection.execute(select(number.id, number.name)).all())
        self.measures = {
            key: (name, dimension)
            for key, name, dimension in connection.execute(
                select(measure.id, measure.name, measure.dimension)
            )
        }


def _check_block(
    connection: Connection, block: int, sealed: int, known: _Known, words: NDArray[np.uint64]
) -> Iterator[str]:
    first = block * BLOCK
    yield from _check_list(connection, block, known)
    told = _columns(connection, block)
    for fault in told.pop("faults", ()):
        yield str(fault)
    listed = tables.listed.c
    places = connection.execute(
        select(tables.listed).where(listed.dataset >= first, listed.dataset < first + BLOCK)
    ).all()
    for measure, name in _PLACES.items():
        wanted = {each.dataset: getattr(each, name) for each in places if each.dataset <= sealed}
        there = told.pop(measure, {})
        for key in sorted(wanted.keys() | there.keys()):
            if wanted.get(key) != there.get(key):
                yield f"column_block: the column {name} is wrong for row {key}"
    yield from _check_documents(connection, block, known, told, words)


def _columns(connection: Connection, block: int) -> dict[Any, Any]:
    """Give what columns have of a block, by measure and row; and under ``faults`` what is wrong."""
    found: dict[Any, Any] = {"faults": []}
    for measure, positions, values, right in blocks_at(connection, block):
        if not right:
            found["faults"].append(f"column_block {measure}, {block} is not as it says it is")
        rows = (positions.astype(np.int64) + block * BLOCK).tolist()
        found[measure] = dict(zip(rows, values.tolist(), strict=True))
    return found


def _check_list(connection: Connection, block: int, known: _Known) -> Iterator[str]:
    row, listed, access = tables.dataset.c, tables.listed, tables.access_set.c
    waiting, first = tables.embargoed.c, block * BLOCK
    wanted = (
        select(tables.dataset, listed.c.scope, listed.c.trait, listed.c.dataset.label("there"),
               listed.c.created.label("listed_at"), listed.c.pid.label("listed_as"),
               listed.c.proposal.label("number"), access.visibility, access.access_class,
               access.embargo, waiting.opened)
        .outerjoin(listed, listed.c.dataset == row.id)
        .outerjoin(tables.access_set, access.id == row.access)
        .outerjoin(tables.embargoed, waiting.access == row.access)
        .where(row.id >= first, row.id < first + BLOCK)
    )  # fmt: skip
    for each in connection.execute(wanted):
        findable = each.newest and each.withdrawn is None
        if findable != (each.there is not None):
            yield f"listed: row {each.id} is {'not ' if findable else ''}in it"
        elif findable and not _is_placed(each, known):
            yield f"listed: row {each.id} stands at another place than its dataset"


def _is_placed(each: Row[Any], known: _Known) -> bool:
    free = each.visibility == "public" and each.access_class == "open"
    scope = OPEN_TO_ALL if free and (each.embargo is None or each.opened) else each.access
    facets = (each.facility, each.instrument, each.technique, each.kind)
    return (
        each.scope == (HIDDEN if scope is None else scope)
        and tuple(known.traits.get(each.trait, ())) == facets
        and (each.listed_at, each.listed_as) == (each.created, each.pid)
        and (known.proposals.get(each.number) if each.number else None) == each.proposal
        and not (free and each.embargo is not None and each.opened is None)
    )


def _check_documents(
    connection: Connection,
    block: int,
    known: _Known,
    columns: dict[int, dict[int, float]],
    words: NDArray[np.uint64],
) -> Iterator[str]:
    first = block * BLOCK
    there: Counter[Any] = Counter()
    for measure, values in columns.items():
        of = known.measures.get(measure, (str(measure), "unknown"))
        there.update((row, "numbers", *of, value) for row, value in values.items())
    told, kept = tables.row_numbers.c, tables.keyword.c
    loose = select(told.dataset, told.packed)
    for row, packed in connection.execute(
        loose.where(told.dataset >= first, told.dataset < first + BLOCK)
    ):
        for key, value in np.frombuffer(packed, NUMBER).tolist():
            there[row, "numbers", *known.measures.get(key, (str(key), "unknown")), value] += 1
    mine = select(kept.dataset, kept.word)
    for row, word in connection.execute(
        mine.where(kept.dataset >= first, kept.dataset < first + BLOCK)
    ):
        there[row, "keywords", word] += 1
    document = tables.dataset_document.c
    wanted = select(document.dataset, document.json).where(
        document.dataset >= first, document.dataset < first + BLOCK
    )
    for row, text in connection.execute(wanted, execution_options={"yield_per": 500}):
        try:
            dataset = tables.read(Dataset, text)
        except (ValidationError, ValueError):
            continue  # that it can't be read is told elsewhere
        for name, (value, dimension) in numbers(dataset).items():
            there[row, "numbers", name, dimension, value] -= 1
        for keyword in dict.fromkeys(dataset.keywords):
            there[row, "keywords", tables.kept_word(connection, keyword)] -= 1
        for word in search_words(dataset) if row < words.size else ():
            words[row] += _weight(tables.kept_word(connection, tables.cut(word)))
    for at, what in sorted({(key[0], str(key[1])) for key, count in there.items() if count}):
        yield f"{what} of row {at} are not those of its record"
