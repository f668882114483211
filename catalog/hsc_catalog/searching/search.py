"""Finding and counting: a query's way from its words to the datasets that a caller sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from hsc.model import Dataset, FacetCounts, Query, SearchResult
from hsc_catalog import tables
from hsc_catalog.access import Caller
from hsc_catalog.searching.columns import PROPOSAL, SCOPE, TRAIT
from hsc_catalog.searching.counting import (
    fits,
    kept_counts,
    read_traits,
    sum_facets,
    wanted_values,
)
from hsc_catalog.searching.cursor import Cursor, read_cursor, write_cursor
from hsc_catalog.searching.matching import Mask, Reader, has_conditions, match
from hsc_catalog.searching.newest import Found, newest, newest_among
from hsc_catalog.searching.sight import Sight, look

_FEW = 200  # datasets of an answer, up to which it is gathered from the orders that are kept
_MOST_PROPOSALS = 100  # in an answer
_BATCH = 500  # ids in one statement; SQLite would take 32,766


class _Visible(NamedTuple):
    """Rows that match and are seen, and the traits of all rows."""

    mask: Mask
    traits: NDArray[Any]

    def having(self, chosen: Sequence[int] | None) -> Mask:
        """Give those that have one of the traits; None: any."""
        if chosen is None:
            return self.mask
        wanted = np.zeros(max(int(self.traits.max(initial=0)), *chosen, 0) + 1, bool)
        wanted[list(chosen)] = True
        having: Mask = self.mask & wanted[self.traits]
        return having


def search_datasets(
    connection: Connection, caller: Caller, query: Query, now: datetime
) -> SearchResult:
    """Find the newest version of each dataset that matches and is seen, newest first.

    Raises
    ------
    InvalidQueryError
        The cursor is none of this question, or a bound is no number.
    """
    after, limit = read_cursor(query), max(query.limit, 0)
    sight, wanted = look(connection, caller, now), wanted_values(query)
    traits = read_traits(connection)
    chosen = [key for key, trait in traits.items() if fits(trait, wanted)] if wanted else None
    if has_conditions(query) or sight.rows or limit > _FEW:
        reader = Reader(connection)
        mask = _visible(reader, sight, query).having(chosen)
        total = int(np.count_nonzero(mask))
        found = newest_among(reader, mask, after, limit + 1) if limit and total else []
    else:
        counts = kept_counts(connection, sight)
        total = sum(counts.values() if chosen is None else (counts.get(k, 0) for k in chosen))
        found = newest(connection, sight, chosen, after, limit + 1) if limit and total else []
    return SearchResult(
        total=total,
        datasets=_datasets(connection, found[:limit]),
        next=_next(query, found, limit),
    )


def count_facets(
    connection: Connection, caller: Caller, query: Query, now: datetime
) -> FacetCounts:
    """Count by facet what matches and is seen, each facet as if nothing were asked of itself.

    Raises
    ------
    InvalidQueryError
        A bound is no number.
    """
    sight, wanted = look(connection, caller, now), wanted_values(query)
    traits, reader = read_traits(connection), Reader(connection)
    seen: _Visible | None = None
    if has_conditions(query) or sight.rows:
        seen = _visible(reader, sight, query)
        found = np.bincount(seen.traits[seen.mask])
        counts = {key: int(found[key]) for key in np.flatnonzero(found).tolist()}
    else:
        counts = kept_counts(connection, sight)
    total = sum(count for key, count in counts.items() if fits(traits[key], wanted))
    if seen is None or query.proposal is not None:
        # Proposals are too many to keep counts of them beside the others.
        seen = _visible(reader, sight, query.model_copy(update={"proposal": None}))
    chosen = [key for key, trait in traits.items() if fits(trait, wanted)] if wanted else None
    facets = sum_facets(counts, traits, wanted)
    facets["proposal"] = _proposals(reader, seen.having(chosen))
    return FacetCounts(total=total, counts=facets)


def count_visible(connection: Connection, caller: Caller, now: datetime) -> int | None:
    """Count the datasets that a caller sees, from the counts that are kept; None: all."""
    sight = look(connection, caller, now)
    if sight.everything:
        return None
    return sum(kept_counts(connection, sight).values()) + len(sight.rows)


def _proposals(reader: Reader, among: Mask) -> dict[str, int]:
    """Count the most frequent proposals of rows."""
    listed, columns = tables.listed.c.proposal, tables.proposal_number.c
    found = np.bincount(reader.listed(PROPOSAL, listed, among)[among])
    found[:1] = 0  # none is known
    most = np.argsort(found)[::-1][:_MOST_PROPOSALS]
    counts = {key: int(found[key]) for key in most.tolist() if found[key]}
    names = reader.connection.execute(
        select(columns.id, columns.name).where(columns.id.in_(counts))
    )
    named = {name: counts[key] for key, name in names}
    return dict(sorted(named.items(), key=lambda each: (-each[1], each[0])))


def _visible(reader: Reader, sight: Sight, query: Query) -> _Visible:
    mask = match(reader, query)
    traits = reader.listed(TRAIT, tables.listed.c.trait, mask)
    # What is not listed has no trait.
    mask = traits > 0 if mask is None else mask & (traits > 0)
    if not sight.everything:
        mask &= sight.sees(reader.listed(SCOPE, tables.listed.c.scope, mask))
    return _Visible(mask, traits)


def _datasets(connection: Connection, found: Sequence[Found]) -> tuple[Dataset, ...]:
    document = tables.dataset_document.c
    wanted = select(document.dataset, document.json)
    texts: dict[int, str] = {}
    for start in range(0, len(found), _BATCH):
        some = document.dataset.in_([each.row for each in found[start : start + _BATCH]])
        texts |= dict(connection.execute(wanted.where(some)).all())
    return tuple(tables.read(Dataset, texts[each.row]) for each in found)


def _next(query: Query, found: Sequence[Found], limit: int) -> str | None:
    if not limit or len(found) <= limit:
        return None
    last = found[limit - 1]
    return write_cursor(query, Cursor(last.created, last.pid))
