"""The numbers of a dataset that a search can bound: quantities, and numbers of its metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hsc.model import Dataset, comparable

_DEEPEST = 8  # levels of metadata
_MOST = 1000  # numbers of one dataset
_LONGEST = 200  # letters of a name

_Number = tuple[float, str]


def numbers(dataset: Dataset) -> dict[str, tuple[float, str]]:
    """Give name, value in SI and dimension of all numbers to search by.

    Numbers inside ``scientific_metadata`` are named by the way to them, as in
    ``detector.distance``; a quantity of the same name goes first. What lies deeper than eight
    levels, beyond a thousand numbers, or in lists is left out here, and stays in the record.
    """
    found = {name: quantity.comparable() for name, quantity in dataset.quantities.items()}
    _add_inside(found, getattr(dataset, "scientific_metadata", None) or {}, "", 1)
    return found


def _add_inside(
    found: dict[str, _Number], metadata: Mapping[str, Any], prefix: str, depth: int
) -> None:
    for key, value in metadata.items():
        if len(found) >= _MOST:
            return
        kind = type(value)
        if kind is str or kind is list:  # most of what is no number, told apart at once
            continue
        name = f"{prefix}{key}"
        if len(name) > _LONGEST:
            continue
        quantity = _quantity(value)
        if quantity is not None:
            if name not in found:
                found[name] = comparable(*quantity)
        elif isinstance(value, dict) and depth < _DEEPEST:
            _add_inside(found, value, f"{name}.", depth + 1)


def _quantity(value: Any) -> _Number | None:
    """Give a plain number and "1", or one with its unit beside it; None for anything else."""
    unit: Any = "1"
    if isinstance(value, dict):
        unit = value.get("unit") or "1"
        value = value.get("value")
    # True is an int in Python, and no number here.
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(unit, str):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number) or len(unit) > _LONGEST:
        return None
    return number, unit
