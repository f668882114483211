"""Chunks encode and decode to the same bits, the same way every time, and for stock readers too."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsc.model import Way
from hsc.store import blosc
from hsc.transcode import Filter, choose_travel, decode_chunk, encode_chunk

NUMBERS = ("bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
ZSTD = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}


@given(
    data=st.data(),
    dtype=st.sampled_from(NUMBERS),
    order=st.sampled_from("<>"),
    compress=st.booleans(),
    cname=st.sampled_from(["zstd", "lz4"]),
)
def test_numbers_come_back_bit_for_bit(data, dtype, order, compress, cname):
    kind = np.dtype(dtype).newbyteorder(order)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=9))
    # From bytes, so that every NaN payload and -0.0 occurs.
    count = int(np.prod(shape))
    raw = data.draw(st.binary(min_size=count * kind.itemsize, max_size=count * kind.itemsize))
    array = np.frombuffer(raw, kind).reshape(shape)
    if dtype == "bool":
        array = (np.frombuffer(raw, "u1") & 1).astype(bool).reshape(shape)
    compressor = blosc(cname, 1, kind.itemsize) if compress else None
    back = decode_chunk(encode_chunk(array, compressor), kind.name, shape, compressor)
    assert back.shape == shape
    assert back.tobytes() == array.astype(kind.newbyteorder("<")).tobytes()


def test_a_nan_payload_and_a_negative_zero_survive():
    bits = np.array([0x7FF8DEADBEEF0001, 0xFFF0000000000001, 1 << 63], "u8")
    array = bits.view("f8")
    back = decode_chunk(
        encode_chunk(array, blosc("zstd", 1, 8)), "float64", (3,), blosc("zstd", 1, 8)
    )
    assert np.array_equal(back.view("u8"), bits)


@given(
    texts=st.lists(st.text(st.characters(blacklist_categories=("Cs",))), min_size=1, max_size=12)
)
def test_text_comes_back(texts):
    array = np.array([*texts, "\0a\0"], object)
    back = decode_chunk(encode_chunk(array, ZSTD), "string", array.shape, ZSTD)
    assert back.tolist() == array.tolist()


def test_the_same_pixels_give_the_same_bytes_each_time_and_on_any_thread():
    array = np.random.default_rng(0).integers(0, 50, 4_000_000).astype("u4")
    compressor = blosc("zstd", 1, 4)
    encoded = [encode_chunk(array, compressor) for _ in range(4)]
    thread = threading.Thread(target=lambda: encoded.append(encode_chunk(array, compressor)))
    thread.start()
    thread.join()
    assert len(encoded) == 5
    assert len(set(encoded)) == 1


def bitshuffle(itemsize: int, compressor: int = 2) -> Filter:
    return Filter(32008, (0, 3, itemsize, 0, compressor))


def choose(*filters: Filter, itemsize: int = 2, little_endian: bool = True, dtype: str = "uint16"):
    return choose_travel(filters, dtype=dtype, itemsize=itemsize, little_endian=little_endian)


def test_bitshuffle_lz4_alone_is_rewrapped():
    travel = choose(bitshuffle(2))
    assert travel.way is Way.REWRAP
    assert travel.compressor is not None
    assert travel.compressor["configuration"]["typesize"] == 2


@pytest.mark.parametrize(
    "filters",
    [
        (Filter(2, (2,)), bitshuffle(2)),
        (Filter(3, ()), bitshuffle(2)),
        (bitshuffle(2, compressor=0),),
        (bitshuffle(4),),
        (Filter(32008, (0, 3, 2)),),
        (Filter(1, (4,)),),
    ],
)
def test_everything_else_is_recoded(filters):
    assert choose(*filters).way is Way.RECODE


def test_text_is_recoded():
    assert choose(bitshuffle(2), dtype="string").way is Way.RECODE
