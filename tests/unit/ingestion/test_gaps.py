"""A chunk that can't be carried over stops an ingest by name, or becomes a gap that raises."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr

from hsc.errors import DamagedSourceError, GapError
from hsc.store import CheckedStore, ChunkState, open_version

FILTERS = {
    "rewrapped": {"chunks": (1, 64, 64), **hdf5plugin.Bitshuffle(cname="lz4")},
    "recoded": {"chunks": (1, 256, 256), "compression": "gzip"},
}


def write_frames(path, way, broken):
    """Write frames of which some are cut off; give all as they were."""
    kind = FILTERS[way]
    shape = (40, *kind["chunks"][1:])
    values = np.random.default_rng(0).integers(0, 99, shape).astype("u2")
    with h5py.File(path, "w") as file:
        frames = file.create_dataset("frames", data=values, **kind)
        for number in broken:
            chunk = frames.id.read_direct_chunk((number, 0, 0))[1]
            frames.id.write_direct_chunk((number, 0, 0), chunk[:-50])
        file["wide"] = np.arange(10)
    return values


@pytest.mark.parametrize("way", FILTERS)
def test_strict_names_every_damaged_chunk_at_once(tmp_path, plan, write_version, way):
    write_frames(tmp_path / "a.h5", way, [3, 7, 30])
    with pytest.raises(DamagedSourceError) as caught:
        write_version(plan(tmp_path / "a.h5"), tmp_path / "store")
    for number in (3, 7, 30):
        assert f"/frames, chunk ({number}, 0, 0)" in caught.value.message
    assert str(tmp_path / "a.h5") in caught.value.where
    assert "quarantine" in caught.value.next_step
    assert not list((tmp_path / "store").rglob("manifest"))


def test_strict_names_twenty_and_counts_the_rest(tmp_path, plan, write_version):
    write_frames(tmp_path / "a.h5", "rewrapped", range(25))
    with pytest.raises(DamagedSourceError, match="25 chunks") as caught:
        write_version(plan(tmp_path / "a.h5"), tmp_path / "store")
    assert caught.value.message.count("/frames, chunk") == 20
    assert "and 5 more" in caught.value.message


@pytest.mark.parametrize("way", FILTERS)
def test_quarantine_records_a_gap_for_each_and_keeps_the_rest(tmp_path, ingest, way):
    values = write_frames(tmp_path / "a.h5", way, [3, 39])
    made = ingest(tmp_path / "a.h5", policy="quarantine")
    assert [gap.path for gap in made.manifest.gaps] == ["/frames", "/frames"]
    assert made.manifest.gaps[0].reason.startswith("chunk (3, 0, 0): ")
    assert made.manifest.gaps[1].reason.startswith("chunk (39, 0, 0): ")
    states = np.concatenate(
        [e.chunks.states for e in made.manifest.entries if "/frames/c/" in e.key]
    )
    assert np.flatnonzero(states == ChunkState.GAP).tolist() == [3, 39]
    array = zarr.open_group(made.tree, mode="r")["frames"]
    for number in (3, 39):
        with pytest.raises(ValueError, match="checksum"):
            array[number]
    for number in (2, 4, 38):
        assert np.array_equal(array[number], values[number])
    assert np.array_equal(zarr.open_group(made.tree, mode="r")["wide"][...], np.arange(10))


def test_a_gap_is_an_error_of_its_own_however_it_is_read(tmp_path, ingest):
    values = write_frames(tmp_path / "a.h5", "rewrapped", [3])
    made = ingest(tmp_path / "a.h5", policy="quarantine")
    location = made.folder.as_uri()
    array = zarr.open_group(CheckedStore(location), mode="r")["frames"]
    for where in (3, slice(2, 5), slice(None)):
        with pytest.raises(GapError, match="gap"):
            array[where]
    assert np.array_equal(array[4:], values[4:])
    key = next(e.key for e in made.manifest.entries if "/frames/c/" in e.key)
    version = open_version(location)
    with pytest.raises(GapError, match="chunk 3"):
        version.read_chunk(key, 3)
    table = version.entry(key).chunks
    start, length = int(table.offsets[3]), int(table.lengths[3])
    with pytest.raises(GapError):
        version.read_range(key, start, start + length + 4)
    assert version.read_range(key, 0, start)
    assert version.read(key)  # the object itself is as it was written
    version.check_present()


def test_a_single_chunk_without_a_shard_can_be_a_gap(tmp_path, ingest):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        values = file.create_dataset("d", data=np.arange(50_000), chunks=(50_000,), shuffle=True,
                                     compression="gzip")  # fmt: skip
        values.id.write_direct_chunk((0,), b"nothing of the kind")
    made = ingest(tmp_path / "a.h5", policy="quarantine")
    assert len(made.manifest.gaps) == 1
    with pytest.raises(ValueError, match="checksum"):
        zarr.open_group(made.tree, mode="r")["d"][...]


def test_the_same_gaps_give_the_same_root(tmp_path, ingest):
    write_frames(tmp_path / "a.h5", "rewrapped", [3])
    first, second = (ingest(tmp_path / "a.h5", policy="quarantine") for _ in range(2))
    assert first.manifest.root == second.manifest.root
    write_frames(tmp_path / "a.h5", "rewrapped", [])
    assert ingest(tmp_path / "a.h5").manifest.root != first.manifest.root


def test_a_resumed_ingest_still_knows_why(tmp_path, plan, write_version):
    shape = (4, 1024, 1024)  # a shard of more than 1 MiB, which the journal keeps
    values = np.random.default_rng(0).integers(0, 2**16, shape).astype("u2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        frames = file.create_dataset(
            "frames", data=values, chunks=(1, *shape[1:]), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        frames.id.write_direct_chunk((2, 0, 0), b"cut off")
    made = plan(tmp_path / "a.h5", "quarantine")
    with pytest.raises(DamagedSourceError):  # stops after the shards were written
        write_version(made, tmp_path / "store", policy="strict")
    done = write_version(made, tmp_path / "store", resumed=True, policy="quarantine")
    assert [gap.reason[:15] for gap in done.manifest.gaps] == ["chunk (2, 0, 0)"]
