"""Frames of bitshuffled LZ4 blocks: unpacked as numcodecs decodes them, or left to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs import blosc

from hsc.transcode import decode_into, unpack_into
from hsc.transcode.bitshuffle import rewrap_blocks
from hsc.transcode.blosc_format import LZ4_FORMAT
from hsc.transcode.planes import unshuffle_bits
from hsc.transcode.shuffling import shuffle_bits
from hsc.transcode.unpacking import lz4_address, unpack

BLOSC = {"name": "blosc", "configuration": {"cname": "lz4"}}
needs_lz4 = pytest.mark.skipif(not lz4_address(), reason="numcodecs hides its LZ4")


def pixels(seed: int, count: int, dtype: str, spread: int) -> np.ndarray:
    """Give counts as a detector has them: most small, some of all sizes."""
    drawn = np.random.default_rng(seed)
    found = drawn.poisson(spread, count).astype(np.int64)
    rare = drawn.random(count) < 0.01
    found[rare] = drawn.integers(0, 2**62, rare.sum())
    return found.astype(dtype)


def framed(array: np.ndarray, block: int, shuffle: int = 2, name: bytes = b"lz4") -> bytes:
    raw = array.view(np.uint8)
    return bytes(blosc.compress(raw, name, 5, shuffle, block, array.itemsize))


def unpacked(frame: bytes, nbytes: int) -> np.ndarray | None:
    target = np.full(nbytes + 64, 0xA5, np.uint8)
    done = unpack(np.frombuffer(frame, np.uint8), target[:nbytes], lz4_address())
    assert np.all(target[nbytes:] == 0xA5), "it wrote behind the target"
    return target[:nbytes] if done else None


@pytest.mark.parametrize("itemsize", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("elements", [8, 248, 256, 264, 512, 520, 4096, 4104])
def test_bits_come_back_to_their_elements(itemsize, elements):
    size = elements * itemsize
    raw = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    planes, target = np.zeros(size + 3, np.uint8), np.full(size + 10, 0xA5, np.uint8)
    shuffle_bits(raw, 0, planes, 3, elements, itemsize)
    unshuffle_bits(planes, 3, target, 5, elements, itemsize)
    assert np.array_equal(target[5:-5], raw)
    assert np.all(target[:5] == 0xA5)
    assert np.all(target[-5:] == 0xA5)


@needs_lz4
@given(
    dtype=st.sampled_from(["u1", "<u2", "<u4", "<i4", "<u8", "<f8"]),
    count=st.integers(1, 40_000),
    spread=st.sampled_from([0, 1, 100, 60_000]),
    block=st.sampled_from([0, 8192, 65536]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_frame_is_unpacked_as_numcodecs_decodes_it(dtype, count, spread, block, seed):
    array = pixels(seed, count, dtype, spread)
    frame = framed(array, block)
    found = unpacked(frame, array.nbytes)
    if found is not None:
        assert found.tobytes() == array.tobytes()
    target = np.empty_like(array)
    assert unpack_into(frame, target, BLOSC)
    assert target.tobytes() == array.tobytes()


@needs_lz4
@pytest.mark.parametrize("dtype", ["u1", "<u2", "<u4", "<f8"])
def test_pictures_of_a_detector_are_unpacked_here(dtype):
    array = pixels(7, 100_000, dtype, 3)
    assert unpacked(framed(array, 8192), array.nbytes) is not None


@needs_lz4
@pytest.mark.parametrize("left_over", [0, 1, 7, 8, 9])
def test_a_rewrapped_chunk_is_unpacked_with_its_left_over_elements(write_chunk, left_over):
    array = pixels(left_over, 4096 + left_over, "<u2", 3)
    chunk = write_chunk(array, 2048)
    source, target = np.frombuffer(chunk, np.uint8), np.empty(40_000, np.uint8)
    length = rewrap_blocks(
        source, 0, source.size, target, 0, array.nbytes, 2, LZ4_FORMAT, shuffled=True
    )
    assert length > 0
    found = unpacked(target[:length].tobytes(), array.nbytes)
    assert found is not None
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("shuffle", "name"), [(0, b"lz4"), (1, b"lz4"), (2, b"zstd"), (2, b"zlib"), (2, b"blosclz")]
)
def test_other_frames_are_left_to_numcodecs(shuffle, name):
    array = pixels(3, 10_000, "<u2", 3)
    frame = framed(array, 8192, shuffle, name)
    assert unpacked(frame, array.nbytes) is None
    target = np.empty_like(array)
    assert unpack_into(frame, target, BLOSC)
    assert np.array_equal(target, array)


@needs_lz4
@given(
    place=st.integers(0, 3999),
    value=st.integers(0, 255),
    cut=st.integers(0, 3),
    seed=st.integers(0, 50),
)
def test_a_damaged_frame_gives_what_numcodecs_makes_of_it_or_nothing(place, value, cut, seed):
    array = pixels(seed, 20_000, "<u2", 3)
    frame = bytearray(framed(array, 8192))
    # Header and offsets are the more often hit, for they decide where is read.
    place = place % (80 if place % 2 else len(frame))
    frame[place] = value
    damaged = bytes(frame[: len(frame) - cut])
    found = unpacked(damaged, array.nbytes)
    theirs = np.empty_like(array)
    try:
        filled = decode_into(damaged, theirs, BLOSC)
    except (RuntimeError, ValueError):
        filled = None
    if found is not None:
        assert filled
        assert found.tobytes() == theirs.tobytes()
    ours = np.empty_like(array)
    try:
        done = unpack_into(damaged, ours, BLOSC)
    except (RuntimeError, ValueError):
        done = None
    assert done == filled


def test_without_the_decoder_of_lz4_no_frame_is_unpacked_here():
    array = pixels(7, 10_000, "<u2", 3)
    frame = np.frombuffer(framed(array, 8192), np.uint8)
    assert not unpack(frame, np.empty(array.nbytes, np.uint8), 0)


def test_a_frame_of_nothing_is_told_as_numcodecs_tells_it():
    for frame in (b"", b"\x02\x01\x35"):
        with pytest.raises(ValueError, match="cut short"):
            unpack_into(frame, np.empty(4, np.uint16), BLOSC)
