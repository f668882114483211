"""Chunks there and back: what was rewrapped comes back with the bytes that HDF5 wrote."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numcodecs import blosc

from hsc.transcode import Filter, Row, decode_filters, encode_chunk, return_chunk, rewrap

KINDS = {
    Row.BLOSC: hdf5plugin.Blosc(cname="lz4", shuffle=hdf5plugin.Blosc.SHUFFLE),
    Row.ZSTD: hdf5plugin.Zstd(),
    Row.BITSHUFFLE_LZ4: hdf5plugin.Bitshuffle(nelems=64, cname="lz4"),
    Row.BITSHUFFLE_ZSTD: hdf5plugin.Bitshuffle(nelems=64, cname="zstd"),
    Row.LZ4: hdf5plugin.LZ4(nbytes=256),
}
shared = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@shared
@given(
    row=st.sampled_from(list(KINDS)),
    dtype=st.sampled_from(["u1", "u2", "<u4", ">f8", "c16"]),
    count=st.integers(1, 5000),
    seed=st.integers(0, 3),
    summed=st.booleans(),
)
@example(row=Row.BITSHUFFLE_LZ4, dtype="u2", count=7, seed=0, summed=False)
@example(row=Row.BITSHUFFLE_LZ4, dtype="u2", count=4099, seed=0, summed=True)
@example(row=Row.LZ4, dtype="<u4", count=4099, seed=0, summed=True)
def test_a_chunk_comes_back_with_the_bytes_that_hdf5_wrote(row, dtype, count, seed, summed):
    array = values_of(count, dtype, seed)
    kind = {**KINDS[row], **({"fletcher32": True} if summed else {})}
    chunk, filters = written(array, kind)
    plain = chunk[:-4] if summed else chunk
    # A filter leaves out what it can't make smaller; some blocks are left to the recode way.
    frame = None if plain == array.tobytes() else rewrap(plain, array.nbytes, array.itemsize, row)
    if frame is not None:
        back = returned(row, frame, array, filters, summed)
        assert back is not None
        assert back.tobytes() == chunk


@shared
@given(
    row=st.sampled_from([Row.BITSHUFFLE_LZ4, Row.BITSHUFFLE_ZSTD, Row.LZ4]),
    dtype=st.sampled_from(["u1", "u2", "<u4", "c16"]),
    count=st.integers(1, 5000),
    seed=st.integers(0, 3),
)
def test_a_frame_that_blosc_made_comes_back_as_the_same_elements(row, dtype, count, seed):
    array = values_of(count, dtype, seed)
    _, filters = written(array, KINDS[row])
    cname = "zstd" if row is Row.BITSHUFFLE_ZSTD else "lz4"
    shuffle = "noshuffle" if row is Row.LZ4 else "bitshuffle"
    settings = {"cname": cname, "clevel": 5, "shuffle": shuffle, "blocksize": 512}
    codec = {"name": "blosc", "configuration": {**settings, "typesize": array.itemsize}}
    frame = encode_chunk(array, codec)
    assert blosc.decompress(frame) == array.tobytes()
    back = returned(row, frame, array, filters, False)
    if back is not None:
        plain = decode_filters(back, filters, 0, array.nbytes)
        assert plain is not None
        assert plain.tobytes() == array.tobytes()


@shared
@given(
    row=st.sampled_from([Row.BITSHUFFLE_LZ4, Row.BITSHUFFLE_ZSTD, Row.LZ4]),
    count=st.integers(1, 700),
    place=st.integers(0, 2000),
    value=st.integers(0, 255),
    cut=st.integers(0, 2000),
)
def test_a_frame_that_is_none_is_left_alone_and_nothing_is_read_beyond_it(
    row, count, place, value, cut
):
    array = values_of(count, "u2")
    chunk, filters = written(array, KINDS[row])
    frame = None if chunk == array.tobytes() else rewrap(chunk, array.nbytes, 2, row)
    if frame is None:
        return
    mutated = bytearray(frame[: max(1, len(frame) - cut % len(frame))])
    mutated[place % len(mutated)] = value
    back = returned(row, bytes(mutated), array, filters, False)
    assert back is None or len(back) <= len(frame) + 64


@pytest.mark.parametrize("row", [Row.BITSHUFFLE_LZ4, Row.LZ4])
def test_hdf5_reads_a_chunk_that_came_back(row, tmp_path):
    array = values_of(4099, "u2")
    chunk, filters = written(array, KINDS[row])
    frame = rewrap(chunk, array.nbytes, 2, row)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", array.shape, "u2", chunks=array.shape, **KINDS[row])
        made.id.write_direct_chunk((0,), returned(row, frame, array, filters, False))
        assert np.array_equal(made[...], array)


def values_of(count: int, dtype: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(2, count).astype(dtype)


def written(array: np.ndarray, kind) -> tuple[bytes, tuple[Filter, ...]]:
    """Give a chunk as HDF5 writes it, and its pipeline."""
    with h5py.File("none.h5", "w", driver="core", backing_store=False) as file:
        made = file.create_dataset("d", data=array, chunks=array.shape, **kind)
        plist = made.id.get_create_plist()
        stages = [plist.get_filter(n) for n in range(plist.get_nfilters())]
        filters = tuple(Filter(stage[0], tuple(stage[2])) for stage in stages)
        return made.id.read_direct_chunk((0,))[1], filters


def returned(row, frame, array, filters, summed):
    return return_chunk(
        row,
        np.frombuffer(frame, np.uint8),
        nbytes=array.nbytes,
        itemsize=array.itemsize,
        filters=filters,
        summed=summed,
    )
