"""Ranges: the conditions of a query, those on one name combined into one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from hsc.errors import InvalidQueryError
from hsc.model import Condition

_EQUAL_WITHIN = 1e-9  # relative; one energy given in eV and in keV differs by rounding alone


@dataclass(frozen=True, slots=True)
class Range:
    """The values of one measure that are asked for, both ends included."""

    name: str
    dimension: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def is_empty(self) -> bool:
        """Tell whether no value is in it."""
        return self.low > self.high


def ranges(conditions: Iterable[Condition]) -> list[Range]:
    """Combine conditions into one range for each name and dimension.

    Raises
    ------
    InvalidQueryError
        A bound is no number.
    """
    found: dict[tuple[str, str], Range] = {}
    for condition in conditions:
        one = _range(condition)
        key = one.name, one.dimension
        known = found.get(key, one)
        found[key] = Range(*key, max(known.low, one.low), min(known.high, one.high))
    return list(found.values())


def _range(condition: Condition) -> Range:
    bound, dimension = condition.bound.comparable()
    if not math.isfinite(bound):
        raise InvalidQueryError(
            f"the bound {bound} of {condition.name} is no number",
            next_step="give a finite number, as in 'photon_energy > 12 keV'",
        )
    slack = abs(bound) * _EQUAL_WITHIN
    low, high = bound - slack, bound + slack
    # Of <, = and > exactly one holds, so what equals the bound in another unit is neither below
    # nor above it, and <= finds it.
    ends = {
        "<": (-math.inf, math.nextafter(low, -math.inf)),
        "<=": (-math.inf, high),
        "=": (low, high),
        ">=": (low, math.inf),
        ">": (math.nextafter(high, math.inf), math.inf),
    }[condition.comparison]
    return Range(condition.name, dimension, *ends)
