"""Stacks of frames in one HDF5 file, by the way that their chunks travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

PATH = "entry/data/data"
_DRAWN = 4


@dataclass(frozen=True, slots=True)
class Stack:
    """A kind of stack."""

    shape: tuple[int, int]
    """Rows and columns of a frame."""
    dtype: str
    """Type of a pixel."""
    counts: float
    """Mean of the Poisson noise in it: how far it can be compressed."""
    filters: Mapping[str, Any]
    """How h5py is told to compress it."""
    frames: int
    """So many take more than 1 GB as stored."""


_SMALL, _LARGE = (1030, 1065), (2162, 2068)
STACKS = {
    "rewrap-u4": Stack(_LARGE, "u4", 0.75, hdf5plugin.Bitshuffle(cname="lz4"), 740),
    "rewrap-u2": Stack(_SMALL, "u2", 5.0, hdf5plugin.Bitshuffle(cname="lz4"), 1900),
    "blosc": Stack(_SMALL, "u2", 5.0, hdf5plugin.Blosc(cname="lz4", shuffle=2), 1900),
    "zstd": Stack(_SMALL, "u2", 5.0, hdf5plugin.Zstd(), 2000),
    "raw": Stack(_SMALL, "u2", 5.0, {}, 500),
    "deflate": Stack(_SMALL, "u2", 5.0, {"compression": "gzip", "shuffle": True}, 400),
}


def write_stack(path: Path, stack: Stack, frames: int) -> None:
    """Write a stack; four frames are drawn and encoded, and stand there by turns."""
    draw = np.random.default_rng(0)
    with h5py.File(path, "w", libver="latest") as file:
        made = file.create_dataset(
            PATH, (frames, *stack.shape), stack.dtype, chunks=(1, *stack.shape), **stack.filters
        )
        chunks = []
        for number in range(min(_DRAWN, frames)):
            made[number] = draw.poisson(stack.counts, stack.shape).astype(stack.dtype)
            chunks.append(made.id.read_direct_chunk((number, 0, 0))[1])
        for number in range(_DRAWN, frames):
            made.id.write_direct_chunk((number, 0, 0), chunks[number % _DRAWN])


def chunk_extents(path: Path) -> list[tuple[int, int]]:
    """Give where each frame's chunk lies in the file, and its bytes."""
    with h5py.File(path) as file:
        found: list[tuple[int, int]] = []
        file[PATH].id.chunk_iter(lambda chunk: found.append((chunk.byte_offset, chunk.size)))
    return sorted(found)
