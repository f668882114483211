"""One step of a chain, as it is told to people and to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, in the order of the chain."""

    name: str
    """Name of its group, as in ``guinier``."""
    title: str
    """Its name for people, as in ``Guinier fit``."""
    description: str
    """What it does, in a sentence."""
    terms: Mapping[str, float | int | bool | str] = field(default_factory=dict)
    """What it came to and what it was told, units in the names (``rg_nm``)."""
    program: str = "hsc"
    """What did it: ``hsc`` or ``freesas``."""
