"""Frames of floating-point numbers as whole ones: in units so fine that sums can be exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import PixelSums, fix_points, squares_of
from hsc.reductions.base import SourceArray

_OFFSET = 2**31
_HALF = 32


@dataclass(frozen=True, slots=True)
class Scale:
    """What whole numbers stand for."""

    step: float = 1.0
    """A power of two."""
    offset: int = 0
    """The whole number that stands for 0."""

    @property
    def counts(self) -> bool:
        """Whether whole numbers are what they stand for."""
        return self.offset == 0

    def values(self, whole: NDArray[Any]) -> NDArray[np.float64]:
        """Give what single numbers stand for."""
        return np.asarray((whole.astype(np.int64) - self.offset) * self.step, np.float64)

    def totals(self, whole: NDArray[Any], n: NDArray[Any]) -> NDArray[np.float64]:
        """Give what sums of n numbers stand for; they are rounded here, and nowhere else."""
        return np.asarray(self._centred(whole, n) * self.step, np.float64)

    def squares(self, sums: PixelSums, frames: int) -> NDArray[np.float64]:
        """Give the sums of squares, rounded likewise."""
        low, high = self._squares(sums, frames)
        return np.asarray((high * 2.0**64 + low) * self.step**2, np.float64)

    def _centred(self, whole: NDArray[Any], n: NDArray[Any]) -> NDArray[np.int64]:
        return np.asarray(whole.astype(np.int64) - n.astype(np.int64) * self.offset)

    def _squares(
        self, sums: PixelSums, frames: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Give Σ(u - o)² = Σu² - 2oΣu + no² as its lower and its higher 64 bits, with 2o = 2³²."""
        low, high = squares_of(sums)
        if self.counts:
            return low, high
        missing = sums.missing if sums.missing.size else np.uint32(0)
        half, n = np.uint64(_HALF), (np.int64(frames) - missing).astype(np.uint64)
        less = sums.sums << half
        high = high - (sums.sums >> half) - (low < less)
        low = low - less
        more = n << np.uint64(2 * _HALF - 2)
        low = low + more
        return low, (high + (n >> np.uint64(2)) + (low < more)).astype(np.uint64)


COUNTS = Scale()
"""Whole numbers are counts."""


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A stack of floating-point numbers, read as whole ones of 32 bits.

    The largest whole number stands where there is no finite value.
    """

    source: SourceArray
    """(frames, rows, columns), float32 or float64."""
    step: float
    """What 1 stands for: a power of two."""

    @property
    def scale(self) -> Scale:
        """What whole numbers stand for."""
        return Scale(self.step, _OFFSET)

    @property
    def path(self) -> str:
        """As the stack's."""
        return self.source.path

    @property
    def shape(self) -> tuple[int, ...]:
        """As the stack's."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the whole numbers."""
        return np.dtype(np.uint32)

    @property
    def chunks(self) -> tuple[int, ...]:
        """As the stack's."""
        return self.source.chunks

    @property
    def attributes(self) -> Mapping[str, Any]:
        """As the stack's."""
        return self.source.attributes

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Give rows [start, stop) of the first axis."""
        return self._fixed(self.source.read(start, stop), start)

    def batches(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        rows: int,
        band: tuple[int, int] | None = None,
    ) -> Iterator[NDArray[Any]]:
        """Give rows a few at a time, as the stack does."""
        at = start
        for batch in self.source.batches(start, stop, rows=rows, band=band):
            yield self._fixed(batch, at)
            at += len(batch)

    def unwritten(self) -> tuple[int, ...]:
        """Give the rows that were not all written."""
        return self.source.unwritten()

    def scalar(self) -> float | str:
        """Give the value of an array of one element."""
        return self.source.scalar()

    def _fixed(self, values: NDArray[Any], start: int) -> NDArray[np.uint32]:
        fixed = np.empty(values.shape, np.uint32)
        flat = values.reshape(-1)
        beyond = fix_points(flat, fixed.reshape(-1), 1 / self.step)
        if beyond >= 0:
            most = self.step * (_OFFSET - 2)
            raise ReductionError(
                f"{flat[beyond]!s} in frame {start + beyond // values[0].size + 1} is beyond "
                f"±{most:.4g}, the largest that can be summed in units of {self.step!r}",
                where=self.source.path,
                next_step="give a larger unit, a power of two: -p float_step=...",
            )
        return fixed
