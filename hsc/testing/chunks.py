"""A file of very many tiny chunks, to see what grows with their count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

_ELEMENTS = 64


def write_many_chunks(path: Path, count: int, *, bitshuffle: bool = True) -> None:
    """Write a dataset ``/frames`` of ``count`` chunks of 64 elements, all alike.

    Parameters
    ----------
    path
        The file to make.
    count
        How many chunks.
    bitshuffle
        Whether the chunks are bitshuffle-LZ4, so that they travel undecoded; else plain.
    """
    filters: Any = hdf5plugin.Bitshuffle() if bitshuffle else {}
    with h5py.File(path, "w", libver="latest") as file:
        dataset = file.create_dataset(
            "frames", (count, _ELEMENTS), "u2", chunks=(1, _ELEMENTS), **filters
        )
        if not count:
            return
        dataset[0] = np.arange(_ELEMENTS)
        _, chunk = dataset.id.read_direct_chunk((0, 0))
        for row in range(1, count):
            dataset.id.write_direct_chunk((row, 0), chunk)
