"""Parts: which of a dataset's elements, or which piece of each, a leaf of the tree holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """The way from a dataset's elements to those of one leaf; small, and fit for a pickle."""

    steps: tuple[tuple[str, ...], ...] = ()
    """Steps into the element type, outermost first, such as ``("field", "x")``."""
