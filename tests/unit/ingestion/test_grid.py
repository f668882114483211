"""Inner chunks tile shards, shards keep their bounds, and nothing is ever zero."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hsc.ingestion.grid import (
    MAX_CHUNK_BYTES,
    MAX_SHARD_CHUNKS,
    MAX_SHARD_DECODED_BYTES,
    MAX_SHARD_STORED_BYTES,
    inner_chunks,
    shard_shape,
)

LENGTH = st.integers(0, 20) | st.integers(0, 10**9)


@st.composite
def grids(draw, largest=2**32 - 1, chunked=None):
    """Draw a shape, HDF5 chunks of at most ``largest`` bytes, and the bytes of an element."""
    ndim = draw(st.integers(0, 5))
    shape = tuple(draw(LENGTH) for _ in range(ndim))
    itemsize = draw(st.sampled_from([1, 2, 4, 8, 16, 64, 1000]))
    room, chunks = largest // itemsize, []
    for _ in range(ndim):
        chunks.append(draw(st.integers(1, min(room, 50)) | st.integers(1, min(room, 10**7))))
        room //= chunks[-1]
    with_chunks = draw(st.booleans()) if chunked is None else chunked
    return shape, tuple(chunks) if with_chunks else None, itemsize


@given(grids())
def test_inner_chunks_are_never_zero_and_keep_their_bound(grid):
    shape, hdf5_chunks, itemsize = grid
    chunks = inner_chunks(shape, hdf5_chunks, itemsize, keep=False)
    assert len(chunks) == len(shape)
    assert all(chunk >= 1 for chunk in chunks)
    assert math.prod(chunks) * itemsize <= max(MAX_CHUNK_BYTES, itemsize)


@given(grids(chunked=True))
def test_a_kept_chunk_is_the_hdf5_chunk(grid):
    shape, hdf5_chunks, itemsize = grid
    assert inner_chunks(shape, hdf5_chunks, itemsize, keep=True) == hdf5_chunks


@given(grids(largest=2**16 - 1, chunked=True))
def test_small_chunks_are_joined_into_whole_multiples(grid):
    shape, hdf5_chunks, itemsize = grid
    chunks = inner_chunks(shape, hdf5_chunks, itemsize, keep=False)
    assert all(c % h == 0 for c, h in zip(chunks, hdf5_chunks, strict=True))


@given(grids())
def test_chunks_tile_shards_and_shards_keep_their_bounds(grid):
    shape, hdf5_chunks, itemsize = grid
    chunks = inner_chunks(shape, hdf5_chunks, itemsize, keep=False)
    shards = shard_shape(shape, chunks, itemsize, None, None)
    assert all(s % c == 0 and s >= c for s, c in zip(shards, chunks, strict=True))
    per_shard = math.prod(s // c for s, c in zip(shards, chunks, strict=True))
    assert per_shard <= MAX_SHARD_CHUNKS
    nbytes = math.prod(shards) * itemsize
    assert nbytes <= MAX_SHARD_STORED_BYTES or per_shard == 1
    # No wider than the array, so that an array of one chunk is one object without an index.
    over = zip(shards, chunks, shape, strict=True)
    assert all(s < n + c or s == c for s, c, n in over)


@given(
    grid=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    size=st.integers(1, 200 * 10**6),
    seed=st.integers(0, 99),
)
def test_shards_of_chunks_of_known_size_keep_both_bounds(grid, size, seed):
    rng = np.random.default_rng(seed)
    everywhere = np.argwhere(np.ones(grid, bool))
    places = everywhere[rng.random(len(everywhere)) < 0.7]
    stored = rng.integers(1, size + 1, len(places)).astype("u8")
    chunks = (1,) * (len(grid) - 1) + (30_000_000,)  # 60 MB decoded
    shape = (*grid[:-1], grid[-1] * chunks[-1])
    shards = shard_shape(shape, chunks, 2, stored, places)
    per_shard = [s // c for s, c in zip(shards, chunks, strict=True)]
    assert math.prod(shards) * 2 <= MAX_SHARD_DECODED_BYTES
    sums: dict[tuple[int, ...], int] = {}
    for place, nbytes in zip(places, stored, strict=True):
        shard = tuple(int(a) // n for a, n in zip(place, per_shard, strict=True))
        sums[shard] = sums.get(shard, 0) + int(nbytes)
    assert math.prod(per_shard) == 1 or max(sums.values(), default=0) <= MAX_SHARD_STORED_BYTES
