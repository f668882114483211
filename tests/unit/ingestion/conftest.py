"""The whole way from an HDF5 file to a committed version, and an independent look at both ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr

from hsc.ingestion import Plan, commit_plan, make_plan, verify_written, write_plan
from hsc.layouts import read_run
from hsc.store import Manifest, add_scheme
from hsc.testing import open_write_once
from hsc.workers import Silent, ThreadWorkers

LOCATION = "local/u/2026/p/x/v1"


@dataclass
class Ingested:
    """What an ingest made."""

    plan: Plan
    manifest: Manifest
    folder: Path

    @property
    def tree(self) -> Path:
        return self.folder / "data.zarr"

    def objects(self, name: str) -> list[str]:
        """List the chunk objects of an array."""
        folder = self.tree / name / "c"
        if folder.is_file():
            return ["c"]
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def plan_file(path: Path, policy: str = "strict", layout: str | None = None) -> Plan:
    return make_plan(read_run(path, layout=layout, time_zone="UTC"), policy=policy)


def write(
    plan: Plan,
    store: Path,
    *,
    resumed: bool = False,
    how: str = "full",
    policy: str = "strict",
    write_once: bool = True,
) -> Ingested:
    workers, progress = ThreadWorkers(2), Silent()
    # No ingest may need to overwrite, append or delete: some facilities' stores are write-once.
    url = f"writeonce+{store.as_uri()}" if write_once else store.as_uri()
    folder = store / LOCATION
    written = write_plan(
        plan, url, LOCATION, workers=workers, progress=progress, resumed=resumed, policy=policy
    )
    version = f"{url}/{LOCATION}"
    verify_written(plan, version, written.entries, how=how, workers=workers, progress=progress)
    manifest = commit_plan(plan, url, LOCATION, written.entries, written.gaps)
    return Ingested(plan, manifest, folder)


@pytest.fixture(autouse=True)
def write_once_scheme():
    """Let URLs name a store that takes each object once and for all."""
    add_scheme("writeonce+file", open_write_once)


@pytest.fixture
def plan():
    return plan_file


@pytest.fixture
def write_version():
    return write


@pytest.fixture
def ingest(tmp_path_factory):
    """Take a file in, whole way, every chunk verified."""

    def run(path: Path, *, policy: str = "strict", layout: str | None = None) -> Ingested:
        made = plan_file(path, policy, layout)
        return write(made, tmp_path_factory.mktemp("store"), policy=policy)

    return run


@pytest.fixture
def compare():
    return compare_trees


def compare_trees(source: Path, tree: Path) -> int:
    """Hold a file as h5py reads it against a tree as stock zarr reads it; give how many arrays."""
    nodes = true_paths(zarr.open_group(tree, mode="r"))
    with h5py.File(source) as file:
        compared = compare_group(file["/"], "/", nodes, {})
    assert compared.keys() == nodes.keys()
    return sum(isinstance(node, zarr.Array) for node in nodes.values())


def true_paths(root: zarr.Group) -> dict[str, Any]:
    found: dict[str, Any] = {"/": root}
    waiting = [("/", root)]
    while waiting:
        path, group = waiting.pop()
        for key, node in group.members():
            name = node.attrs.get("hsc:name", key)
            found[f"{path.rstrip('/')}/{name}"] = node
            if isinstance(node, zarr.Group):
                waiting.append((f"{path.rstrip('/')}/{name}", node))
    return found


def compare_group(group, path, nodes, seen) -> dict[str, bool]:
    """Walk by path, in name order but each level before the next, as nobody's code does here."""
    seen[group.id] = path
    made = {path: True}
    compare_attributes(group, nodes[path])
    links = nodes[path].attrs.get("hsc:links", {})
    for name in sorted(group, key=lambda n: n if isinstance(n, bytes) else n.encode()):
        shown = name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")
        link = group.get(name, getlink=True) if isinstance(name, str) else None
        where = f"{path.rstrip('/')}/{shown}"
        if isinstance(link, h5py.SoftLink):
            assert links[shown] == {"soft": link.path}
        elif isinstance(link, h5py.ExternalLink):
            assert links[shown] == {"external": link.path, "file": link.filename}
        elif "hard" in links.get(shown, {}):
            assert group[name] == group.file[links[shown]["hard"]]
        elif isinstance(group[name], h5py.Group):
            made |= compare_group(group[name], where, nodes, seen)
        else:
            compare_array(group[name], nodes[where])
            compare_attributes(group[name], nodes[where])
            made[where] = True
    return made


def compare_array(dataset: h5py.Dataset, array: zarr.Array) -> None:
    assert array.shape == dataset.shape
    ours, theirs = np.asarray(array[...]), dataset[()]
    record = array.attrs["hsc:hdf5"]
    if h5py.check_string_dtype(dataset.dtype) is not None:
        texts = np.asarray(theirs, object)
        expected = [t.decode() if isinstance(t, bytes) else t for t in texts.ravel()]
        assert np.asarray(ours, object).ravel().tolist() == expected
        return
    theirs = np.asarray(theirs)
    assert np.dtype(record["dtype"]) == dataset.dtype
    assert ours.dtype == theirs.dtype.newbyteorder("<")
    assert ours.tobytes() == theirs.astype(ours.dtype).tobytes()


def compare_attributes(node: Any, copy: Any) -> None:
    added = copy.attrs.get("hsc:added", ())
    ours = {
        name: value
        for name, value in copy.attrs.items()
        if not name.startswith("hsc:") and name not in added
    }
    assert sorted(ours) == sorted(node.attrs)
    types = copy.attrs.get("hsc:attribute_types", {})
    for name, value in ours.items():
        theirs = node.attrs[name]
        if isinstance(value, dict) and "$hex" in value:
            assert bytes.fromhex(value["$hex"]) == little(np.asarray(theirs)).tobytes()
        elif isinstance(theirs, h5py.Empty):
            assert value == {"$null": True}
        elif isinstance(theirs, str):
            assert value == theirs
        else:
            array = np.asarray(theirs)
            dtype = types[name]["dtype"] if name in types else array.dtype
            assert np.dtype(dtype) == array.dtype
            again = np.array(value, dtype).reshape(array.shape)
            assert again.tobytes() == array.tobytes()


def little(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("<"))
