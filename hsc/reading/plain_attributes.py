"""Attributes as people want to see them: numbers, texts and lists of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give a node's attributes as its file has them; what JSON can't hold as NumPy's values.

    Hsc's own notes are left out, and what it added for stock readers.
    """
    added = attributes.get("hsc:added", ())
    return {
        name: _plain(value) if isinstance(value, dict) else value
        for name, value in attributes.items()
        if not name.startswith("hsc:") and name not in added
    }


def _plain(value: dict[str, Any]) -> Any:
    if "$null" in value:
        return None
    coded: Any = value.get("$hex")
    if value.get("$t") == "string":
        texts = [bytes.fromhex(each) for each in (coded if isinstance(coded, list) else [coded])]
        return texts if isinstance(coded, list) else texts[0]
    if "$t" in value:
        numbers = np.frombuffer(bytes.fromhex(str(coded)), np.dtype(str(value["$t"])))
        return numbers[0] if len(numbers) == 1 else numbers
    return value
