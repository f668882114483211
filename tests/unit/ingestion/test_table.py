"""Every row of the table: what h5py and its plug-ins wrote, stock zarr reads, bit for bit."""

from __future__ import annotations

import ctypes

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr

from hsc.errors import DamagedSourceError
from hsc.model import Way
from hsc.store import CheckedStore, ChunkState

DTYPES = ("|u1", "<u2", "<u4", "<i2", "<i8", "<f4", "<f8", ">u2", ">i4", ">f8")
BLOSC = hdf5plugin.Blosc
UNDECODED = {
    "none": ({}, Way.PASSTHROUGH),
    "blosc-lz4": (BLOSC(cname="lz4", shuffle=BLOSC.SHUFFLE), Way.PASSTHROUGH),
    "blosc-zstd": (BLOSC(cname="zstd", shuffle=BLOSC.BITSHUFFLE), Way.PASSTHROUGH),
    "blosc-zlib": (BLOSC(cname="zlib", clevel=9, shuffle=BLOSC.NOSHUFFLE), Way.PASSTHROUGH),
    "blosc-blosclz": (BLOSC(cname="blosclz"), Way.PASSTHROUGH),
    "zstd": (hdf5plugin.Zstd(clevel=5), Way.PASSTHROUGH),
    "bitshuffle-lz4": (hdf5plugin.Bitshuffle(cname="lz4"), Way.REWRAP),
    "bitshuffle-lz4-blocks": (hdf5plugin.Bitshuffle(nelems=64, cname="lz4"), Way.REWRAP),
    "bitshuffle-zstd": (hdf5plugin.Bitshuffle(cname="zstd"), Way.REWRAP),
    "lz4": (hdf5plugin.LZ4(), Way.REWRAP),
    "lz4-blocks": (hdf5plugin.LZ4(nbytes=512), Way.REWRAP),
}
DECODED = {
    "deflate": {"compression": "gzip"},
    "deflate-shuffle": {"compression": "gzip", "shuffle": True},
    "lzf": {"compression": "lzf"},
    "lzf-shuffle": {"compression": "lzf", "shuffle": True},
    "shuffle": {"shuffle": True},
    "shuffle-blosc": {"shuffle": True, **BLOSC(cname="lz4")},
    "shuffle-zstd": {"shuffle": True, **hdf5plugin.Zstd()},
    "shuffle-lz4": {"shuffle": True, **hdf5plugin.LZ4()},
    "shuffle-bitshuffle": {"shuffle": True, **hdf5plugin.Bitshuffle(cname="zstd")},
    "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
    "blosc-snappy": BLOSC(cname="snappy"),
    "blosc2": hdf5plugin.Blosc2(cname="zstd"),
}  # fmt: skip


def pixels(dtype: str, shape=(5, 61, 47)) -> np.ndarray:
    values = np.random.default_rng(3).poisson(2, shape)
    values[2] = np.random.default_rng(4).integers(0, 100, shape[1:])
    return values.astype(dtype)


def write(path, values, chunks=(2, 61, 47), **kind):
    with h5py.File(path, "w") as file:
        file.create_dataset("d", data=values, chunks=chunks, **kind)


def check(made, values, expected: Way) -> None:
    (planned,) = made.plan.arrays
    assert planned.spec.way == expected
    for array in (
        zarr.open_group(made.tree, mode="r")["d"],
        zarr.open_group(CheckedStore(made.folder.as_uri()), mode="r")["d"],
    ):
        read = np.asarray(array[...])
        assert read.tobytes() == values.astype(read.dtype).tobytes()
        assert read.dtype.newbyteorder("=") == values.dtype.newbyteorder("=")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", UNDECODED)
def test_rows_that_travel_undecoded(tmp_path, ingest, row, dtype):
    kind, expected = UNDECODED[row]
    values = pixels(dtype)
    write(tmp_path / "a.h5", values, **kind)
    check(ingest(tmp_path / "a.h5"), values, expected)


@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u4", "<f8"])
@pytest.mark.parametrize("row", UNDECODED)
def test_a_checksum_that_follows_is_checked_and_left_behind(tmp_path, ingest, row, dtype):
    kind, expected = UNDECODED[row]
    values = pixels(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=values, chunks=(2, 61, 47), fletcher32=True, **kind)
        filters = file["d"].id.get_create_plist()
        last = filters.get_filter(filters.get_nfilters() - 1)[0]
    # h5py puts the checksum first when the filter is not its own: then it is decoded.
    made = ingest(tmp_path / "a.h5")
    check(made, values, expected if last == h5py.h5z.FILTER_FLETCHER32 else Way.RECODE)


