"""Searching with words: from text, bounds and facets to a Query, the same for every catalog."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from hsc.errors import InvalidQueryError
from hsc.model import Condition, FacetCounts, Query, SearchResult

Bounds = str | Condition | Sequence[str | Condition]
"""One bound on a quantity or several, as texts (``"photon_energy > 12 keV"``) or read."""

Facet = str | None
"""What a facet must be; None: anything."""

_NO_FACETS = {"format", "text", "where", "limit", "cursor", "sort"}


def make_query(
    query: Query | str = "",
    where: Bounds = (),
    limit: int | None = None,
    cursor: str | None = None,
    facets: Mapping[str, Facet] | None = None,
) -> Query:
    """Make a query of a text or a query, and of what is asked beside it.

    Raises
    ------
    InvalidQueryError
        A bound can't be read, or there is no such facet.

    Examples
    --------
    >>> asked = make_query("lysozyme", "photon_energy > 12 keV", facets={"technique": "SAXS"})
    >>> asked.text, asked.technique, asked.where[0].bound
    ('lysozyme', 'SAXS', Quantity(value=12.0, unit='keV'))
    """
    asked = Query(text=query) if isinstance(query, str) else query
    known = sorted(set(Query.model_fields) - _NO_FACETS)
    given = facets or {}
    for name in given:
        if name not in known:
            raise InvalidQueryError(
                f"there is no facet {name!r}", next_step=f"use one of {', '.join(known)}"
            )
    changes: dict[str, Any] = {name: _plain(each) for name, each in given.items() if each}
    bounds = [where] if isinstance(where, str | Condition) else where
    if bounds:
        read = (each if isinstance(each, Condition) else Condition.parse(each) for each in bounds)
        changes["where"] = (*asked.where, *read)
    if limit is not None:
        changes["limit"] = limit
    if cursor is not None:
        changes["cursor"] = cursor
    return asked.model_copy(update=changes)


def _plain(facet: str) -> str:
    # Kind.RAW and the like stand for their text.
    return str(facet.value) if isinstance(facet, Enum) else facet


class Searching(ABC):
    """What gives a catalog `search` and `facets` with words; it answers whole queries itself."""

    def search(
        self,
        query: Query | str = "",
        *,
        where: Bounds = (),
        limit: int | None = None,
        cursor: str | None = None,
        **facets: Facet,
    ) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first.

        As `hsc.client.Finder.search`.
        """
        return self.find_datasets(make_query(query, where, limit, cursor, facets))

    def facets(
        self, query: Query | str = "", *, where: Bounds = (), **facets: Facet
    ) -> FacetCounts:
        """Count what a search would find, by facility, instrument, technique and so on.

        As `hsc.client.Finder.facets`.
        """
        return self.count_facets(make_query(query, where, facets=facets))

    @abstractmethod
    def find_datasets(self, query: Query) -> SearchResult:
        """Answer a whole query."""

    @abstractmethod
    def count_facets(self, query: Query) -> FacetCounts:
        """Count what a whole query finds."""
