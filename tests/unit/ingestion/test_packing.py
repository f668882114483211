"""What is packed: all of it once, in few objects, found by stock tools, and never read as zeros."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import DamagedSourceError
from hsc.ingestion import forecast, write_plan, write_previews, write_tree
from hsc.ingestion.packing import MOST_LOOSE, MOST_PLAIN_ARRAYS, arrange, plan_documents
from hsc.store import (
    MOST_PACK_BYTES,
    SMALL_BYTES,
    CheckedVersion,
    DirectoryObjects,
    Manifest,
    NewArray,
    NewTree,
    PackBuilder,
    VersionWriter,
    digest_entry,
    open_version,
    packed_nbytes,
)
from hsc.workers import Silent, ThreadWorkers

LOCATION = "local/u/2026/p/x/v1"
# The three lines of docs/reference/zarr-mapping.md, without hsc.
STOCK = """
import sys
sys.modules["hsc"] = None
import zarr
v = sys.argv[1]
options = {"fo": f"{v}/references.json", "template_overrides": {"v": v}, "remote_options": {"asynchronous": True}}
tree = zarr.open_group("reference://", mode="r", storage_options=options)
import json
found = {}
for path, node in tree.members(max_depth=None):
    if isinstance(node, zarr.Array):
        found[path] = [node[...].tolist(), dict(node.attrs).get("units")]
print(json.dumps(found))
"""  # noqa: E501 (it is what people copy)

SIZES = st.integers(1, SMALL_BYTES - 1)


def keyed(sizes, stem):
    return {f"data.zarr/{stem}{n}": size for n, size in enumerate(sizes)}


@given(
    documents=st.lists(SIZES, min_size=1, max_size=300),
    small=st.lists(SIZES, max_size=300),
    repeat=st.integers(1, 40),
    large=st.integers(0, 80),
)
def test_every_small_object_lies_in_one_pack_and_objects_are_few(documents, small, repeat, large):
    texts, objects = keyed(documents, "d"), keyed(small * repeat, "c")
    beside = set(list(texts)[:large])
    packing = arrange(texts, objects, beside)
    if packing is None:
        assert len(texts) + len(objects) <= MOST_LOOSE
        return
    assert len(texts) + len(objects) > MOST_LOOSE
    packed = [key for keys in (*packing.documents, *packing.batches) for key in keys]
    assert sorted([*packed, *packing.plain]) == sorted([*texts, *objects])
    assert [key for keys in packing.batches for key in keys] == list(objects)
    assert set(packing.plain) in (set(), beside)
    assert len(packing.plain) <= MOST_PLAIN_ARRAYS
    sizes = {**texts, **objects}
    filled = [sum(packed_nbytes(k, sizes[k]) for k in keys) for keys in packing.batches]
    assert all(nbytes <= MOST_PACK_BYTES for nbytes in filled)
    # Manifest, references and crate; and a pack that is full counts as a shard does.
    full = sum(nbytes > MOST_PACK_BYTES - 2 * SMALL_BYTES for nbytes in filled)
    assert packing.count + len(packing.plain) + 3 <= full + 64


@pytest.mark.parametrize(
    ("count", "size"), [(10**6, 100), (10**5, SMALL_BYTES - 1), (61, 1), (2000, 300_000)]
)
def test_the_number_of_packs_does_not_grow_with_that_of_the_arrays(count, size):
    packing = arrange({"data.zarr/zarr.json": 9}, keyed([size] * count, "c"), set())
    full = count * size // MOST_PACK_BYTES
    assert packing.count <= full + 20


def write_mixed(path: Path, count: int = 70) -> Path:
    """Write many small arrays of all kinds, one of many shards' worth, one never written."""
    with h5py.File(path, "w") as file:
        for number in range(count):
            array = file.create_dataset(f"g{number % 7}/a{number}", data=np.arange(number) + 0.5)
            array.attrs["units"] = "mm"
        file["g0/{odd}}} {{name}"] = np.arange(3)
        file["g0/å b"] = [b"text", b""]
        file["scalar"] = 7
        file["big"] = np.random.default_rng(0).integers(0, 256, (3, 1024, 1024)).astype("u1")
        file.create_dataset("empty", (100, 100), "i4", chunks=(10, 100))
    return path


