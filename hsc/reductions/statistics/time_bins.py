"""Time bins: sums of consecutive frames, made and written by workers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import GoodRange
from hsc.reductions.base import SourceArray
from hsc.store import Stream, StreamedArray

TIME_BINS = "/entry/time_bins/frames"
"""Where they stand."""


@dataclass(frozen=True, slots=True)
class TimeBins:
    """Makes bins of frames: on a worker, which reads the frames by itself."""

    frames: SourceArray
    """The stack."""
    good: GoodRange
    """Counts that are believed."""
    per_bin: int
    """Frames of a bin; the last may have fewer."""
    dtype: str
    """Type of the sums."""

    def __call__(self, start: int, stop: int) -> tuple[dict[str, NDArray[Any]], None]:
        """Make bins [start, stop): sums, the type's largest number where a count is missing."""
        made = np.zeros((stop - start, *self.frames.shape[1:]), self.dtype)
        mark = np.iinfo(self.dtype).max
        number = start * self.per_bin
        for batch in self.frames.batches(number, stop * self.per_bin, rows=1):
            into = made[number // self.per_bin - start]
            bad = (batch[0] < self.good.lowest) | (batch[0] > self.good.highest) | (into == mark)
            into += np.where(bad, 0, batch[0]).astype(self.dtype)
            into[bad] = mark
            number += 1
        return {TIME_BINS: made}, None


def time_bins(frames: SourceArray, good: GoodRange, per_bin: int, maximum: int) -> Stream:
    """Give the stream of a stack's time bins.

    Parameters
    ----------
    frames
        The stack; all of it was written.
    good
        Counts that are believed.
    per_bin
        Frames of a bin.
    maximum
        Largest count in the stack: it decides between 32 and 64 bits.
    """
    dtype = "uint32" if per_bin * maximum < 2**32 - 1 else "uint64"
    shape = (math.ceil(frames.shape[0] / per_bin), *frames.shape[1:])
    array = StreamedArray(
        TIME_BINS,
        shape,
        np.dtype(dtype),
        ("time_bin", "row", "column"),
        {"units": "counts", "interpretation": "image", "frames_per_bin": per_bin},
    )
    return Stream("bin in time", (array,), TimeBins(frames, good, per_bin, dtype), unit="bins")
