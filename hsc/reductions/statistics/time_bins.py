"""Time bins: sums of consecutive frames, made and written by workers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import GoodRange, add_to_bin
from hsc.reductions.base import SourceArray
from hsc.reductions.statistics.fixed import Scale
from hsc.reductions.statistics.stack import Stack
from hsc.store import Stream, StreamedArray

TIME_BINS = "/entry/time_bins/frames"
"""Where they stand."""


@dataclass(frozen=True, slots=True)
class TimeBins:
    """Makes bins of frames: on a worker, which reads the frames by itself."""

    frames: SourceArray
    """The stack, of whole numbers."""
    good: GoodRange
    """Those that are believed."""
    scale: Scale
    """What they stand for."""
    per_bin: int
    """Frames of a bin; the last may have fewer."""
    dtype: str
    """Type of the sums of whole numbers."""

    def __call__(self, start: int, stop: int) -> tuple[dict[str, NDArray[Any]], None]:
        """Make bins [start, stop): sums; where a count is missing, the largest number or NaN."""
        made = np.zeros((stop - start, *self.frames.shape[1:]), self.dtype)
        number = start * self.per_bin
        for batch in self.frames.batches(number, stop * self.per_bin, rows=1):
            add_to_bin(made[number // self.per_bin - start], batch[0], self.good)
            number += 1
        return {TIME_BINS: made if self.scale.counts else self._values(made, start)}, None

    def _values(self, made: NDArray[Any], start: int) -> NDArray[np.float64]:
        """Give what sums stand for; they are rounded here, and nowhere else."""
        values = np.empty(made.shape, np.float64)
        for place, whole in enumerate(made):
            first = (start + place) * self.per_bin
            n = np.array(min(self.per_bin, self.frames.shape[0] - first))
            values[place] = self.scale.totals(whole, n)
            values[place][whole == np.iinfo(self.dtype).max] = np.nan
        return values


def time_bins(stack: Stack, per_bin: int, maximum: int) -> Stream:
    """Give the stream of a stack's time bins.

    Parameters
    ----------
    stack
        Frames; all of it was written.
    per_bin
        Frames of a bin.
    maximum
        Largest whole number in the stack: it decides between 32 and 64 bits.
    """
    counts = stack.scale.counts
    dtype = "uint32" if counts and per_bin * maximum < 2**32 - 1 else "uint64"
    frames = stack.frames
    units = {} if stack.units is None else {"units": stack.units}
    array = StreamedArray(
        TIME_BINS,
        (math.ceil(frames.shape[0] / per_bin), *frames.shape[1:]),
        np.dtype(dtype if counts else np.float64),
        ("time_bin", "row", "column"),
        {**units, "interpretation": "image", "frames_per_bin": per_bin},
        fill_value=0 if counts else math.nan,
    )
    make = TimeBins(frames, stack.good, stack.scale, per_bin, dtype)
    return Stream("bin in time", (array,), make, unit="bins")
