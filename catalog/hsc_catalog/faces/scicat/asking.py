"""What a request asks for: the filters of ``/api/v4`` and ``/api/v3`` read into one value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from hsc.errors import InvalidQueryError
from hsc_catalog.faces.scicat.fields import OLD_NAMES, TIMES
from hsc_catalog.faces.scicat.paths import comparable, values_at
from hsc_catalog.faces.scicat.scientific import compile_scientific
from hsc_catalog.faces.scicat.where import Predicate, compile_where, known_path

DEFAULT_LIMIT = 100
"""Records in an answer that names no limit, as in SciCat."""

LARGEST_LIMIT = 1000
"""Records in one answer at most; the rest by ``skip``."""

_MOST = 2**53  # what JSON's readers agree on; a database's integers have more

INCLUDES = ("attachments", "origdatablocks")


@dataclass(frozen=True)
class Asked:
    """Which datasets are asked for, in which order, and how much of them."""

    where: Mapping[str, Any] = field(default_factory=dict)
    """Conditions as ``/api/v4`` writes them."""
    scientific: tuple[Mapping[str, Any], ...] = ()
    """Conditions on numbers, as ``/api/v3`` writes them."""
    text: str = ""
    """Words that must all occur."""
    sort: tuple[tuple[str, bool], ...] = ()
    """Fields to order by, first one first; True means descending."""
    skip: int = 0
    """How many of the found are passed over."""
    limit: int = DEFAULT_LIMIT
    """How many are given."""
    fields: tuple[str, ...] = ()
    """Only these fields; empty means all."""
    include: tuple[str, ...] = ()
    """What is put into each record: attachments, origdatablocks."""

    def predicate(self) -> Predicate:
        """Make a function that tells whether a record is meant, text apart."""
        tests = [compile_where(self.where)]
        if self.scientific:
            tests.append(compile_scientific(list(self.scientific)))
        return lambda record: all(test(record) for test in tests)

    def ordered(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put records into the order asked for; those that lack the field come last."""
        for path, descending in reversed(self.sort):
            records = sorted(records, key=_sort_key(path, descending), reverse=descending)
        return records

    def cut(self, record: dict[str, Any]) -> dict[str, Any]:
        """Leave only the fields asked for; the PID stays."""
        if not self.fields:
            return record
        kept = {name.partition(".")[0] for name in self.fields} | {"pid", *self.include}
        return {name: value for name, value in record.items() if name in kept}


def _sort_key(path: str, descending: bool) -> Callable[[dict[str, Any]], tuple[bool, str, Any]]:
    def key(record: dict[str, Any]) -> tuple[bool, str, Any]:
        found = next((comparable(value, path) for value in values_at(record, path)), None)
        # Numbers, texts and times are never compared with each other.
        return (found is None) is not descending, type(found).__name__, found or 0

    return key


def read_json(text: str | None, name: str) -> Any:
    """Read a parameter that holds JSON; None gives an empty object.

    Raises
    ------
    InvalidQueryError
        It is no JSON, nested too deep to be read, or has letters that no text can have.
    """
    try:
        read = json.loads(text) if text else {}
        # Escapes may name half a letter, which no database takes.
        json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _wrong(f"{name} is no JSON: {error}", name) from error
    return read


def read_filter(text: str | None) -> Asked:
    """Read the ``filter`` of ``GET /datasets``: where, include, fields, limits.

    Raises
    ------
    InvalidQueryError
        A part of it can't be read.
    """
    asked = _object(read_json(text, "filter"), "filter")
    unknown = set(asked) - {"where", "include", "fields", "limits", "limit", "skip", "order"}
    if unknown:
        raise _wrong(f"a filter has no {sorted(unknown)[0]!r}", "filter")
    limits = {name: asked[name] for name in ("limit", "skip", "order") if name in asked}
    limits |= _object(asked.get("limits"), "limits")
    where = _object(asked.get("where"), "where")
    compile_where(where)
    skip, limit, sort = read_limits(limits)
    fields = asked.get("fields") or []
    if isinstance(fields, Mapping):  # LoopBack's form: {"name": true}
        fields = [name for name, wanted in fields.items() if wanted]
    return Asked(
        where=where,
        sort=sort,
        skip=skip,
        limit=limit,
        fields=tuple(known_path(name) for name in _texts(fields, "fields")),
        include=read_include(asked.get("include")),
    )


