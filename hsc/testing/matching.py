"""Matching datasets against a query by looking at each, as plainly as a contract reads."""

from __future__ import annotations

import unicodedata

from hsc.layouts import technique_family
from hsc.model import Condition, Dataset, Query

FACETS = ("facility", "instrument", "proposal", "sample", "technique", "kind")
"""Facets that are fields of a record."""

_EQUAL = tuple(name for name in FACETS if name != "technique")

COUNTED = ("facility", "instrument", "proposal", "technique", "kind")
"""Facets that are counted; samples and keywords are too many."""


def matches(dataset: Dataset, query: Query) -> bool:
    """Tell whether a query finds a dataset."""
    return (
        all(getattr(query, name) in (None, getattr(dataset, name)) for name in _EQUAL)
        and _measured(dataset, query.technique)
        and (query.keyword is None or query.keyword in dataset.keywords)
        and all(_holds(dataset, condition) for condition in query.where)
        and _has_words(dataset, query.text)
    )


def _measured(dataset: Dataset, technique: str | None) -> bool:
    return technique is None or dataset.technique in {technique, *technique_family(technique)}


def _holds(dataset: Dataset, condition: Condition) -> bool:
    if condition.name not in dataset.quantities:
        return False
    value, dimension = dataset.quantities[condition.name].comparable()
    bound, wanted = condition.bound.comparable()
    slack = abs(bound) * 1e-9
    equal = bound - slack <= value <= bound + slack
    holds = {
        "<": value < bound and not equal,
        "<=": value < bound or equal,
        "=": equal,
        ">=": value > bound or equal,
        ">": value > bound and not equal,
    }
    return dimension == wanted and holds[condition.comparison]


def _has_words(dataset: Dataset, text: str) -> bool:
    fields = (
        dataset.title,
        dataset.sample,
        dataset.proposal,
        dataset.instrument,
        dataset.facility,
        dataset.technique,
        str(dataset.pid.latest()),
        *dataset.keywords,
    )
    there = {word for field in fields for word in _words(field or "")}
    return all(
        word in there or (len(word) >= 4 and any(other.startswith(word) for other in there))
        for word in _words(text)
    )


def _words(text: str) -> set[str]:
    word, found = "", set()
    for sign in unicodedata.normalize("NFKD", text.casefold()) + " ":
        kind = unicodedata.category(sign)
        if kind == "Mn":
            continue
        if kind[0] in "LN" or (kind[0] in "SM" and not sign.isascii()):
            word += sign
        elif word:
            found.add(word)
            word = ""
    return found
