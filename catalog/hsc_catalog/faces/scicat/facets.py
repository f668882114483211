"""Counting SciCat's datasets by the values of their fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hsc_catalog.faces.scicat.fields import TIMES
from hsc_catalog.faces.scicat.paths import moment, values_at

_MOST = 1000  # values told of each field


def counted(records: Iterable[Mapping[str, Any]], name: str) -> Counter[Any]:
    """Count records by the values of a field; by days where it holds a time.

    Examples
    --------
    >>> counted([{"type": "raw"}, {"type": "raw"}], "type")
    Counter({'raw': 2})
    """
    return Counter(value for record in records for value in _values(record, name))


def full_facet(counts: Mapping[str, Counter[Any]], total: int) -> list[dict[str, Any]]:
    """Word counts as ``fullfacet`` answers them, the most frequent values first.

    Examples
    --------
    >>> full_facet({"type": Counter({"raw": 2})}, 2)
    [{'all': [{'totalSets': 2}], 'type': [{'_id': 'raw', 'count': 2}]}]
    """
    answer: dict[str, Any] = {"all": [{"totalSets": total}]}
    for name, some in counts.items():
        most = some.most_common(_MOST)
        answer[name] = [{"_id": _worded(value), "count": count} for value, count in most]
    return [answer]


def metadata_keys(records: Iterable[Mapping[str, Any]], asked: str) -> list[str]:
    """List the names in scientific metadata that contain a text."""
    names = {
        str(name)
        for record in records
        for name in record.get("scientificMetadata") or {}
        if asked.casefold() in str(name).casefold()
    }
    return sorted(names)[:_MOST]


def _values(record: Mapping[str, Any], name: str) -> set[Any]:
    found: set[Any] = set()
    for value in values_at(record, name):
        for each in value if isinstance(value, list) else [value]:
            if name in TIMES and isinstance(each, str):
                time = moment(each)
                found |= {(time.year, time.month, time.day)} if time else set()
            elif isinstance(each, str | int | float | bool):
                found.add(each)
    return found


def _worded(value: Any) -> Any:
    if isinstance(value, tuple):
        return dict(zip(("year", "month", "day"), value, strict=True))
    return value
