"""The scientific filter of ``/api/v3``: bounds on numbers of the metadata, with units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from hsc.errors import InvalidQueryError
from hsc.model import Quantity
from hsc_catalog.faces.scicat.paths import values_at
from hsc_catalog.faces.scicat.where import Predicate

_EQUAL_WITHIN = 1e-9  # relative, as in hsc's own search
_NUMBERS = {
    "EQUAL_TO_NUMERIC",
    "GREATER_THAN",
    "GREATER_THAN_OR_EQUAL",
    "LESS_THAN",
    "LESS_THAN_OR_EQUAL",
}


def compile_scientific(conditions: Any) -> Predicate:
    """Make a function that tells whether a record meets every condition.

    A number with a unit is compared in SI and only with numbers of the same dimension; without a
    unit only the number as given counts. All conditions count, two on one name as well.

    Raises
    ------
    InvalidQueryError
        A condition lacks a part, or names a relation that is not known.
    """
    if not isinstance(conditions, list):
        raise _wrong(f"{conditions!r} is no list of conditions")
    tests = [_condition(each) for each in conditions]
    return lambda record: all(test(record) for test in tests)


def _condition(condition: Any) -> Predicate:
    if not isinstance(condition, Mapping) or not isinstance(condition.get("lhs"), str):
        raise _wrong(f"{condition!r} is no condition: lhs, relation, rhs and unit are")
    name, relation = condition["lhs"], condition.get("relation")
    rhs, unit = condition.get("rhs"), str(condition.get("unit") or "")
    if relation in _NUMBERS:
        return _numeric(name, _order(str(relation), _si(_number(rhs, name), unit)), unit)
    if relation == "RANGE":
        if not isinstance(rhs, list) or len(rhs) != 2:
            raise _wrong(f"RANGE of {name} wants two numbers")
        low, high = (_si(_number(each, name), unit) for each in rhs)
        above, below = _order("GREATER_THAN_OR_EQUAL", low), _order("LESS_THAN_OR_EQUAL", high)
        return _numeric(name, lambda value: above(value) and below(value), unit)
    if relation in ("EQUAL_TO_STRING", "CONTAINS_STRING"):
        return _textual(name, str(rhs), whole=relation == "EQUAL_TO_STRING")
    if relation == "EXISTS":
        return lambda record: any(True for _ in _found(record, name))
    raise _wrong(f"{relation!r} is no relation that is known")


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise _wrong(f"{value!r} is no number to compare {name} with") from error
    if isinstance(value, bool) or not math.isfinite(number):
        raise _wrong(f"{value!r} is no number to compare {name} with")
    return number


def _si(value: float, unit: str) -> tuple[float, str]:
    if not unit:
        return value, ""
    return Quantity(value=value, unit=unit).si() or (value, f"unknown:{unit.strip()}")


def _order(relation: str, bound: tuple[float, str]) -> Callable[[tuple[float, str]], bool]:
    limit, dimension = bound
    low, high = limit - abs(limit) * _EQUAL_WITHIN, limit + abs(limit) * _EQUAL_WITHIN
    holds: Callable[[float], bool] = {
        "EQUAL_TO_NUMERIC": lambda value: low <= value <= high,
        "GREATER_THAN": lambda value: value > high,
        "GREATER_THAN_OR_EQUAL": lambda value: value >= low,
        "LESS_THAN": lambda value: value < low,
        "LESS_THAN_OR_EQUAL": lambda value: value <= high,
    }[relation]
    return lambda found: found[1] == dimension and holds(found[0])


def _numeric(name: str, holds: Callable[[tuple[float, str]], bool], unit: str) -> Predicate:
    def meets(record: Mapping[str, Any]) -> bool:
        for value in _found(record, name):
            number = value.get("value") if isinstance(value, Mapping) else value
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue
            given = str(value.get("unit") or "") if isinstance(value, Mapping) else ""
            if holds(_si(float(number), given if unit else "")):
                return True
        return False

    return meets


def _textual(name: str, wanted: str, *, whole: bool) -> Predicate:
    def meets(record: Mapping[str, Any]) -> bool:
        for value in _found(record, name):
            text = value.get("value") if isinstance(value, Mapping) else value
            if isinstance(text, str) and (
                text == wanted if whole else wanted.casefold() in text.casefold()
            ):
                return True
        return False

    return meets


def _found(record: Mapping[str, Any], name: str) -> list[Any]:
    path = name.removeprefix("scientificMetadata.").removesuffix(".value")
    return list(values_at(record.get("scientificMetadata") or {}, path))


def _wrong(message: str) -> InvalidQueryError:
    return InvalidQueryError(
        message,
        where="scientific",
        next_step='write [{"lhs": "temperature", "relation": "GREATER_THAN", "rhs": 10, '
        '"unit": "K"}]',
    )
