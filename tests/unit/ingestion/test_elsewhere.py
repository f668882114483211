"""Data that lie in other files than their dataset: external links and external raw data."""

from __future__ import annotations

import os

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr

from hsc.errors import ConfigurationError, SourceChangedError, UnsupportedObjectError
from hsc.ingestion.source import ArraySource, SourcePiece
from hsc.model import Way

FRAMES = np.random.default_rng(0).integers(0, 99, (4, 16, 16)).astype("u2")


@pytest.fixture
def linked(tmp_path):
    """Write a file that links a dataset and a group of another."""
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.create_dataset(
            "frames", data=FRAMES, chunks=(1, 16, 16), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        file["entry/time"] = np.arange(4.0)
    with h5py.File(tmp_path / "main.h5", "w") as file:
        file["frames"] = h5py.ExternalLink("data.h5", "/frames")
        file["more"] = h5py.ExternalLink("data.h5", "/entry")
    return tmp_path / "main.h5"


def test_what_external_links_lead_to_is_ingested_under_their_paths(linked, ingest):
    done = ingest(linked)
    assert done.manifest.files == ("main.h5", "data.h5")
    assert {p.spec.path: p.spec.way for p in done.plan.arrays} == {
        "/frames": Way.REWRAP,
        "/more/time": Way.PASSTHROUGH,
    }
    tree = zarr.open_group(done.tree, mode="r")
    assert (tree["frames"][...] == FRAMES).all()
    assert (tree["more/time"][...] == np.arange(4.0)).all()
    assert tree.attrs["hsc:links"]["frames"] == {"external": "/frames", "file": "data.h5"}


def test_another_file_behind_a_link_makes_another_source(linked, plan):
    first = plan(linked)
    with h5py.File(linked.parent / "data.h5", "a") as file:
        file["entry/time"][0] = 7
    assert plan(linked).source_id != first.source_id


def test_a_file_behind_a_link_that_changes_is_seen(linked, plan, write_version, tmp_path):
    made = plan(linked)
    with h5py.File(linked.parent / "data.h5", "a") as file:
        file["entry/time"][0] = 7
    with pytest.raises(SourceChangedError, match=r"data\.h5"):
        write_version(made, tmp_path / "store")


def write_raw(path, *segments):
    with h5py.File(path, "w") as file:
        file.create_dataset("raw", (4, 8), "<i4", external=list(segments))


def test_external_raw_data_are_read_beside_their_file_wherever_one_stands(
    tmp_path, ingest, monkeypatch
):
    values = np.arange(32, dtype="<i4").reshape(4, 8)
    (tmp_path / "a.bin").write_bytes(b"head" + values.tobytes()[:48])
    (tmp_path / "b.bin").write_bytes(values.tobytes()[48:])
    write_raw(tmp_path / "m.h5", ("a.bin", 4, 48), ("b.bin", 0, h5py.h5f.UNLIMITED))
    monkeypatch.chdir("/")
    done = ingest(tmp_path / "m.h5")
    assert done.manifest.files == ("m.h5", "a.bin", "b.bin")
    assert (zarr.open_array(done.tree / "raw", mode="r")[...] == values).all()


def test_raw_data_that_are_missing_cut_or_elsewhere_are_named(tmp_path, plan):
    (tmp_path / "run").mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(200))
    (tmp_path / "run" / "cut.bin").write_bytes(bytes(100))
    (tmp_path / "run" / "away.bin").symlink_to(tmp_path / "secret.bin")
    expected = {
        "gone.bin": "gone.bin is missing",
        "cut.bin": "cut.bin ends 28 bytes too early",
        "away.bin": "away.bin leads out of the run's folder",
        "../secret.bin": "../secret.bin leads out of the run's folder",
        str(tmp_path / "secret.bin"): f"{tmp_path}/secret.bin leads out of the run's folder",
        "/etc/passwd": "/etc/passwd leads out of the run's folder",
    }
    for name, reason in expected.items():
        write_raw(tmp_path / "run" / "m.h5", (name, 0, 128))
        with pytest.raises(UnsupportedObjectError) as caught:
            plan(tmp_path / "run" / "m.h5")
        assert f"/raw: its raw data: {reason}" in caught.value.message


def test_no_reader_follows_a_variable_that_leads_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "a.bin").write_bytes(bytes(128))
    write_raw(tmp_path / "m.h5", ("a.bin", 0, 128))
    piece = SourcePiece(path=str(tmp_path / "m.h5"), file=0, dataset="/raw", start=0, rows=4)
    monkeypatch.setenv("HDF5_EXTFILE_PREFIX", os.fspath(tmp_path / "elsewhere"))
    source = ArraySource([piece])
    with source, pytest.raises(ConfigurationError, match="HDF5_EXTFILE_PREFIX is set"):
        source.region((0, 0), (4, 8))


def test_a_virtual_dataset_over_raw_data_named_from_the_root_on_is_carried(tmp_path, ingest):
    np.arange(4, dtype="<i8").tofile(tmp_path / "raw.bin")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        name = str(tmp_path / "raw.bin")
        file.create_dataset("raw", (4,), "<i8", external=[(name, 0, 32)])
    layout = h5py.VirtualLayout((4,), "<i8")
    layout[:] = h5py.VirtualSource("data.h5", "raw", (4,))
    with h5py.File(tmp_path / "main.h5", "w") as file:
        file.create_virtual_dataset("v", layout, fillvalue=-1)
    done = ingest(tmp_path / "main.h5")
    assert done.manifest.files == ("main.h5", "data.h5", "raw.bin")
    assert zarr.open_group(done.tree, mode="r")["v"][...].tolist() == [0, 1, 2, 3]


def test_a_virtual_dataset_over_raw_data_named_otherwise_is_refused(tmp_path, plan):
    np.arange(4, dtype="<i8").tofile(tmp_path / "raw.bin")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.create_dataset("raw", (4,), "<i8", external=[("raw.bin", 0, 32)])
    layout = h5py.VirtualLayout((4,), "<i8")
    layout[:] = h5py.VirtualSource("data.h5", "raw", (4,))
    with h5py.File(tmp_path / "main.h5", "w") as file:
        file.create_virtual_dataset("v", layout, fillvalue=-1)
    with pytest.raises(UnsupportedObjectError, match="looks for them in the working folder"):
        plan(tmp_path / "main.h5")
