"""Values at a dotted path inside a SciCat record, and how two of them compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from hsc_catalog.faces.scicat.fields import TIMES

Bound = float | str | datetime


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Give every value at a dotted path; lists on the way are walked through.

    Examples
    --------
    >>> list(values_at({"techniques": [{"name": "SAXS"}, {"name": "WAXS"}]}, "techniques.name"))
    ['SAXS', 'WAXS']
    """
    if not path:
        yield document
    elif isinstance(document, list):
        for each in document:
            yield from values_at(each, path)
    elif isinstance(document, Mapping):
        # Keys with dots in them are there too: try the longest key first.
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length])
            if key in document:
                yield from values_at(document[key], ".".join(parts[length:]))
                return


def is_time(path: str) -> bool:
    """Tell whether a path names a moment: by its name, never by what a value looks like."""
    return path in TIMES


def comparable(value: Any, path: str) -> Bound | None:
    """Give what a value is compared by; None when it has no order."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    return moment(value) if is_time(path) else value


def moment(text: str) -> datetime | None:
    """Read a time as SciCat writes it; one without a zone is UTC; None when it is none.

    Examples
    --------
    >>> moment("2004-06-13T01:45:28.100Z").isoformat()
    '2004-06-13T01:45:28.100000+00:00'
    """
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def equal(value: Any, wanted: Any, path: str) -> bool:
    """Tell whether a value is the one wanted; two spellings of one moment are equal."""
    if is_time(path) and isinstance(value, str) and isinstance(wanted, str):
        read = moment(value)
        return read is not None and read == moment(wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return bool(value == wanted)
