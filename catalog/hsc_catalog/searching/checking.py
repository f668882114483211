"""Checking what searches read against the datasets themselves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from hsc.model import Dataset
from hsc_catalog import tables
from hsc_catalog.searching.columns import CREATED, PROPOSAL, SCOPE, TRAIT, read_column
from hsc_catalog.searching.counting import read_traits
from hsc_catalog.searching.indexing import NUMBER
from hsc_catalog.searching.listing import HIDDEN, OPEN_TO_ALL, sealed_up_to
from hsc_catalog.searching.numbers import numbers

Counts = dict[tuple[Any, ...], int]
"""Scope, facility, instrument, technique, kind, to the number of datasets."""


def fresh_counts(connection: Connection) -> Counts:
    """Count the datasets that searches may find anew, by access set and facets."""
    row, access, gone = tables.dataset.c, tables.access_set.c, tables.embargoed.c
    found = connection.execute(
        select(
            row.access, access.visibility, access.access_class, access.embargo, gone.opened,
            row.facility, row.instrument, row.technique, row.kind, func.count(),
        )
        .outerjoin(tables.access_set, access.id == row.access)
        .outerjoin(tables.embargoed, gone.access == row.access)
        .where(row.newest, row.withdrawn.is_(None))
        .group_by(
            row.access, access.visibility, access.access_class, access.embargo, gone.opened,
            row.facility, row.instrument, row.technique, row.kind,
        )
    )  # fmt: skip
    counts: Counter[tuple[Any, ...]] = Counter()
    for held, visibility, access_class, embargo, opened, *rest in found:
        *facets, count = rest
        free = visibility == "public" and access_class == "open"
        scope = OPEN_TO_ALL if free and (embargo is None or opened) else held
        counts[(HIDDEN if scope is None else scope, *facets)] += count
    return dict(counts)


def kept_by_scope(connection: Connection) -> Counts:
    """Give the counts that are kept, as `fresh_counts` gives them."""
    traits, tally = read_traits(connection), tables.tally.c
    found = connection.execute(select(tally.scope, tally.trait, tally.count))
    return {(scope, *traits[trait]): count for scope, trait, count in found if count}


def check_searching(connection: Connection) -> list[str]:
    """Say what of what searches read does not agree with the datasets; empty when all does."""
    fresh, kept = fresh_counts(connection), kept_by_scope(connection)
    found = [
        f"counted {kept.get(key, 0)}, there are {fresh.get(key, 0)}: {key}"
        for key in sorted(fresh.keys() | kept.keys(), key=repr)
        if fresh.get(key, 0) != kept.get(key, 0)
    ]
    tally, trait = tables.tally.c, tables.trait.c
    sums = dict(
        connection.execute(select(tally.trait, func.sum(tally.count)).group_by(tally.trait)).all()
    )
    for key, count in connection.execute(select(trait.id, trait.count)):
        if count != int(sums.get(key, 0)):
            found.append(f"trait {key} counts {count}, its scopes {sums.get(key, 0)}")
    return [*found, *_check_columns(connection), *_check_numbers(connection)]


def _check_columns(connection: Connection) -> list[str]:
    sealed, row = sealed_up_to(connection), tables.listed.c
    found = []
    for measure, column in (
        (SCOPE, row.scope),
        (TRAIT, row.trait),
        (CREATED, row.created),
        (PROPOSAL, row.proposal),
    ):
        rows, values = read_column(connection, measure)
        there = dict(zip(rows.tolist(), values.tolist(), strict=True))
        wanted = dict(
            connection.execute(select(row.dataset, column).where(row.dataset <= sealed)).all()
        )
        if there != wanted:
            wrong = [
                key for key in there.keys() | wanted.keys() if there.get(key) != wanted.get(key)
            ]
            found.append(
                f"the column {column.name} is wrong for {len(wrong)} rows, as {min(wrong)}"
            )
    return found


def _check_numbers(connection: Connection) -> list[str]:
    measure, told = tables.measure.c, tables.row_numbers.c
    names = {
        key: (name, dimension)
        for key, name, dimension in connection.execute(
            select(measure.id, measure.name, measure.dimension)
        )
    }
    there: Counter[tuple[int, str, str, float]] = Counter()
    for key, (name, dimension) in names.items():
        rows, values = read_column(connection, key)
        there.update(
            (row, name, dimension, value)
            for row, value in zip(rows.tolist(), values.tolist(), strict=True)
        )
    for row, packed in connection.execute(select(told.dataset, told.packed)):
        for key, value in np.frombuffer(packed, NUMBER).tolist():
            there[row, *names[key], value] += 1
    document = tables.dataset_document.c
    for row, text in connection.execute(select(document.dataset, document.json)):
        for name, (value, dimension) in numbers(tables.read(Dataset, text)).items():
            there[row, name, dimension, value] -= 1
    wrong = sorted({row for (row, *_), count in there.items() if count})
    return [f"numbers of {len(wrong)} datasets are wrong, as of row {wrong[0]}"] if wrong else []