@pytest.fixture
def packed(tmp_path, ingest):
    path = write_mixed(tmp_path / "a.h5")
    return path, ingest(path)


def objects_of(done):
    found = objects(done.tree.parent)
    # A write-once store keeps its journal.
    return [path for path in found if ".journal" not in path.parts]


def test_what_was_told_beforehand_is_what_is_there(packed, plan):
    path, done = packed
    told = forecast(plan(path), 1)
    found = objects_of(done)
    assert len(found) + 1 == told.objects == 7  # the crate comes with the job
    nbytes = sum(file.stat().st_size for file in found)
    assert abs(told.nbytes - nbytes) < 0.05 * nbytes
    assert done.manifest.nbytes == nbytes - (done.tree.parent / "manifest").stat().st_size


def expected(path: Path) -> dict[str, list[object]]:
    found = {}

    def visit(name, node):
        if isinstance(node, h5py.Dataset):
            values = node.asstr()[...] if node.dtype.kind in "SO" else node[...]
            found[name] = [values.tolist(), node.attrs.get("units")]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def stock(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", STOCK, url], capture_output=True, text=True, timeout=60, check=False
    )


def test_three_lines_without_hsc_open_all_of_it(packed):
    path, done = packed
    answer = stock(done.tree.parent.as_uri())
    assert not answer.returncode, answer.stderr
    found, wanted = json.loads(answer.stdout), expected(path)
    assert wanted.pop("g0/{odd}}} {{name}") == found.pop("g0/{odd}}} {{name}")
    assert found == wanted


@pytest.mark.parametrize("lost", ["small-1.zip", "data.zarr/big/c/0/0/0"])
def test_the_three_lines_give_no_zeros_for_what_is_gone(packed, lost):
    _, done = packed
    (done.tree.parent / lost).unlink()
    answer = stock(done.tree.parent.as_uri())
    assert answer.returncode
    assert "ReferenceNotReachable" in answer.stderr


def test_unzipped_beside_the_shards_it_is_a_plain_tree(packed, compare, tmp_path):
    path, done = packed
    for pack in sorted(done.tree.parent.glob("*.zip")):
        zipfile.ZipFile(pack).extractall(done.tree.parent)
    assert compare(path, done.tree) == 75


def test_the_large_array_opens_plainly_where_it_lies(packed):
    path, done = packed
    with h5py.File(path) as file:
        assert np.array_equal(zarr.open_array(done.tree / "big", mode="r")[...], file["big"][...])


def test_neither_the_folder_nor_a_pack_alone_opens_as_a_tree(packed):
    _, done = packed
    for where in ("", "data.zarr", "data.zarr/g0"):
        for pack in done.tree.parent.glob("*.zip"):
            with pytest.raises((FileNotFoundError, KeyError)):
                zarr.open_group(zarr.storage.ZipStore(pack), path=where, mode="r")
    for folder in (done.tree, done.tree / "g0", done.tree.parent):
        with pytest.raises((FileNotFoundError, KeyError)):
            zarr.open_group(folder, mode="r")


def test_texts_that_turn_out_large_are_objects_of_their_own(tmp_path, ingest, plan):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(70):
            file[f"a{number}"] = number
        noise = np.random.default_rng(0).integers(33, 126, 3 * 10**6).astype("u1").tobytes()
        file["long"] = np.array([noise.decode(), "short"], object)
    done = ingest(tmp_path / "a.h5")
    assert (done.tree / "long/c/0").stat().st_size > 2 * SMALL_BYTES
    assert not (done.tree / "long/zarr.json").exists()  # else it would open without its group
    version = open_version(done.tree.parent.as_uri())
    assert version.read("data.zarr/long/c/0")


def test_a_finished_pack_is_not_made_again(tmp_path, plan, write_version):
    path, store = write_mixed(tmp_path / "a.h5"), tmp_path / "store"
    made = plan(path)
    first = write_plan(
        made, store.as_uri(), LOCATION, workers=ThreadWorkers(1), progress=Silent(), resumed=False
    )
    stamps = {p: p.stat().st_mtime_ns for p in (store / LOCATION).rglob("small*.zip")}
    assert len(stamps) == 2
    again = write_version(made, store, resumed=True, write_once=False)
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps
    assert {e.key: e.digest for e in first.entries} == {
        e.key: e.digest for e in again.manifest.entries
    }
    assert not (store / LOCATION / ".journal").exists()


