"""Limits of records: how long texts and lists may be, and how deep JSON that is kept as given."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

NAME_CHARACTERS = 1_000
"""Longest name, key or address."""
TEXT_CHARACTERS = 65_536
"""Longest text: a title, a description, a keyword of 0.1.0."""
UNIT_CHARACTERS = 1_000
"""Longest unit."""
LISTED = 10_000
"""Most people, keywords, techniques or quantities of one record."""
PARTS = 1_000_000
"""Most arrays or gaps of one dataset."""
JSON_DEPTH = 32
"""Deepest nesting of JSON that is kept as given."""
JSON_VALUES = 200_000
"""Most values in JSON that is kept as given."""
LARGEST = 2**63 - 1
"""Largest count that both databases hold."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARACTERS)]
"""A name: not empty, at most 1,000 characters."""
Text = Annotated[str, StringConstraints(max_length=TEXT_CHARACTERS)]
"""Text of at most 65,536 characters."""


def shallow_json(value: Any) -> Any:
    """Check that a value is JSON of at most 32 levels and 200,000 values, without NaN.

    It asks before anything walks it that could run out of stack, and changes nothing.

    Raises
    ------
    ValueError
        It is deeper or larger, or holds a NaN, an infinity, or something that is no JSON.

    Examples
    --------
    >>> shallow_json({"a": [1, "b", None]})
    {'a': [1, 'b', None]}
    """
    level, seen = [value], 0
    for _ in range(JSON_DEPTH + 1):
        seen += len(level)
        if seen > JSON_VALUES:
            raise ValueError(f"more than {JSON_VALUES} values")
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                if not all(map(_is_text, each)):
                    raise ValueError("a name in a JSON object is no text")
                below.extend(each.values())
            elif isinstance(each, list | tuple):
                below.extend(each)
            elif isinstance(each, float) and not math.isfinite(each):
                raise ValueError(f"{each} is no number that JSON knows")
        if not below:
            return value
        level = below
    raise ValueError(f"nested deeper than {JSON_DEPTH} levels")


def _is_text(name: object) -> bool:
    return isinstance(name, str)


JsonObject = Annotated[dict[str, Any], BeforeValidator(shallow_json)]
"""A JSON object within the limits, kept as given."""


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


SortedNames = Annotated[tuple[Name, ...], AfterValidator(_unique)]
"""Names, sorted, each once."""
