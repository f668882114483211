"""Rewrapped chunks decode, in readers that know nothing of hsc, to the pixels that HDF5 wrote."""

from __future__ import annotations

import struct

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numcodecs import blosc

from hsc.transcode import MalformedChunkError, rewrap

DTYPES = ("u1", "u2", "u4", "f4", "i8", "c16")
KINDS = ("random", "constant", "sparse", "counts", "ramp")

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def pixels(kind: str, count: int, dtype: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    size = np.dtype(dtype).itemsize
    if kind == "random":  # incompressible
        return np.frombuffer(rng.bytes(count * size), dtype)
    if kind == "constant":
        return np.full(count, 7, dtype)
    if kind == "sparse":
        return np.where(rng.random(count) < 0.001, 200, 0).astype(dtype)
    if kind == "counts":
        return rng.poisson(2, count).astype(dtype)
    return np.arange(count).astype(dtype)


def same_bits(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes()


def decoded(frame: bytes, dtype: str) -> np.ndarray:
    return np.frombuffer(blosc.decompress(frame), dtype)


@shared
@given(
    kind=st.sampled_from(KINDS),
    dtype=st.sampled_from(DTYPES),
    count=st.integers(1, 20_000),
    blocks=st.sampled_from([0, 8, 16, 64, 1000, 4096, 65_536]),
    seed=st.integers(0, 3),
)
@example(kind="counts", dtype="u2", count=7, blocks=0, seed=0)
@example(kind="counts", dtype="u2", count=4096 + 13, blocks=4096, seed=0)
@example(kind="random", dtype="u4", count=2048 * 3 + 1, blocks=2048, seed=0)
def test_a_rewrapped_chunk_decodes_to_the_same_bits(write_chunk, kind, dtype, count, blocks, seed):
    array = pixels(kind, count, dtype, seed)
    chunk = write_chunk(array, blocks)
    frame = rewrap(chunk, array.nbytes, array.itemsize)
    # Only a block as long as its content may be left to the recode way.
    assert frame is not None or has_ambiguous_block(chunk, array)
    if frame is not None:
        assert same_bits(decoded(frame, dtype), array)


def has_ambiguous_block(chunk: bytes, array: np.ndarray) -> bool:
    """Walk a chunk as its format is specified, apart from hsc."""
    size, block = struct.unpack_from(">QI", chunk)
    position, rest = 12, size // array.itemsize
    while rest >= 8:
        elements = min(block // array.itemsize, rest - rest % 8)
        (stored,) = struct.unpack_from(">I", chunk, position)
        if stored == elements * array.itemsize:
            return True
        position += 4 + stored
        rest -= elements
    return False


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4", "i8"])
@pytest.mark.parametrize("shape", [(1, 37, 53), (2, 64, 64), (5,), (1, 103, 107)])
def test_stock_zarr_reads_a_rewrapped_chunk(write_chunk, read_by_zarr, dtype, shape):
    array = pixels("counts", int(np.prod(shape)), dtype).reshape(shape)
    frame = rewrap(write_chunk(array), array.nbytes, array.itemsize)
    assert frame is not None
    assert same_bits(read_by_zarr(frame, shape, array.dtype), array)


def test_a_block_as_long_as_its_content_is_left_to_the_recode_way():
    array = np.arange(64, dtype="u2")
    head = struct.pack(">QI", array.nbytes, array.nbytes)
    chunk = head + struct.pack(">I", array.nbytes) + bytes(array.nbytes)
    assert rewrap(chunk, array.nbytes, 2) is None
    # Likewise the shuffled part of a last block that has elements left over.
    short = head[:8] + struct.pack(">I", 256) + struct.pack(">I", 112) + bytes(112 + 6)
    with pytest.raises(MalformedChunkError):
        rewrap(struct.pack(">Q", 118) + short[8:], 118, 2)


def test_such_blocks_occur_in_real_data(write_chunk):
    rng = np.random.default_rng(0)
    met = 0
    for same in range(40, 200):
        array = rng.integers(0, 256, 256).astype("u1")
        array[:same] &= 0x3F  # two bit planes are partly zero, so that the block is compressible
        chunk = write_chunk(array, 256)
        if has_ambiguous_block(chunk, array):
            met += 1
            assert rewrap(chunk, 256, 1) is None
    assert met


def sure(chunk: bytes, array: np.ndarray) -> None:
    """Rewrap what may be malformed: an error, a refusal, or the same pixels."""
    try:
        frame = rewrap(chunk, array.nbytes, array.itemsize)
        if frame is not None:
            assert same_bits(decoded(frame, array.dtype.str), array)
    except (MalformedChunkError, RuntimeError):
        # RuntimeError: the frame does not decode, which a reader is told.
        return


@pytest.mark.parametrize(("count", "blocks"), [(300, 64), (256, 64), (21, 0), (5, 0)])
def test_a_chunk_cut_off_anywhere_is_malformed(write_chunk, count, blocks):
    array = pixels("counts", count, "u2")
    chunk = write_chunk(array, blocks)
    for length in range(len(chunk)):
        with pytest.raises(MalformedChunkError):
            rewrap(chunk[:length], array.nbytes, 2)


def test_bytes_after_the_last_block_are_malformed(write_chunk):
    array = pixels("counts", 300, "u2")
    chunk = write_chunk(array, 64)
    with pytest.raises(MalformedChunkError, match="follow the last block"):
        rewrap(chunk + b"\0", array.nbytes, 2)


@pytest.mark.parametrize(("count", "blocks"), [(300, 64), (256, 64), (4096 * 3, 0), (5, 0)])
def test_a_flipped_bit_of_a_header_is_an_error_or_harmless(write_chunk, count, blocks):
    array = pixels("counts", count, "u2")
    chunk = write_chunk(array, blocks)
    # The chunk's header and the first block's size; fewer than 8 elements make no block.
    for bit in range(8 * (16 if count >= 8 else 12)):
        sure(flip(chunk, bit), array)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@shared
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_flipped_payload_byte_never_crashes_and_reads_as_hdf5_itself_reads_it(
    write_chunk, tmp_path_factory, position, value
):
    # Such a byte cannot be noticed without decoding; HDF5 gives the same wrong pixels, or fails.
    array = pixels("counts", 300, "u2")
    chunk = bytearray(write_chunk(array, 64))
    chunk[12 + position % (len(chunk) - 12)] = value
    try:
        frame = rewrap(bytes(chunk), array.nbytes, 2)
        ours = None if frame is None else decoded(frame, "u2")
    except (MalformedChunkError, RuntimeError):
        return
    if ours is not None:
        path = tmp_path_factory.getbasetemp() / "flipped.h5"
        with h5py.File(path, "w") as file:
            stack = file.create_dataset(
                "d", (300,), "u2", chunks=(300,), **hdf5plugin.Bitshuffle(nelems=64, cname="lz4")
            )
            stack.id.write_direct_chunk((0,), bytes(chunk))
            assert same_bits(ours, stack[:])


@given(data=st.binary(max_size=200), nbytes=st.integers(0, 10_000), size=st.sampled_from([1, 2, 8]))
def test_bytes_of_any_kind_never_crash_it(data, nbytes, size):
    array = np.zeros(nbytes // size, f"u{size}")
    try:
        rewrap(data, array.nbytes, size)
    except MalformedChunkError:
        return


@pytest.mark.parametrize("block", [0, 1, 15, 2**32 - 1])
def test_a_block_size_that_is_no_multiple_of_eight_elements_is_malformed(block):
    with pytest.raises(MalformedChunkError):
        rewrap(struct.pack(">QI", 64, block) + bytes(64), 64, 2)


def test_a_huge_block_size_takes_no_memory(write_chunk):
    array = pixels("counts", 300, "u2")
    chunk = bytearray(write_chunk(array, 512))
    chunk[8:12] = struct.pack(">I", 2**32 - 16)
    frame = rewrap(bytes(chunk), array.nbytes, 2)
    assert frame is not None
    assert same_bits(decoded(frame, "u2"), array)


@pytest.mark.parametrize("said", [598, 602, 0, 2**40])
def test_a_header_of_another_size_than_the_dataset_is_malformed(write_chunk, said):
    chunk = bytearray(write_chunk(pixels("counts", 300, "u2"), 64))
    chunk[:8] = struct.pack(">Q", said)
    with pytest.raises(MalformedChunkError, match="header says"):
        rewrap(bytes(chunk), 600, 2)
