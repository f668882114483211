"""Decoding alone: frames of a store batch by batch, against h5py and zarr-python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hsc_benchmarks.reductions.comparing import Row, compare
from hsc_benchmarks.reductions.stacks import Stack, make_stack

_BATCH = 4
_STACKS = (
    ("u2, 100 counts a pixel", {"dtype": "u2", "mean_counts": 100.0}),
    ("u2, 1 count a pixel", {"dtype": "u2", "mean_counts": 1.0}),
    ("u4, 1 count a pixel", {"dtype": "u4", "mean_counts": 1.0}),
)


def measure_reading(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time the way from stored bytes to checked, decoded frames, on one thread each."""
    rows = []
    for name, facts in _STACKS:
        with make_stack(folder, say, frames=32, **facts) as stack:  # type: ignore[arg-type]
            arms = {
                "hsc, batches": lambda stack=stack: _by_batches(stack),
                "h5py and hdf5plugin on the HDF5 files": lambda stack=stack: by_h5py(stack),
                "zarr-python on the store": lambda stack=stack: _by_zarr(stack),
            }
            what = f"reading and decoding, 4 Mpx {name}, per frame"
            rows += compare(what, arms, units=stack.frames, rounds=rounds, say=say)
    return rows


def _by_batches(stack: Stack) -> None:
    for _ in stack.opened().batches(rows=_BATCH):
        pass


def by_h5py(stack: Stack) -> None:
    """Read each frame into one buffer with h5py."""
    with stack.original() as parts:
        buffer = np.empty((1, *stack.shape), parts[0].dtype)
        for part in parts:
            for number in range(len(part)):
                part.read_direct(buffer, np.s_[number : number + 1])


def _by_zarr(stack: Stack) -> None:
    array = open_with_zarr(stack)
    for first in range(0, stack.frames, _BATCH):
        array[first : first + _BATCH]


def open_with_zarr(stack: Stack) -> Any:
    """Open the frames with zarr-python alone; its threads are one for decoding."""
    import zarr

    zarr.config.set({"threading.max_workers": 1, "async.concurrency": 1})
    return zarr.open_array(f"{stack.record.location}/data.zarr{stack.opened().path}", mode="r")
