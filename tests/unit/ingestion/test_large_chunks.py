"""HDF5 chunks that are cut or joined: decoded once for a shard, and named when they are damaged."""

from __future__ import annotations

import zlib

import h5py
import numpy as np
import pytest
import zarr

from hsc.errors import DamagedSourceError
from hsc.ingestion.decoding import Regions, decoded_chunks
from hsc.ingestion.grid import inner_chunks, shard_shape
from hsc.ingestion.source import ArraySource, SourcePiece
from hsc.ingestion.tasks import ChunkLook, ShardTask

MB = 10**6


class Counting(ArraySource):
    """Counts the regions that are read of a large dataset, which is 7 everywhere."""

    def __init__(self) -> None:
        super().__init__(())
        self.regions: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.damaged_rows: range = range(0)

    def region(self, start, stop):
        self.regions.append((tuple(start), tuple(stop)))
        if any(start[0] < row < stop[0] for row in self.damaged_rows):
            raise DamagedSourceError("bad")
        return np.full([b - a for a, b in zip(start, stop, strict=True)], 7, "u1")


def look(shape, chunks, hdf5_chunks) -> ChunkLook:
    piece = SourcePiece("/data/a.h5", 0, "/d", 0, shape[0], None, hdf5_chunks)
    return ChunkLook("/d", "uint8", 1, shape, chunks, None, 0, (piece,), source_dtype="|u1")


def task(of: ChunkLook, places) -> ShardTask:
    numbers = np.arange(len(places))
    places = np.array(places, np.int64)
    return ShardTask("", "", "", of, True, len(places), numbers, places, None, False)


def test_a_large_chunk_is_decoded_once_for_a_shard():
    made = task(look((400 * MB,), (16 * MB,), (200 * MB,)), [(n,) for n in range(3)])
    source = Counting()
    found = dict(decoded_chunks(made, source))
    assert source.regions == [((0,), (48 * MB,))]
    assert all(found[row].shape == (16 * MB,) for row in range(3))


def test_a_comparison_decodes_it_once_too():
    source = Counting()
    theirs = Regions(look((400 * MB,), (16 * MB,), (200 * MB,)), source, [(1,), (2,)])
    assert theirs.region((1,)).shape == theirs.region((2,)).shape == (16 * MB,)
    assert source.regions == [((16 * MB,), (48 * MB,))]


def test_memory_that_a_large_chunk_takes_is_told():
    small = task(look((400 * MB,), (16 * MB,), (16 * MB,)), [(0,)])
    large = task(look((400 * MB,), (16 * MB,), (200 * MB,)), [(0,)])
    assert large.memory_nbytes >= small.memory_nbytes + 400 * MB


@pytest.mark.parametrize(
    ("shape", "hdf5_chunks"),
    [((1000, 2000, 2000), (100, 1000, 1000)), ((10**9,), (150 * MB,)), ((99, 10**7), (99, 10**7))],
)
def test_shards_stay_within_a_large_chunk(shape, hdf5_chunks):
    chunks = inner_chunks(shape, hdf5_chunks, 4, keep=False)
    shards = shard_shape(shape, chunks, 4, None, None, hdf5_chunks)
    for length, inner, shard in zip(hdf5_chunks, chunks, shards, strict=True):
        assert length % inner == 0
        assert length % shard == 0
    assert np.prod(shards) * 4 <= 256 * MB


def test_of_many_chunks_in_what_can_not_be_read_few_are_looked_for():
    made = task(look((4000,), (4000,), (2,)), [(0,)])
    source = Counting()
    source.damaged_rows = range(1, 4000, 2)
    ((_, found),) = decoded_chunks(made, source)
    assert "HDF5 chunk (0,), (1,), (2,), (3,) and " in found.message
    assert len(source.regions) < 200


def write_joined(path, broken):
    values = np.arange(40_000, dtype="i4").reshape(400, 100)
    with h5py.File(path, "w") as file:
        made = file.create_dataset("d", data=values, chunks=(10, 50), compression="gzip")
        for row, column in broken:
            made.id.write_direct_chunk((row * 10, column * 50), zlib.compress(bytes(7))[:-2])
    return values


def test_a_damaged_chunk_that_was_joined_is_named_by_its_own_place(tmp_path, ingest):
    write_joined(tmp_path / "a.h5", [(7, 1)])
    made = ingest(tmp_path / "a.h5", policy="quarantine")
    (gap,) = made.manifest.gaps
    assert gap.reason.startswith("chunk (0, 0): HDF5 chunk (7, 1): its data can't be read")
    assert gap.reason.endswith("; the gap covers [0:400, 0:100]")
    with pytest.raises(ValueError, match="checksum"):
        zarr.open_group(made.tree, mode="r")["d"][...]


def test_several_damaged_chunks_that_were_joined_are_all_named(tmp_path, plan, write_version):
    write_joined(tmp_path / "a.h5", [(7, 1), (31, 0)])
    with pytest.raises(DamagedSourceError) as caught:
        write_version(plan(tmp_path / "a.h5"), tmp_path / "store")
    assert "chunk (0, 0): HDF5 chunk (7, 1), (31, 0): its data" in caught.value.message


def test_a_large_chunk_that_is_cut_is_carried(tmp_path, ingest, compare):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("d", (130, 1010, 1000), "u1", chunks=(130, 1010, 1000),
                                   compression="gzip", compression_opts=1)  # fmt: skip
        made[5:9] = 3
        made[129, 1000:] = 4
    made = ingest(tmp_path / "a.h5")
    assert made.plan.arrays[0].spec.chunks == (1, 1010, 1000)
    assert compare(tmp_path / "a.h5", made.tree) == 1
