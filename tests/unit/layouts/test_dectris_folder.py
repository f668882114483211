"""A DECTRIS run's folder: its one master file leads, what lies beside is carried."""

from __future__ import annotations

import h5py
import pytest

from hsc.errors import LayoutError
from hsc.layouts import read_run


def read(path, layout=None):
    return read_run(path, layout=layout, time_zone="UTC")


def test_a_folder_is_the_run_of_its_master_file_with_all_that_lies_beside(run):
    run.write_master()
    (run.folder / "collect.py").write_text("go()")
    (run.folder / "logs").mkdir()
    (run.folder / "logs" / "night.log").write_text("quiet")
    (run.folder / "old.log~").write_text("?")
    found, alone = read(run.folder), read(run.master)
    assert (found.layout, found.name, found.folder) == ("dectris", "run", run.folder)
    assert [file.name for file in found.files] == [file.name for file in alone.files]
    assert [asset.name for asset in found.assets] == ["collect.py", "logs/night.log"]
    assert found.notes == ("left out: old.log~, a leftover of an editor, desktop or file system",)
    assert [array.path for array in found.arrays] == [array.path for array in alone.arrays]
    assert (found.groups, found.facts, found.roles) == (alone.groups, alone.facts, alone.roles)
    assert (alone.assets, alone.folder) == ((), None)


def test_a_master_file_below_the_folder_that_was_named_gives_names_from_there(run):
    run.write_master()
    whole = run.path(1).rename(run.folder / "whole")
    with h5py.File(whole) as file, h5py.File(run.path(1), "w", userblock_size=512) as copy:
        file.copy("entry", copy)
    whole.unlink()
    inner = run.folder.rename(run.folder.parent / "e4m")
    outer = run.folder
    outer.mkdir()
    inner.rename(outer / "e4m")
    assert [file.name for file in read(outer).files] == [
        "e4m/run_master.h5", "e4m/run_data_000001.h5", "e4m/run_data_000002.h5",
    ]  # fmt: skip
    assert [asset.name for asset in read(outer).assets] == ["e4m/run_data_000001.h5.userblock"]


def test_other_hdf5_files_are_carried_byte_for_byte_and_named(run):
    run.write_master()
    with h5py.File(run.folder / "reduced.h5", "w") as file:
        file["x"] = 1
    found = read(run.folder)
    assert [asset.name for asset in found.assets] == ["reduced.h5"]
    assert found.notes == ("reduced.h5 is HDF5 and no part of the run: carried byte for byte",)


def test_several_master_files_are_listed_and_nothing_is_guessed(run):
    run.write_master()
    (run.folder / "again_master.h5").write_bytes(run.master.read_bytes())
    with pytest.raises(LayoutError, match=r"2 master files: again_master\.h5, run_master\.h5") as e:
        read(run.folder)
    assert "name the master files" in e.value.next_step
    assert read(run.folder, layout="folder").layout == "folder"


def test_what_the_folder_lacks_is_told_as_of_the_master_file(run):
    run.write_master()
    run.path(2).unlink()
    assert read(run.folder).missing == read(run.master).missing
    assert read(run.folder).missing[0] == "1 of 2 data files: run_data_000002.h5"


def test_links_of_the_file_system_are_kept_or_refused(run, tmp_path):
    run.write_master()
    (tmp_path / "elsewhere.txt").write_text("x")
    (run.folder / "out").symlink_to(tmp_path / "elsewhere.txt")
    (run.folder / "last.h5").symlink_to("run_data_000002.h5")
    found = read(run.folder)
    assert [problem.path for problem in found.problems] == ["/out"]
    assert found.groups[0].attributes["hsc:symlinks"] == {"last.h5": "run_data_000002.h5"}