def read_full_query(fields: str | None, limits: str | None) -> Asked:
    """Read ``fields`` and ``limits`` of ``/datasets/fullquery`` and ``/fullfacet``.

    A list asks for any of its values; ``{"begin", "end"}`` for a span of time.

    Raises
    ------
    InvalidQueryError
        A part of it can't be read.
    """
    asked = dict(_object(read_json(fields, "fields"), "fields"))
    text = str(asked.pop("text", "") or "")
    if isinstance(asked.pop("mode", None), Mapping):
        raise _wrong("mode is not understood", "mode")
    asked.pop("userGroups", None)  # who asks is known from the token alone
    asked.pop("metadataKey", None)
    scientific = asked.pop("scientific", None) or []
    compile_scientific(scientific)
    where = {known_path(name): _span(name, value) for name, value in asked.items()}
    compile_where(where)
    skip, limit, sort = read_limits(_object(read_json(limits, "limits"), "limits"))
    return Asked(
        where=where,
        scientific=tuple(scientific),
        text=text,
        skip=skip,
        limit=limit,
        sort=sort,
    )


def _span(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return {"$in": value}
    if OLD_NAMES.get(name, name) in TIMES and isinstance(value, Mapping):
        ends = {"begin": "$gte", "end": "$lte"}
        return {ends.get(key, key): bound for key, bound in value.items() if bound is not None}
    return value


def read_limits(limits: Mapping[str, Any]) -> tuple[int, int, tuple[tuple[str, bool], ...]]:
    """Read skip, limit and order: ``{"limit": 5, "order": "creationTime:desc"}``.

    Raises
    ------
    InvalidQueryError
        A number is none or negative, or an order names no field or way.
    """
    skip = _count(limits.get("skip", 0), "skip")
    limit = min(_count(limits.get("limit", DEFAULT_LIMIT), "limit"), LARGEST_LIMIT)
    sort: list[tuple[str, str]] = []
    if isinstance(given := limits.get("sort"), Mapping):
        sort += [(str(name), str(way)) for name, way in given.items()]
    if order := limits.get("order"):
        for each in str(order).split(","):
            name, _, way = each.strip().replace(" ", ":").partition(":")
            sort.append((name, way or "asc"))
    ways = {"asc": False, "desc": True, "1": False, "-1": True}
    for name, way in sort:
        if way.lower() not in ways:
            raise _wrong(f"{way!r} is no way to order by {name}: asc or desc is", "order")
    return skip, limit, tuple((known_path(name), ways[way.lower()]) for name, way in sort)


def read_include(include: Any) -> tuple[str, ...]:
    """Read what is to be put into each record: names, or ``{"relation": name}``.

    Raises
    ------
    InvalidQueryError
        A name is not known.
    """
    asked = [] if include is None else include if isinstance(include, list) else [include]
    names = [each.get("relation") if isinstance(each, Mapping) else each for each in asked]
    flat: list[str] = reduce(lambda found, each: found + str(each).split(","), names, [])
    if "all" in flat:
        return INCLUDES
    for name in flat:
        if name not in INCLUDES:
            raise _wrong(f"{name!r} can't be included: {' and '.join(INCLUDES)} can", "include")
    return tuple(dict.fromkeys(flat))


def _count(value: Any, name: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise _wrong(f"{name} is {value!r}: a whole number from 0 is meant", name) from error
    if not 0 <= number <= _MOST or isinstance(value, bool):
        raise _wrong(f"{name} is {value!r}: a whole number from 0 is meant", name)
    return number


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(f"{name} is {value!r}: an object is meant", name)
    return value


def _texts(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong(f"{name} is {value!r}: a list of names is meant", name)
    return value


def _wrong(message: str, where: str) -> InvalidQueryError:
    return InvalidQueryError(
        message, where=where, next_step="docs/reference/scicat.md says how filters are written"
    )
