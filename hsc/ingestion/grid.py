"""Grids: which inner chunks and shards an array gets. Arithmetic only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_CHUNK_BYTES = 128 * 10**6
MAX_SHARD_STORED_BYTES = 256 * 10**6
MAX_SHARD_DECODED_BYTES = 2**30
MAX_SHARD_CHUNKS = 65_536
# 280 TB in chunks of 4 MiB.
MAX_ARRAY_CHUNKS = 2**26

_SMALL_CHUNK_BYTES = 64 * 2**10
_GOOD_CHUNK_BYTES = 4 * 2**20


def inner_chunks(
    shape: Sequence[int], hdf5_chunks: Sequence[int] | None, itemsize: int, *, keep: bool
) -> tuple[int, ...]:
    """Choose the shape of an inner chunk.

    The HDF5 chunk is kept when its bytes travel undecoded, or when it has a good size. Smaller
    ones are joined and larger ones split; an array without chunks is cut along its first
    dimension, or by frames when it has three or more.

    Parameters
    ----------
    shape
        Shape of the array.
    hdf5_chunks
        Shape of its HDF5 chunks; None without.
    itemsize
        Bytes of an element.
    keep
        Whether the HDF5 chunk has to stay as it is.
    """
    lengths = [max(1, length) for length in shape]
    if not lengths:
        return ()
    if hdf5_chunks is None:
        return _cut(lengths, itemsize)
    nbytes = math.prod(hdf5_chunks) * itemsize
    if keep or _SMALL_CHUNK_BYTES <= nbytes <= MAX_CHUNK_BYTES:
        return tuple(hdf5_chunks)
    if nbytes > MAX_CHUNK_BYTES:
        whole = [min(a, b) for a, b in zip(hdf5_chunks, lengths, strict=True)]
        # Where it can be, so that none lies in two HDF5 chunks, of which each is decoded at once.
        cuts = zip(whole, _cut(whole, itemsize), strict=True)
        return tuple(_even(length, cut) for length, cut in cuts)
    return _join(lengths, hdf5_chunks, itemsize)


def _cut(lengths: list[int], itemsize: int) -> tuple[int, ...]:
    chunks = list(lengths)
    if len(lengths) >= 3:
        frame = math.prod(lengths[-2:]) * itemsize
        if _SMALL_CHUNK_BYTES <= frame <= MAX_CHUNK_BYTES:
            return (*[1] * (len(lengths) - 2), *lengths[-2:])
    for axis in range(len(chunks)):
        rest = math.prod(chunks[axis + 1 :]) * itemsize
        chunks[axis] = max(1, min(chunks[axis], _GOOD_CHUNK_BYTES * 4 // rest))
        if math.prod(chunks) * itemsize <= _GOOD_CHUNK_BYTES * 4:
            break
    return tuple(chunks)


def _even(length: int, cut: int) -> int:
    """Give the largest divisor of a length up to a cut, or the cut when that is far from it."""
    least = math.ceil(length / cut)
    counts = (n for n in range(least, 2 * least + 1) if length % n == 0)
    count = next(counts, None)
    return cut if count is None else length // count


def _join(lengths: list[int], chunks: Sequence[int], itemsize: int) -> tuple[int, ...]:
    joined = list(chunks)
    for axis in reversed(range(len(joined))):
        room = _GOOD_CHUNK_BYTES // (math.prod(joined) * itemsize)
        joined[axis] *= max(1, min(room, math.ceil(lengths[axis] / joined[axis])))
    return tuple(joined)


def shard_shape(
    shape: Sequence[int],
    chunks: Sequence[int],
    itemsize: int,
    stored: NDArray[np.uint64] | None,
    places: NDArray[np.int64] | None,
    hdf5_chunks: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """Choose the shape of a shard: as many inner chunks as the bounds allow, last axis first.

    Parameters
    ----------
    shape, chunks, itemsize
        The array, its inner chunk, and the bytes of an element.
    stored, places
        Bytes of each chunk as it will be stored, and its place in the grid of inner chunks; None
        when the chunks are encoded anew, so that only their decoded size is known.
    hdf5_chunks
        Shape of the HDF5 chunks that the inner ones are cut out of; None: of none. A shard stays
        within one then, for each shard that has some of it decodes it.
    """
    grid = [math.ceil(n / c) for n, c in zip(shape, chunks, strict=True)]
    split = hdf5_chunks is not None and math.prod(hdf5_chunks) * itemsize > MAX_CHUNK_BYTES
    if split:
        within = (math.ceil(n / c) for n, c in zip(hdf5_chunks or (), chunks, strict=True))
        grid = [min(pair) for pair in zip(grid, within, strict=True)]
    decoded = max(1, math.prod(chunks) * itemsize)
    by_size = MAX_SHARD_DECODED_BYTES if stored is not None else MAX_SHARD_STORED_BYTES
    count = max(1, min(MAX_SHARD_CHUNKS, by_size // decoded))
    while True:
        per_shard = _fill(grid, count)
        if split:
            per_shard = [_even(n, most) for n, most in zip(grid, per_shard, strict=True)]
        if stored is None or places is None or not len(stored) or count == 1:
            break
        heaviest = _heaviest(stored, places, per_shard)
        if heaviest <= MAX_SHARD_STORED_BYTES:
            break
        count = max(1, min(count - 1, int(count * MAX_SHARD_STORED_BYTES / heaviest)))
    return tuple(c * n for c, n in zip(chunks, per_shard, strict=True))


def _fill(grid: Sequence[int], count: int) -> list[int]:
    per_shard = [1] * len(grid)
    for axis in reversed(range(len(grid))):
        per_shard[axis] = max(1, min(grid[axis], count))
        count //= per_shard[axis]
        if per_shard[axis] < grid[axis]:
            break
    return per_shard


def _heaviest(
    stored: NDArray[np.uint64], places: NDArray[np.int64], per_shard: Sequence[int]
) -> int:
    if len(places) == 1 or not places.shape[1]:
        return int(stored.sum())
    shards = places // np.array(per_shard, np.int64)
    numbers = np.ravel_multi_index(tuple(shards.T), tuple(shards.max(axis=0) + 1))
    _, which = np.unique(numbers, return_inverse=True)
    sums = np.zeros(which.max() + 1, np.uint64)
    np.add.at(sums, which, stored)
    return int(sums.max())