@pytest.mark.parametrize("row", ["none", "blosc-lz4", "zstd", "bitshuffle-lz4", "lz4"])
def test_a_wrong_checksum_is_named(tmp_path, ingest, row):
    values = pixels("<u2")
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((2, 61, 47))
    kind = UNDECODED[row][0]
    if kind:
        plist.set_filter(kind["compression"], 0, kind["compression_opts"])
    plist.set_fletcher32()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        space = h5py.h5s.create_simple(values.shape)
        made = h5py.h5d.create(file.id, b"d", h5py.h5t.NATIVE_UINT16, space, plist)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
    check(ingest(tmp_path / "a.h5"), values, UNDECODED[row][1])
    with h5py.File(tmp_path / "a.h5", "a") as file:
        mask, chunk = file["d"].id.read_direct_chunk((2, 0, 0))
        chunk = bytearray(chunk)
        chunk[len(chunk) // 2] ^= 1
        file["d"].id.write_direct_chunk((2, 0, 0), bytes(chunk), mask)
    with pytest.raises(DamagedSourceError, match=r"chunk \(1, 0, 0\).*checksum"):
        ingest(tmp_path / "a.h5")


def test_a_checksum_with_its_halves_turned_as_old_hdf5_wrote_it_is_right(tmp_path, ingest):
    values = pixels("<u2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", data=values, chunks=(2, 61, 47), fletcher32=True)
        for place in ((0, 0, 0), (2, 0, 0)):
            mask, chunk = made.id.read_direct_chunk(place)
            told = chunk[-4:]
            turned = bytes((told[1], told[0], told[3], told[2]))
            assert turned != told
            made.id.write_direct_chunk(place, chunk[:-4] + turned, mask)
    with h5py.File(tmp_path / "a.h5") as file:
        assert (file["d"][...] == values).all()
    check(ingest(tmp_path / "a.h5"), values, Way.PASSTHROUGH)


PIPELINES = {
    "shuffle": ((2, ()),),
    "shuffle-deflate": ((2, ()), (1, (3,))),
    "checksum": ((3, ()),),
    "bitshuffle": ((32008, (0, 0)),),
    "bitshuffle-lz4": ((32008, (0, 2)),),
    "blosc": ((32001, (2, 2, 4, 0, 5, 1, 1)),),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_edge_chunks_that_hdf5_was_told_to_leave_unfiltered(tmp_path, ingest, name):
    library = ctypes.CDLL(h5py.h5d.__file__)
    if not hasattr(library, "H5Pset_chunk_opts"):
        pytest.skip("h5py's HDF5 can't be reached here")
    values = pixels("<u4", (300, 290))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((160, 160))
    for code, settings in PIPELINES[name]:
        plist.set_filter(code, 0, settings)
    assert library.H5Pset_chunk_opts(ctypes.c_int64(plist.id), ctypes.c_uint(2)) >= 0
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        space = h5py.h5s.create_simple(values.shape)
        made = h5py.h5d.create(file.id, b"d", h5py.h5t.NATIVE_UINT32, space, plist)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
    made = ingest(tmp_path / "a.h5")
    (planned,) = made.plan.arrays
    assert planned.columns is not None
    check(made, values, planned.spec.way)


@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u4", "<f8"])
@pytest.mark.parametrize("row", DECODED)
def test_rows_that_are_decoded(tmp_path, ingest, row, dtype):
    values = pixels(dtype, (5, 261, 147))
    write(tmp_path / "a.h5", values, (2, 261, 147), **DECODED[row])
    check(ingest(tmp_path / "a.h5"), values, Way.RECODE)


@pytest.mark.parametrize(
    "kind",
    [{"compression": "szip"}, {"scaleoffset": 4}, {"compression": "szip", "fletcher32": True}],
)
def test_filters_that_only_hdf5_has(tmp_path, ingest, kind):
    values = pixels("<i4", (4, 200, 100)) % 9
    write(tmp_path / "a.h5", values, (1, 200, 100), **kind)
    check(ingest(tmp_path / "a.h5"), values, Way.RECODE)


@pytest.mark.parametrize("row", [*UNDECODED, "deflate-shuffle"])
@pytest.mark.parametrize("dtype", ["<u2", ">u4"])
def test_a_chunk_that_skipped_all_filters_is_recoded_alone(tmp_path, ingest, row, dtype):
    kind, expected = UNDECODED.get(row, (DECODED.get(row), Way.RECODE))
    values = pixels(dtype, (4, 161, 147))
    write(tmp_path / "a.h5", values, (1, 161, 147), **kind)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        filters = file["d"].id.get_create_plist().get_nfilters()
        plain = values[2:3].tobytes()
        file["d"].id.write_direct_chunk((2, 0, 0), plain, filter_mask=2**filters - 1)
    check(ingest(tmp_path / "a.h5"), values, expected)


def test_a_chunk_that_skipped_one_filter_of_two_is_right(tmp_path, ingest):
    values = pixels("<u4", (3, 161, 147))
    write(tmp_path / "a.h5", values, (1, 161, 147), compression="gzip", shuffle=True)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        planes = np.ascontiguousarray(values[1].view("u1").reshape(-1, 4).T).tobytes()
        file["d"].id.write_direct_chunk((1, 0, 0), planes, filter_mask=2)  # shuffled only
    check(ingest(tmp_path / "a.h5"), values, Way.RECODE)


@pytest.mark.parametrize("dtype", ["|u1", ">u2", "<f8", "<c16", "|b1"])
@pytest.mark.parametrize(
    "shape", [(), (1,), (5,), (3_000_000,), (7, 200, 300), (3, 5, 700, 900), (2, 3_000_001)]
)
def test_data_without_chunks_is_read_as_it_lies(tmp_path, ingest, shape, dtype):
    count = int(np.prod(shape))
    values = np.random.default_rng(0).integers(0, 2, count).astype(dtype).reshape(shape)
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file["other"] = 1
        file["d"] = values
        del file["other"]
    check(ingest(tmp_path / "a.h5"), values, Way.PASSTHROUGH)


def test_data_without_chunks_that_were_never_written_are_empty(tmp_path, ingest):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", (40, 50, 60), "i4", fillvalue=-7)
    made = ingest(tmp_path / "a.h5")
    check(made, np.full((40, 50, 60), -7, "i4"), Way.PASSTHROUGH)
    states = [e.chunks.states for e in made.manifest.entries if "/d/c" in e.key]
    assert states
    assert not np.concatenate(states).any()


@pytest.mark.parametrize("storage", [h5py.h5d.COMPACT])
def test_compact_data_goes_through_hdf5(tmp_path, ingest, storage):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(storage)
    values = np.arange(30, dtype="<i4")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        space = h5py.h5s.create_simple(values.shape)
        made = h5py.h5d.create(file.id, b"d", h5py.h5t.STD_I32LE, space, plist)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
    check(ingest(tmp_path / "a.h5"), values, Way.RECODE)


def test_chunks_that_would_hurt_are_joined(tmp_path, ingest):
    values = np.arange(5000, dtype="<f8")
    write(tmp_path / "a.h5", values, (1,))
    made = ingest(tmp_path / "a.h5")
    check(made, values, Way.RECODE)
    assert made.plan.arrays[0].spec.chunks[0] >= 5000


def test_sparse_chunks_stay_absent(tmp_path, ingest):
    values = np.full((9, 70, 80), 5, "<u2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kind = UNDECODED["zstd"][0]
        made = file.create_dataset(
            "d", values.shape, "<u2", chunks=(1, 70, 80), fillvalue=5, **kind
        )
        made[4] = values[4] = np.arange(5600).reshape(70, 80)
    made = ingest(tmp_path / "a.h5")
    check(made, values, Way.PASSTHROUGH)
    states = np.concatenate([e.chunks.states for e in made.manifest.entries if "/d/c" in e.key])
    assert (states == ChunkState.DATA).sum() == 1


@pytest.mark.parametrize("row", ["none", "bitshuffle-lz4", "zstd"])
def test_chunks_that_lie_in_another_order_in_the_file_find_their_places(tmp_path, ingest, row):
    kind, expected = UNDECODED[row]
    values = np.arange(12 * 4096, dtype="<u4").reshape(12, 64, 64)
    order = [0, 2, 1, 3, 4, 8, 6, 7, 5, 9, 10, 11]  # the first and the last are in place
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        made = file.create_dataset("d", values.shape, "<u4", chunks=(1, 64, 64), **kind)
        for number in order:
            made[number] = values[number]
        where = [made.id.get_chunk_info(number) for number in range(12)]
        stored = sum(chunk.size for chunk in where)
        assert where[-1].byte_offset + where[-1].size - where[0].byte_offset == stored
    check(ingest(tmp_path / "a.h5"), values, expected)
