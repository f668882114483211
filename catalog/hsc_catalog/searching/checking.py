"""Checking what searches read against the datasets themselves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, select

from hsc_catalog import tables
from hsc_catalog.searching.checking_blocks import check_blocks
from hsc_catalog.searching.counting import read_traits
from hsc_catalog.searching.listing import HIDDEN, OPEN_TO_ALL

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
    unknown = (None, None, None, None)
    return {(scope, *traits.get(trait, unknown)): count for scope, trait, count in found if count}


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
    waiting, access = tables.embargoed.c, tables.access_set.c
    lifted = select(waiting.access).outerjoin(tables.access_set, access.id == waiting.access)
    wrong = waiting.embargo.is_distinct_from(access.embargo)
    found += [f"embargoed {key} has another end than its access set" for key in
              connection.scalars(lifted.where(wrong))]  # fmt: skip
    return [*found, *check_blocks(connection)]
