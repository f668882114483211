"""A stack ready to be added up."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.kernels import GoodRange
from hsc.reductions.base import SourceArray
from hsc.reductions.statistics.regions import Region


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames, and what is to be made of them."""

    frames: SourceArray
    """Counts, shape (frames, rows, columns)."""
    shape: tuple[int, int]
    """Rows and columns."""
    good: GoodRange
    """Counts that are believed."""
    regions: tuple[Region, ...]
    """Parts that are summed frame by frame."""
