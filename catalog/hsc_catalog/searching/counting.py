"""Counting: facets of what a caller sees and a query finds, from counts that are kept, or live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from hsc.layouts import technique_family
from hsc.model import Query
from hsc_catalog import tables
from hsc_catalog.searching.sight import Sight

FACETS = ("facility", "instrument", "technique", "kind")
"""Facets whose counts are kept."""

_trait, _tally = tables.trait.c, tables.tally.c


class Trait(NamedTuple):
    """A combination of facets that occurs."""

    facility: str
    instrument: str | None
    technique: str | None
    kind: str


Traits = Mapping[int, Trait]


def read_traits(connection: Connection) -> dict[int, Trait]:
    """Give all combinations of facets by their ids."""
    wanted = select(_trait.id, _trait.facility, _trait.instrument, _trait.technique, _trait.kind)
    return {key: Trait(*facets) for key, *facets in connection.execute(wanted)}


def kept_counts(connection: Connection, sight: Sight) -> dict[int, int]:
    """Give how many datasets of each trait a caller sees, from the counts that are kept."""
    if sight.everything:
        wanted: Any = select(_trait.id, _trait.count).where(_trait.count > 0)
    else:
        wanted = (
            select(_tally.trait, func.sum(_tally.count))
            .where(_tally.scope.in_(sight.scopes))
            .group_by(_tally.trait)
        )
    return {key: int(count) for key, count in connection.execute(wanted)}


def wanted_values(query: Query) -> dict[str, frozenset[str]]:
    """Give for each facet that a query names the values that fulfil it.

    A technique is fulfilled by all its names and by what is a kind of it.
    """
    asked = {name: getattr(query, name) for name in FACETS}
    wanted = {name: frozenset({value}) for name, value in asked.items() if value is not None}
    if query.technique is not None:
        wanted["technique"] |= technique_family(query.technique)
    return wanted


def fits(trait: Trait, wanted: Mapping[str, frozenset[str]], but: str = "") -> bool:
    """Tell whether a trait has the values that are wanted, whatever one facet is."""
    return all(getattr(trait, name) in values for name, values in wanted.items() if name != but)


def sum_facets(
    counts: Mapping[int, int], traits: Traits, wanted: Mapping[str, frozenset[str]]
) -> dict[str, dict[str, int]]:
    """Sum counts of traits by facet, each without what is wanted of itself; most frequent first."""
    summed: dict[str, dict[str, int]] = {}
    for name in FACETS:
        place = Trait._fields.index(name)
        sums: Counter[str] = Counter()
        for key, count in counts.items():
            trait = traits[key]
            value = trait[place]
            if value is not None and fits(trait, wanted, but=name):
                sums[value] += count
        summed[name] = dict(sorted(sums.items(), key=lambda each: (-each[1], each[0])))
    return summed
