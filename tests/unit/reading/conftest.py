"""Datasets that were taken in whole way, to be opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from hsc.ingestion import commit_plan, make_plan, write_plan, write_tree
from hsc.layouts import read_run
from hsc.model import Dataset, Kind, Pid
from hsc.reading import OpenedDataset, open_dataset
from hsc.workers import Silent, ThreadWorkers

LOCATION = "local/u/2026/p/x/v1"


@dataclass
class Kept:
    """A dataset in a store, and the file it came from."""

    record: Dataset
    folder: Path
    source: Path | None = None

    def open(self) -> OpenedDataset:
        return open_dataset(self.record)

    def file(self, key: str) -> Path:
        return self.folder / key


def make_record(root: str, location: str) -> Dataset:
    return Dataset(
        pid=Pid.generate("hsc.local"), kind=Kind.RAW, title="a run", facility="local", root=root,
        created="2026-11-22T10:00:00Z", layout="plain", location=location, bytes_in=0, bytes_out=0,
    )  # fmt: skip


@pytest.fixture
def keep(keep_for_module):
    """Take a file in; give the dataset."""
    return keep_for_module


@pytest.fixture(scope="session")
def keep_for_module(tmp_path_factory):
    """Take a file in that several tests read."""

    def run(source: Path, policy: str = "strict") -> Kept:
        store = tmp_path_factory.mktemp("store")
        made = make_plan(read_run(source, layout=None, time_zone="UTC"), policy=policy)
        written = write_plan(
            made, store.as_uri(), LOCATION, workers=ThreadWorkers(2), progress=Silent(),
            resumed=False, policy=policy,
        )  # fmt: skip
        manifest = commit_plan(made, store.as_uri(), LOCATION, written.entries, written.gaps)
        folder = store / LOCATION
        return Kept(make_record(manifest.root, folder.as_uri()), folder, source)

    return run


@pytest.fixture
def keep_tree(tmp_path_factory):
    """Write a tree of arrays in memory; give the dataset."""

    def run(tree) -> Kept:
        store = tmp_path_factory.mktemp("store")
        manifest = write_tree(tree, store.as_uri(), LOCATION).manifest
        folder = store / LOCATION
        return Kept(make_record(manifest.root, folder.as_uri()), folder)

    return run


FRAMES = np.random.default_rng(5).integers(1, 500, (9, 32, 24)).astype("u2")


@pytest.fixture
def kept(tmp_path, keep) -> Kept:
    """Frames of which the last three were never written, text, scalars, odd names, no elements."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        frames = file.create_dataset(
            "entry/data/frames", (9, 32, 24), "u2", chunks=(1, 32, 24), fillvalue=7,
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )  # fmt: skip
        frames[:6] = FRAMES[:6]
        file["entry"].attrs["NX_class"] = "NXentry"
        frames.attrs["units"] = "counts"
        frames.attrs["gain"] = np.float32(0.5)
        file["title"] = "å title"
        file["words"] = ["a", "", "ccc"]
        file["number"] = 2.5
        file["flag"] = True
        file["empty"] = np.zeros((0, 3), "f4")
        file["odd/zarr.json"] = np.arange(3)
        file["odd/..x"] = np.arange(4.0)
        file["odd/X"] = 1
        file["odd/x"] = 2
        file["nan"] = np.array([np.nan, -0.0, np.inf])
        file["big_endian"] = np.arange(5, dtype=">i4")
        file["z"] = np.array([1 + 2j, np.nan])
    return keep(tmp_path / "a.h5")


@pytest.fixture
def make_dataset_record():
    return make_record
