"""The where-language of ``/api/v4``: operators of MongoDB, told to a function of one record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from hsc.errors import InvalidQueryError
from hsc_catalog.faces.scicat.fields import KNOWN, OLD_NAMES
from hsc_catalog.faces.scicat.paths import comparable, equal, values_at

Predicate = Callable[[Mapping[str, Any]], bool]

_FREE = ("scientificMetadata.", "jobParameters.", "datasetlifecycle.", "techniques.")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
_DEEPEST = 20
_LONGEST_PATTERN = 256
_LONGEST_SUBJECT = 4096  # letters of a value that a pattern is tried on
_QUANTIFIER = re.compile(r"(?<!\\)[*+?{]")
# Repetitions of repetitions, references back; and what Python will once read as sets of sets.
_DANGEROUS = re.compile(r"\)[*+?{]|\(\?|\\[1-9]|[*+?}][*+?{]|\[\^?\[|--|&&|~~|\|\|")


def compile_where(where: Any, depth: int = 0) -> Predicate:
    """Make a function that tells whether a record is meant.

    Operators: ``$and $or $nor $not $in $nin $eq $ne $gt $gte $lt $lte $exists $regex $options``.

    Raises
    ------
    InvalidQueryError
        An unknown operator or field, a bound of the wrong type, or nesting over 20 deep.

    Examples
    --------
    >>> meant = compile_where({"type": "raw", "keywords": {"$in": ["SAXS"]}})
    >>> meant({"type": "raw", "keywords": ["SAXS", "lysozyme"]})
    True
    """
    if depth > _DEEPEST:
        raise _wrong(f"where is nested more than {_DEEPEST} deep", "where")
    if not isinstance(where, Mapping):
        raise _wrong(f"{where!r} is no where: an object of fields is", "where")
    parts = [_clause(key, value, depth) for key, value in where.items()]
    return lambda record: all(part(record) for part in parts)


def _clause(key: str, value: Any, depth: int) -> Predicate:
    if key in ("$and", "$or", "$nor"):
        if not isinstance(value, list) or not value:
            raise _wrong(f"{key} wants a list of conditions", key)
        parts = [compile_where(each, depth + 1) for each in value]
        if key == "$and":
            return lambda record: all(part(record) for part in parts)
        wanted = key == "$or"
        return lambda record: any(part(record) for part in parts) is wanted
    if key.startswith("$"):
        raise _wrong(f"{key} is no operator between conditions", key)
    return _field(known_path(key), value, depth)


def known_path(path: str) -> str:
    """Give a field's path as ``/api/v4`` writes it.

    Raises
    ------
    InvalidQueryError
        SciCat's dataset has no such field.
    """
    path = OLD_NAMES.get(path, path)
    if path not in KNOWN and not path.startswith(_FREE):
        raise _wrong(f"a dataset has no field {path!r}", path)
    return path


def _field(path: str, value: Any, depth: int) -> Predicate:
    operators = isinstance(value, Mapping) and any(str(key).startswith("$") for key in value)
    if not operators:
        return _equals(path, value)
    tests = [
        _operator(path, name, bound, value, depth)
        for name, bound in value.items()
        if name != "$options"
    ]
    return lambda record: all(test(record) for test in tests)


def _operator(path: str, name: str, bound: Any, whole: Mapping[str, Any], depth: int) -> Predicate:
    if name in _ORDERS:
        return _ordered(path, name, bound)
    if name == "$eq":
        return _equals(path, bound)
    if name == "$ne":
        return _not(_equals(path, bound))
    if name in ("$in", "$nin"):
        if not isinstance(bound, list):
            raise _wrong(f"{name} wants a list of values", path)
        among = _any(_equals(path, each) for each in bound)
        return among if name == "$in" else _not(among)
    if name == "$exists":
        wanted = bool(bound)
        return lambda record: any(True for _ in values_at(record, path)) is wanted
    if name == "$regex":
        return _matches(path, bound, str(whole.get("$options", "")))
    if name == "$not" and depth < _DEEPEST:
        return _not(_field(path, bound, depth + 1))
    raise _wrong(f"{name} is no operator that is understood", path)


def _any(tests: Iterable[Predicate]) -> Predicate:
    several = list(tests)
    return lambda record: any(test(record) for test in several)


def _not(test: Predicate) -> Predicate:
    return lambda record: not test(record)


def _equals(path: str, wanted: Any) -> Predicate:
    def holds(record: Mapping[str, Any]) -> bool:
        found = False
        for value in values_at(record, path):
            found = True
            if equal(value, wanted, path):
                return True
            if isinstance(value, list) and any(equal(each, wanted, path) for each in value):
                return True
        # As in MongoDB: what is not there equals null.
        return not found and wanted is None

    return holds


def _ordered(path: str, name: str, bound: Any) -> Predicate:
    limit = comparable(bound, path)
    if limit is None:
        raise _wrong(f"{name} can't compare with {bound!r}", path)
    order = _ORDERS[name]

    def holds(record: Mapping[str, Any]) -> bool:
        for value in values_at(record, path):
            for each in value if isinstance(value, list) else [value]:
                other = comparable(each, path)
                if type(other) is type(limit) and order(other, limit):
                    return True
        return False

    return holds


def _matches(path: str, pattern: Any, options: str) -> Predicate:
    compiled = safe_pattern(pattern, options)

    def holds(record: Mapping[str, Any]) -> bool:
        for value in values_at(record, path):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and compiled.search(each[:_LONGEST_SUBJECT]):
                    return True
        return False

    return holds


def safe_pattern(pattern: Any, options: str = "") -> re.Pattern[str]:
    """Compile a pattern that can't keep the server busy: one repetition, and none of a group.

    Raises
    ------
    InvalidQueryError
        It is no pattern, too long, or could take longer than its text is worth.
    """
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN:
        raise _wrong(f"$regex wants text of at most {_LONGEST_PATTERN} letters", "$regex")
    # At the ends of a search they change nothing but the time it takes.
    core = pattern.removeprefix("^").removeprefix(".*") if pattern.startswith("^.*") else pattern
    core = core.removesuffix("$") if core.endswith(".*$") else core
    core = core.removeprefix(".*")
    core = core if core.endswith("\\.*") else core.removesuffix(".*")
    if _DANGEROUS.search(core) or len(_QUANTIFIER.findall(core)) > 1:
        raise _wrong(f"the pattern {pattern!r} could take too long", "$regex")
    if set(options) - set("imsx"):
        raise _wrong(f"{options!r} are no options of a pattern", "$options")
    flags = sum(getattr(re, letter.upper()) for letter in set(options))
    try:
        return re.compile(core, flags)
    except re.error as error:
        raise _wrong(f"{pattern!r} is no pattern: {error}", "$regex") from error


def _wrong(message: str, where: str) -> InvalidQueryError:
    return InvalidQueryError(
        message, where=where, next_step="docs/reference/scicat.md lists fields and operators"
    )