def test_a_finished_pack_of_other_objects_is_made_again(tmp_path, plan, write_version):
    made, store = plan(write_mixed(tmp_path / "mixed.h5")), tmp_path / "store"
    whole = write_version(made, tmp_path / "whole", write_once=False)
    write_plan(
        made, store.as_uri(), LOCATION, workers=ThreadWorkers(1), progress=Silent(), resumed=False
    )
    writer = VersionWriter(DirectoryObjects(store), LOCATION)
    number = max(entry.pack for entry in whole.manifest.entries)
    pack = PackBuilder(number)  # as another release packed
    pack.add(digest_entry("data.zarr/other", b"other"), b"other")
    writer.put_pack(*pack.finish())
    again = write_version(made, store, resumed=True, write_once=False)
    assert again.manifest.root == whole.manifest.root
    assert [entry.key for entry in again.manifest.entries] == [
        entry.key for entry in whole.manifest.entries
    ]


def test_a_damaged_chunk_in_a_pack_is_named_like_any_other(tmp_path, plan):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for number in range(70):
            file.create_dataset(f"a{number}", data=np.arange(500), chunks=(500,), compression=4)
        file["a7"].id.write_direct_chunk((0,), b"no deflate stream")
    with pytest.raises(DamagedSourceError, match="/a7"):
        write_plan(
            plan(path), (tmp_path / "s").as_uri(), LOCATION,
            workers=ThreadWorkers(1), progress=Silent(), resumed=False,
        )  # fmt: skip


def test_a_derived_tree_of_many_arrays_is_packed_too(tmp_path):
    arrays = tuple(NewArray(f"/g/a{n}", np.arange(n), ("q",)) for n in range(80))
    wide = NewArray("/wide", np.random.default_rng(0).random((300, 1000)), ("y", "x"))
    manifest = write_tree(NewTree(arrays=(*arrays, wide)), tmp_path.as_uri(), "v1").manifest
    names = sorted(p.relative_to(tmp_path / "v1").as_posix() for p in objects(tmp_path / "v1"))
    assert names == [
        "data.zarr/wide/c/0/0", "data.zarr/wide/zarr.json", "manifest", "references.json",
        "small-1.zip", "small.zip",
    ]  # fmt: skip
    answer = stock((tmp_path / "v1").as_uri())
    found = json.loads(answer.stdout)
    assert all(found[f"g/a{n}"][0] == list(range(n)) for n in range(80))
    assert found["wide"][0] == wide.values.tolist()
    assert {e.key for e in manifest.entries if not e.packed} == {*names} - {"manifest"}


def objects(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_tree_of_few_arrays_is_plain(tmp_path, ingest, plan, compare):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(29):
            file[f"a{number}"] = number
    done = ingest(tmp_path / "a.h5")
    assert len(plan_documents(plan(tmp_path / "a.h5"))) == 30
    assert compare(tmp_path / "a.h5", done.tree) == 29
    assert not list(done.tree.parent.glob("small*"))
    assert len(objects_of(done)) == forecast(plan(tmp_path / "a.h5"), 1).objects - 1 == 60


def test_many_previews_share_a_pack_and_few_do_not(packed, tmp_path):
    _, done = packed
    writer = VersionWriter(DirectoryObjects(tmp_path), "v1")
    large = bytes(SMALL_BYTES)
    previews = {f"preview/a{n}/preview.png": bytes([n]) for n in range(20)}
    entries = write_previews(writer, {**previews, "preview/b": large}, done.manifest.entries)
    names = {path.relative_to(tmp_path / "v1").as_posix() for path in objects(tmp_path / "v1")}
    assert {name for name in names if ".journal" not in name} == {"small-2.zip", "preview/b"}
    version = CheckedVersion(
        DirectoryObjects(tmp_path / "v1"), Manifest(root="", entries=tuple(entries))
    )
    assert all(version.read(key) == data for key, data in previews.items())
    few = write_previews(writer, {"preview/c": b"1"}, done.manifest.entries)
    assert [(entry.key, entry.packed) for entry in few] == [("preview/c", False)]
