"""Chunks of every row, whole and mutated: the same bits, a refusal by name, never a crash."""

from __future__ import annotations

import google_crc32c
import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numcodecs import blosc, zstd

from hsc.transcode import (
    Filter,
    MalformedChunkError,
    Row,
    carry_chunks,
    decode_filters,
    rewrap,
    room_needed,
)
from hsc.transcode.checksums import _crc_by_tables, crc32c, fletcher32

KINDS = {
    Row.BLOSC: hdf5plugin.Blosc(cname="lz4", shuffle=hdf5plugin.Blosc.SHUFFLE),
    Row.ZSTD: hdf5plugin.Zstd(),
    Row.BITSHUFFLE_LZ4: hdf5plugin.Bitshuffle(nelems=64, cname="lz4"),
    Row.BITSHUFFLE_ZSTD: hdf5plugin.Bitshuffle(nelems=64, cname="zstd"),
    Row.LZ4: hdf5plugin.LZ4(nbytes=256),
}
OTHERS = {
    "deflate": {"compression": "gzip", "shuffle": True},
    "lzf": {"compression": "lzf"},
    "none": hdf5plugin.Bitshuffle(cname="none"),
}
shared = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def values_of(count: int, dtype: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(2, count).astype(dtype)


def written(array: np.ndarray, kind) -> tuple[bytes, tuple[Filter, ...]]:
    """Give a chunk as HDF5 writes it, and its pipeline."""
    with (
        h5py.File.in_memory()
        if hasattr(h5py.File, "in_memory")
        else h5py.File("none.h5", "w", driver="core", backing_store=False) as file
    ):
        made = file.create_dataset("d", data=array, chunks=array.shape, **kind)
        plist = made.id.get_create_plist()
        stages = [plist.get_filter(n) for n in range(plist.get_nfilters())]
        filters = tuple(Filter(stage[0], tuple(stage[2])) for stage in stages)
        return made.id.read_direct_chunk((0,))[1], filters


def decoded(row: Row, frame: bytes) -> bytes:
    return zstd.decompress(frame) if row is Row.ZSTD else blosc.decompress(frame)


@shared
@given(
    row=st.sampled_from(list(KINDS)),
    dtype=st.sampled_from(["u1", "u2", "<u4", ">f8", "c16"]),
    count=st.integers(1, 3000),
    seed=st.integers(0, 2),
)
def test_a_chunk_of_any_row_decodes_to_the_same_bits(row, dtype, count, seed):
    array = values_of(count, dtype, seed)
    chunk, filters = written(array, KINDS[row])
    # A filter leaves out what it can't make smaller.
    skipped = chunk == array.tobytes()
    frame = None if skipped else rewrap(chunk, array.nbytes, array.itemsize, row)
    if frame is not None:
        assert decoded(row, frame) == array.tobytes()
    source = np.frombuffer(chunk, np.uint8)
    plain = decode_filters(source, filters, int(skipped), array.nbytes)
    assert plain is not None
    assert plain.tobytes() == array.tobytes()


@pytest.mark.parametrize("row", KINDS)
def test_most_chunks_need_no_recoding(row):
    count = 64 * 40 if row is Row.BITSHUFFLE_ZSTD else 2500
    chunk, _ = written(values_of(count, "u2"), KINDS[row])
    assert rewrap(chunk, 2 * count, 2, row) is not None


def mutated(data, chunk: bytes) -> bytes:
    changed = bytearray(chunk)
    for _ in range(data.draw(st.integers(1, 3))):
        # Headers are where it hurts.
        place = data.draw(st.one_of(st.integers(0, 40), st.integers(0, len(chunk) - 1)))
        changed[place % len(chunk)] = data.draw(st.integers(0, 255))
    return bytes(changed[: data.draw(st.sampled_from([None, -1, -5, len(chunk) // 2, 13]))])


@settings(parent=shared, max_examples=400)
@given(data=st.data(), row=st.sampled_from(list(KINDS)), count=st.sampled_from([7, 640, 1500]))
def test_a_mutated_chunk_is_refused_or_reads_as_its_own_filter_reads_it(data, row, count):
    array = values_of(count, "u2")
    chunk, filters = written(array, KINDS[row])
    chunk = mutated(data, chunk)
    try:
        frame = rewrap(chunk, array.nbytes, 2, row)
    except MalformedChunkError:
        return
    if frame is None:
        return
    try:
        ours = decoded(row, frame)
        theirs = decode_filters(np.frombuffer(chunk, np.uint8), filters, 0, array.nbytes)
    except (RuntimeError, MalformedChunkError):
        return  # a reader is told
    if theirs is not None:
        assert bytes(ours) == theirs.tobytes()


@settings(parent=shared, max_examples=300)
@given(data=st.data(), name=st.sampled_from(list(OTHERS)))
def test_a_mutated_chunk_is_decoded_whole_or_refused(data, name):
    array = values_of(600, "u2")
    chunk, filters = written(array, OTHERS[name])
    try:
        plain = decode_filters(
            np.frombuffer(mutated(data, chunk), np.uint8), filters, 0, array.nbytes
        )
    except MalformedChunkError:
        return
    assert plain is None or plain.size == array.nbytes


@settings(parent=shared, max_examples=300)
@given(
    data=st.binary(max_size=300),
    row=st.sampled_from(list(KINDS)),
    nbytes=st.integers(0, 5000),
    size=st.sampled_from([1, 2, 8]),
)
def test_bytes_of_any_kind_never_crash(data, row, nbytes, size):
    try:
        frame = rewrap(data, nbytes, size, row)
        if frame is not None:
            assert len(decoded(row, frame)) == nbytes
    except (MalformedChunkError, RuntimeError):
        return


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 1), (2, 0x05), (2, 0x08), (4, 99), (8, 0), (8, 255), (12, 3), (16, 0), (17, 255)],
)
def test_a_blosc_header_that_contradicts_its_dataset_is_malformed(place, value):
    array = values_of(600, "u2")
    chunk, _ = written(array, KINDS[Row.BLOSC])
    changed = bytearray(chunk)
    changed[place : place + 1] = bytes([value])
    if place == 8 and value == 255:
        changed[8:12] = (2**31).to_bytes(4, "little")
    with pytest.raises(MalformedChunkError):
        rewrap(bytes(changed), array.nbytes, 2, Row.BLOSC)


@pytest.mark.parametrize(("place", "value"), [(2, 0x41), (3, 4)])
def test_a_blosc_frame_that_readers_may_not_decode_is_recoded(place, value):
    array = values_of(600, "u2")
    changed = bytearray(written(array, KINDS[Row.BLOSC])[0])
    changed[place] = value  # snappy; another item size
    assert rewrap(bytes(changed), array.nbytes, 2, Row.BLOSC) is None


@pytest.mark.parametrize("count", [0, 1, 5, 200, 255, 256, 257, 65_791, 65_792, 70_000])
@pytest.mark.parametrize("checksum", [False, True])
def test_a_zstandard_frame_of_any_size_is_known(count, checksum):
    raw = np.random.default_rng(0).integers(0, 4, count).astype("u1").tobytes()
    frame = zstd.compress(raw, 1, checksum)
    assert rewrap(frame, count, 1, Row.ZSTD) == frame
    with pytest.raises(MalformedChunkError):
        rewrap(frame, count + 1, 1, Row.ZSTD)
    assert rewrap(frame + frame, count, 1, Row.ZSTD) is None
    for length in range(min(len(frame), 40)):
        with pytest.raises(MalformedChunkError):
            rewrap(frame[:length], count, 1, Row.ZSTD)


@pytest.mark.parametrize("row", [Row.RAW, *KINDS])
def test_too_little_room_is_said_and_nothing_is_written_beyond(row):
    array = values_of(640, "u2")
    chunk = array.tobytes() if row is Row.RAW else written(array, KINDS[row])[0]
    source = np.frombuffer(chunk, np.uint8)
    places, carried = np.array([[0, len(chunk)]], np.int64), np.zeros((1, 2), np.int64)
    wanted = room_needed(row, source, array.nbytes)
    for room in (0, 3, 20, len(chunk) - 1, wanted - 1, wanted):
        target = np.full(wanted + 64, 0xAB, np.uint8)
        done = carry_chunks(
            row, source, places, target[:room], carried, nbytes=array.nbytes, itemsize=2,
            summed=False, padded=False,
        )  # fmt: skip
        assert (target[room:] == 0xAB).all()
        assert not done.malformed
        assert done.count == 1 or room < wanted
    assert done.count == 1
    assert carried[0, 1] == google_crc32c.value(target[: carried[0, 0]].tobytes())


@given(data=st.binary(max_size=20_000), start=st.integers(0, 9))
def test_crc32c_is_that_of_others(data, start):
    part = np.frombuffer(data, np.uint8)
    start = min(start, len(data))
    wanted = google_crc32c.value(data[start:])
    assert crc32c(part, start, len(data)) == wanted
    assert _crc_by_tables(part, start, len(data)) == wanted


@shared
@given(count=st.integers(1, 5000), seed=st.integers(0, 9))
def test_fletcher32_is_that_of_hdf5(count, seed):
    array = np.random.default_rng(seed).integers(0, 256, count).astype("u1")
    chunk, _ = written(array, {"fletcher32": True})
    assert fletcher32(array, 0, count) == int.from_bytes(chunk[-4:], "little")


def test_bitshuffle_blocks_of_no_multiple_of_8_elements_are_malformed():
    chunk, (stage,) = written(np.arange(4096, dtype="<u2"), OTHERS["none"])
    crafted = Filter(stage.id, (*stage.values[:3], 3, *stage.values[4:]))
    with pytest.raises(MalformedChunkError, match="block size"):
        decode_filters(np.frombuffer(chunk, np.uint8), (crafted,), 0, 8192)


def test_a_bitshuffled_block_whose_zstandard_frame_is_of_another_size_is_malformed():
    kind = hdf5plugin.Bitshuffle(nelems=64, cname="zstd")
    chunk, filters = written(np.arange(64, dtype="<u2"), kind)
    short = zstd.compress(bytes(64), 3)
    crafted = chunk[:12] + len(short).to_bytes(4, "big") + short
    with pytest.raises(MalformedChunkError):
        decode_filters(np.frombuffer(crafted, np.uint8), filters, 0, 128)
