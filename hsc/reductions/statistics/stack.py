"""A stack ready to be added up."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.kernels import GoodRange
from hsc.reductions.base import SourceArray
from hsc.reductions.statistics.fixed import COUNTS, Scale
from hsc.reductions.statistics.regions import Region


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames, and what is to be made of them."""

    frames: SourceArray
    """Whole numbers, shape (frames, rows, columns)."""
    shape: tuple[int, int]
    """Rows and columns."""
    good: GoodRange
    """Those that are believed."""
    regions: tuple[Region, ...]
    """Parts that are summed frame by frame."""
    scale: Scale = COUNTS
    """What whole numbers stand for."""

    @property
    def units(self) -> str | None:
        """What values are in."""
        said = self.frames.attributes.get("units")
        return "counts" if self.scale.counts else None if said is None else str(said)
