"""Frame statistics: one pass of ours against NumPy's passes, in memory and from a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import GoodRange, add_frames, pixel_sums
from hsc.reductions import sum_stack
from hsc.workers import Silent, ThreadWorkers
from hsc_benchmarks.reductions.comparing import Row, compare
from hsc_benchmarks.reductions.stacks import Stack, make_stack

_FRAMES, _IN_MEMORY = 64, 8
_GOOD = GoodRange(0, 65534, 65535)


def measure_statistics(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time sums, squares, least, largest and totals of 4-Mpx frames, on one thread each."""
    with make_stack(folder, say, frames=_FRAMES, mean_counts=100.0) as stack:
        frames = stack.opened().read(0, _IN_MEMORY)
        rows = compare(
            "statistics of 4 Mpx u2 in memory, per frame",
            {
                "hsc, one pass, marks left out": lambda: _one_pass(frames),
                "numpy, the same numbers": lambda: _same_numbers(frames),
                "numpy, five passes, marks counted": lambda: numpy_passes(frames),
            },
            units=_IN_MEMORY,
            wanted={"numpy, the same numbers": 4},
            rounds=rounds,
            say=say,
        )
        return rows + compare(
            "stored frames to statistics of 4 Mpx u2, per frame",
            {
                "hsc, 1 thread": lambda: _summed(stack),
                "h5py, hdf5plugin and numpy": lambda: _by_h5py(stack),
            },
            units=_FRAMES,
            rounds=rounds,
            say=say,
        )


def _same_numbers(frames: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Give all that one pass of ours gives, but for what is saturated."""
    good = frames <= _GOOD.highest
    counts = np.where(good, frames, 0)
    return (
        *numpy_passes(counts),
        np.count_nonzero(good, axis=0),
        counts.max(axis=(1, 2)),
        np.count_nonzero(good, axis=(1, 2)),
        np.count_nonzero(frames == 0, axis=(1, 2)),
    )


def numpy_passes(frames: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Give sum, sum of squares, least and largest of each pixel, and each frame's total."""
    return (
        frames.sum(axis=0, dtype=np.uint64),
        np.square(frames, dtype=np.uint64).sum(axis=0),
        frames.min(axis=0),
        frames.max(axis=0),
        frames.sum(axis=(1, 2), dtype=np.uint64),
    )


def _one_pass(frames: NDArray[Any]) -> None:
    sums = pixel_sums(frames[0].size, frames.dtype)
    add_frames(sums, frames, _GOOD)


def _summed(stack: Stack) -> None:
    sum_stack(stack.opened(), _GOOD, (), ThreadWorkers(1), Silent())


def _by_h5py(stack: Stack) -> None:
    with stack.original() as parts:
        for part in parts:
            for first in range(0, len(part), _IN_MEMORY):
                numpy_passes(part[first : first + _IN_MEMORY])
