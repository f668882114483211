"""A chunk is decoded where it is wanted as it is decoded by itself, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs import zstd as zstd_codec

from hsc.store import blosc, zstd
from hsc.transcode import decode_into, decode_part, encode_chunk

COMPRESSORS = [
    None,
    zstd(1),
    blosc("lz4", 5, 2),
    blosc("lz4", 5, 2, blocksize=1024),
    blosc("zstd", 1, 2, blocksize=1024),
    blosc("lz4", 5, 4, shuffle="shuffle", blocksize=1024),
    blosc("lz4", 0, 2),
]
FRAME = np.random.default_rng(3).poisson(2, (67, 59)).astype("u2")


@pytest.mark.parametrize("compressor", COMPRESSORS, ids=str)
@given(first=st.integers(0, FRAME.nbytes - 1), size=st.integers(1, 3000))
def test_a_part_of_a_chunk_is_that_part_of_the_whole(compressor, first, size):
    data = encode_chunk(FRAME, compressor)
    stop = min(first + size, FRAME.nbytes)
    part = decode_part(data, first, stop, FRAME.nbytes, compressor)
    if part is not None:
        assert part.tobytes() == FRAME.tobytes()[first:stop]


def test_a_small_part_is_decoded_alone():
    for compressor in COMPRESSORS:
        if compressor is None or compressor["name"] == "blosc":
            data = encode_chunk(FRAME, compressor)
            assert decode_part(data, 4000, 4002, FRAME.nbytes, compressor) is not None


@pytest.mark.parametrize("compressor", COMPRESSORS, ids=str)
def test_a_chunk_is_decoded_into_an_array_that_it_fills_and_no_other(compressor):
    data = encode_chunk(FRAME, compressor)
    target = np.zeros_like(FRAME)
    assert decode_into(memoryview(data), target, compressor)
    assert np.array_equal(target, FRAME)
    for shape in ((67, 60), (66, 59), (0, 59)):
        other = np.full(shape, 7, "u2")
        assert not decode_into(data, other, compressor)
        assert np.all(other == 7)


@pytest.mark.parametrize("size", [10, 255, 256, 300, 65_000, 70_000])
def test_a_zstandard_frame_of_any_size_says_its_size_or_nothing(size):
    values = np.arange(size).astype("u1")
    target = np.empty_like(values)
    assert decode_into(zstd_codec.compress(values, 1), target, zstd(1))
    assert np.array_equal(target, values)


@pytest.mark.parametrize("compressor", COMPRESSORS[1:], ids=str)
@pytest.mark.parametrize("keep", [0, 5, 15, 17, 60, -1])
def test_a_chunk_that_was_cut_short_is_never_half_decoded(compressor, keep):
    data = encode_chunk(FRAME, compressor)[:keep]
    try:
        done = decode_into(data, np.empty_like(FRAME), compressor)
    except (RuntimeError, ValueError):
        return
    assert not done
