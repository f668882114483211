"""A source has one identity wherever it lies; its dataset has one root wherever it is made."""

from __future__ import annotations

import os
import shutil

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.ingestion import committed_alike, wholly_hashed
from hsc.workers import Silent, ThreadWorkers


def write_file(path, *, frames=6):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "frames", data=rng.integers(0, 9, (frames, 64, 64)).astype("u2"), chunks=(1, 64, 64),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )  # fmt: skip
        # Encoded anew, over many Blosc blocks.
        file["big"] = rng.integers(0, 50, (1500, 1000)).astype("u4")
        file["text"] = ["a", "b"]
        file.attrs["units"] = "mm"
    return path


def test_the_same_bytes_elsewhere_and_at_another_time_have_the_same_id(tmp_path, plan):
    one = write_file(tmp_path / "one" / "a.h5")
    (tmp_path / "two").mkdir()
    two = tmp_path / "two" / "a.h5"
    shutil.copy(one, two)
    os.utime(two, (0, 0))
    assert plan(one).source_id == plan(two).source_id
    assert wholly_hashed(plan(one).run.files)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=40,
)
@given(where=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_one_changed_bit_of_data_gives_another_id(tmp_path_factory, plan, where, bit):
    folder = tmp_path_factory.mktemp("bits")
    path = folder / "a.h5"
    data = np.arange(5000, dtype="u4")
    with h5py.File(path, "w") as file:
        file["x"] = data
        offset = file["x"].id.get_offset()
    before = plan(path).source_id
    changed = bytearray(path.read_bytes())
    changed[offset + where % data.nbytes] ^= 1 << bit
    path.write_bytes(changed)
    assert plan(path).source_id != before


def test_a_changed_file_behind_a_virtual_dataset_gives_another_id(tmp_path, plan):
    def source(value):
        with h5py.File(tmp_path / "source.h5", "w") as file:
            file["x"] = np.full(4, value)

    source(1)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        layout = h5py.VirtualLayout((4,), "i8")
        layout[:] = h5py.VirtualSource("source.h5", "x", (4,))
        file.create_virtual_dataset("v", layout)
    first = plan(tmp_path / "a.h5").source_id
    source(2)
    assert plan(tmp_path / "a.h5").source_id != first


def test_a_changed_byte_at_either_end_of_a_large_file_gives_another_id(tmp_path, plan):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("x", (70 * 2**20,), "u1")
        made[0] = 1
        made[-1] = 1
    first = plan(path)
    assert not wholly_hashed(first.run.files)
    for place in (0, -1):
        with h5py.File(path, "a") as file:
            file["x"][place] += 1
        assert plan(path).source_id != first.source_id


def test_the_same_file_has_the_same_root_wherever_it_is_made(tmp_path, ingest):
    one = write_file(tmp_path / "one" / "a.h5")
    (tmp_path / "two").mkdir()
    shutil.copy(one, tmp_path / "two" / "a.h5")
    first, second = ingest(one), ingest(tmp_path / "two" / "a.h5")
    assert first.manifest.root == second.manifest.root
    assert first.manifest.encode() == second.manifest.encode()


def alike(plan, done) -> bool:
    folder = done.folder
    store, location = folder.parents[5].as_uri(), str(folder.relative_to(folder.parents[5]))
    return committed_alike(plan, store, location, workers=ThreadWorkers(2), progress=Silent())


def test_a_committed_source_is_confirmed_each_time(tmp_path, ingest, plan):
    path = write_file(tmp_path / "a.h5")
    done = ingest(path)
    assert all(alike(plan(path), done) for _ in range(3))


@pytest.mark.parametrize(
    "filters", [{}, {"compression": "gzip"}, hdf5plugin.Bitshuffle(cname="lz4")]
)
def test_a_source_of_the_same_shape_with_one_other_pixel_is_not_confirmed(
    tmp_path, ingest, plan, filters
):
    frames = np.arange(6 * 64 * 64, dtype="u2").reshape(6, 64, 64)
    one, two = tmp_path / "one.h5", tmp_path / "two.h5"
    for path in (one, two):
        with h5py.File(path, "w") as file:
            file.create_dataset("frames", data=frames, chunks=(1, 64, 64), **filters)
        frames[3, 30, 30] += 1
    done = ingest(one)
    assert alike(plan(one), done)
    assert not alike(plan(two), done)


def test_a_source_with_one_array_more_is_not_confirmed(tmp_path, ingest, plan):
    path = write_file(tmp_path / "a.h5")
    done = ingest(path)
    with h5py.File(path, "a") as file:
        file["more"] = np.arange(5)
    assert not alike(plan(path), done)


@pytest.mark.parametrize("change", ["attribute", "frame"])
def test_other_content_has_another_root(tmp_path, ingest, change):
    path = write_file(tmp_path / "a.h5")
    first = ingest(path)
    with h5py.File(path, "a") as file:
        if change == "attribute":
            file.attrs["units"] = "cm"
        else:
            file["frames"][3, 0, 0] += 1
    second = ingest(path)
    assert first.manifest.root != second.manifest.root
    assert first.manifest.source_id != second.manifest.source_id
