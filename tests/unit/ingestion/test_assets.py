"""Files that are no HDF5 lie under ``files/``, byte for byte, with digests, whatever the name."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import ConfigurationError, SourceChangedError, VerificationError
from hsc.hdf5 import FileState
from hsc.ingestion import (
    assets,
    committed_alike,
    files_state,
    forecast,
    make_plan,
    verify_written,
    write_plan,
)
from hsc.layouts import Asset, read_run
from hsc.store import open_version
from hsc.workers import Bounds, Silent, ThreadWorkers

LOCATION = "local/u/2026/p/x/v1"  # as write_version has it
CONTENTS = {
    "notes.txt": "prøve 1".encode(),
    "geometry/agipd.geom": b"\x00\xff" * 700_000,
    "geometry/Agipd.geom": b"other",
    "empty.cfg": b"",
    "a:b?.txt": b"odd",
}


@pytest.fixture
def folder(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(4)
    for name, content in CONTENTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def run(folder):
    carried = tuple(
        Asset(name, folder / name, FileState(folder / name)) for name in sorted(CONTENTS)
    )
    return replace(read_run(folder / "a.h5", layout=None, time_zone="UTC"), assets=carried)


def test_every_byte_is_there_under_a_safe_key_with_its_true_name_and_digest(
    run, write_version, tmp_path_factory
):
    plan = make_plan(run, policy="strict")
    made = write_version(plan, tmp_path_factory.mktemp("store"))
    carried = [entry for entry in made.manifest.entries if entry.key.startswith("files/")]
    assert {made.manifest.files[e.source_file]: e.digest for e in carried} == {
        name: blake3(content).digest() for name, content in CONTENTS.items()
    }
    version = open_version(made.folder.as_uri())
    for entry in carried:
        assert version.read(entry.key) == CONTENTS[made.manifest.files[entry.source_file]]
    keys = {entry.key for entry in carried}
    assert {"files/notes.txt", "files/empty.cfg", "files/a%3Ab%3F.txt"} < keys
    assert len({key.casefold() for key in keys}) == len(CONTENTS)
    assert plan.bytes_in == (
        (run.files[0].state.nbytes) + sum(len(content) for content in CONTENTS.values())
    )


def test_files_count_in_identity_root_state_and_forecast(
    run, folder, write_version, tmp_path_factory
):
    with_files, without = (
        make_plan(each, policy="strict") for each in (run, replace(run, assets=()))
    )
    assert with_files.source_id != without.source_id
    told, bare = forecast(with_files, 1), forecast(without, 1)
    assert told.objects - bare.objects == len(CONTENTS)
    assert told.nbytes - bare.nbytes == sum(map(len, CONTENTS.values()))
    one = write_version(with_files, tmp_path_factory.mktemp("one"))
    two = write_version(without, tmp_path_factory.mktemp("two"))
    assert one.manifest.root != two.manifest.root
    before = files_state(run)
    (folder / "notes.txt").write_bytes(b"prove 1")
    again = Asset("notes.txt", folder / "notes.txt", FileState(folder / "notes.txt"))
    changed = replace(run, assets=(again, *run.assets[:-1]))
    assert files_state(changed) != before
    assert make_plan(changed, policy="strict").source_id != with_files.source_id


def test_a_file_that_changes_meanwhile_is_refused(run, folder, write_version, tmp_path_factory):
    plan = make_plan(run, policy="strict")
    (folder / "notes.txt").write_bytes(b"cut")
    with pytest.raises(SourceChangedError, match=r"notes\.txt"):
        write_version(plan, tmp_path_factory.mktemp("store"))


def test_large_files_are_numbered_parts_that_join_to_the_file_again(
    run, write_version, tmp_path_factory
):
    plan = make_plan(run, policy="strict")
    cut = replace(plan, assets=assets.plan_assets(run, part_bytes=500_000))
    made = write_version(cut, tmp_path_factory.mktemp("store"))
    parts = sorted(made.folder.glob("files/geometry/agipd.geom*part-*"))
    assert [part.name[-6:] for part in parts] == ["-00000", "-00001", "-00002"]
    assert b"".join(part.read_bytes() for part in parts) == CONTENTS["geometry/agipd.geom"]


def test_an_attempt_that_goes_on_leaves_finished_files_as_they_are(
    run, write_version, tmp_path_factory
):
    plan, store = make_plan(run, policy="strict"), tmp_path_factory.mktemp("store")
    write_plan(
        plan, store.as_uri(), LOCATION, workers=ThreadWorkers(1), progress=Silent(), resumed=False
    )
    large = store / LOCATION / "files" / "geometry"
    before = {path: path.stat() for path in large.iterdir()}
    resumed = write_version(plan, store, resumed=True)
    whole = write_version(plan, tmp_path_factory.mktemp("other"))
    assert resumed.manifest.root == whole.manifest.root
    assert {path: path.stat().st_mtime_ns for path in large.iterdir()} == {
        path: facts.st_mtime_ns for path, facts in before.items()
    }


def test_the_same_source_is_told_from_one_with_another_file(
    run, folder, write_version, tmp_path_factory
):
    store = tmp_path_factory.mktemp("store")
    plan = make_plan(run, policy="strict")
    made = write_version(plan, store)
    location = str(made.folder.relative_to(store))

    def alike(other):
        return committed_alike(
            other, store.as_uri(), location, workers=ThreadWorkers(1), progress=Silent()
        )

    assert alike(plan)
    (folder / "geometry/agipd.geom").write_bytes(b"\x00\xfe" * 700_000)
    assert not alike(make_plan(run, policy="strict"))
    assert not alike(make_plan(replace(run, assets=run.assets[1:]), policy="strict"))


def test_a_file_that_differs_from_what_was_written_is_told(
    run, folder, write_version, tmp_path_factory
):
    made = write_version(make_plan(run, policy="strict"), tmp_path_factory.mktemp("store"))
    (folder / "notes.txt").write_bytes("prøve 2".encode())
    with pytest.raises(VerificationError, match="differs"):
        verify_written(
            made.plan, made.folder.as_uri(), made.manifest.entries, how="full",
            workers=ThreadWorkers(1), progress=Silent(),
        )  # fmt: skip


NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@given(st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=12))
def test_no_two_names_share_a_key_even_where_case_does_not_count(names):
    # As in a file system, what is a folder is no file.
    files = {name for name in names if not any(other.startswith(f"{name}/") for other in names)}
    keys = assets.asset_keys(files)
    assert set(keys) == files
    assert len({key.casefold() for key in keys.values()}) == len(files)
    for key in keys.values():
        assert key.startswith("files/")
        assert not {"", ".", ".."} & set(key.split("/"))


def test_a_file_takes_little_memory_on_its_way_to_a_folder_and_its_bytes_on_the_way_to_a_bucket(
    run,
):
    asset = assets.plan_assets(run)[0]
    asset = replace(asset, stop=10**9)
    needs = [
        assets.AssetTask(store, LOCATION, asset, resumed=False).memory_nbytes
        for store in ("file:///x", "s3://x")
    ]
    assert needs[0] < 10**7
    assert needs[1] > 10**9


def test_files_wait_for_the_memory_they_may_take(run, tmp_path):
    plan = assets.plan_assets(run)
    tasks = [assets.AssetTask("memory://x", LOCATION, each, resumed=False) for each in plan]
    workers = ThreadWorkers(2, Bounds(memory=1_000_000))
    with pytest.raises(ConfigurationError, match="memory"):
        assets.write_assets(tasks, workers=workers, progress=Silent())
