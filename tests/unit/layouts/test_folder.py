"""Any folder is a run: HDF5 files are subtrees, all else is carried, what is left out is named."""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from hsc.errors import NotHdf5Error
from hsc.layouts import read_run


def read(path, layout=None):
    return read_run(path, layout=layout, time_zone="UTC")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run7"
    (folder / "sub" / "deep").mkdir(parents=True)
    for name in ("b.h5", "a.h5", "sub/deep/a.h5"):
        with h5py.File(folder / name, "w") as file:
            file["g/x"] = np.arange(len(name))
            file.attrs["said"] = name
            file["g/soft"] = h5py.SoftLink("/g/x")
    (folder / "sub" / "notes.txt").write_text("all well")
    (folder / ".config").write_text("hidden")
    return folder


def test_each_file_is_a_subtree_under_its_name_and_the_rest_is_carried(folder):
    run = read(folder)
    assert (run.layout, run.name, run.folder) == ("folder", "run7", folder)
    assert [file.name for file in run.files] == ["a.h5", "b.h5", "sub/deep/a.h5"]
    assert [(array.path, array.shape, array.pieces[0].file) for array in run.arrays] == [
        ("/a.h5/g/x", (4,), 0),
        ("/b.h5/g/x", (4,), 1),
        ("/sub/deep/a.h5/g/x", (13,), 2),
    ]
    assert [asset.name for asset in run.assets] == [".config", "sub/notes.txt"]
    assert (run.problems, run.missing, run.notes) == ((), (), ())
    groups = {group.path: group for group in run.groups}
    assert list(groups) == sorted(groups)
    assert groups["/sub/deep/a.h5"].attributes == {
        "said": "sub/deep/a.h5", "hsc:file": "sub/deep/a.h5",
    }  # fmt: skip
    assert {"/", "/sub", "/sub/deep", "/a.h5/g"} < set(groups)
    # A link's absolute path begins at the subtree's file, as it does in HDF5.
    assert groups["/a.h5/g"].links == {"soft": {"soft": "/g/x"}}


def test_external_links_within_the_folder_stay_links_and_those_out_of_it_are_named(folder):
    with h5py.File(folder / "sub" / "links.h5", "w") as file:
        file["near"] = h5py.ExternalLink("deep/a.h5", "/g/x")
        file["beside"] = h5py.ExternalLink("../b.h5", "/g")
        file["absolute"] = h5py.ExternalLink(str(folder / "a.h5"), "/g")
        file["moved"] = h5py.ExternalLink("/where/it/was/links.h5", "/g")
        file["out"] = h5py.ExternalLink("../../other.h5", "/g")
        file["nowhere"] = h5py.ExternalLink("gone.h5", "/g")
    run = read(folder)
    links = next(group for group in run.groups if group.path == "/sub/links.h5").links
    assert set(links) == {"near", "beside", "absolute", "moved", "out", "nowhere"}
    assert {problem.path for problem in run.problems} == {"/sub/links.h5/out"}
    assert run.missing == ("sub/gone.h5, which /sub/links.h5/nowhere links to",)


def test_files_that_many_links_name_are_missing_once(folder):
    with h5py.File(folder / "scan.h5", "w") as file:
        for number in range(3):
            file[f"frames/{number:06}"] = h5py.ExternalLink("det.h5", f"/{number}")
        file["other"] = h5py.ExternalLink("sub/notes.txt", "/x")
    run = read(folder)
    assert run.missing == ("det.h5, which /scan.h5/frames/000000 links to, as do 2 more",)


def write_virtual(path, name, length=4):
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((length,), "i8")
        layout[:] = h5py.VirtualSource(name, "/g/x", (length,))
        file.create_virtual_dataset("v", layout)


def test_virtual_datasets_find_their_sources_anywhere_in_the_folder(folder):
    write_virtual(folder / "sub" / "virtual.h5", "../b.h5")
    run = read(folder)
    assert (run.problems, run.missing) == ((), ())
    array = next(each for each in run.arrays if each.path == "/sub/virtual.h5/v")
    (piece,) = array.pieces
    assert run.files[piece.file].name == "sub/virtual.h5"
    named = [file.name for file in run.files]
    assert named == sorted(named)
    assert run.notes == (
        "sub/virtual.h5 has virtual datasets over other files of the run (1): "
        "their values are stored twice",
    )


def test_a_virtual_datasets_source_that_is_not_there_is_missing_and_one_outside_is_refused(
    folder, tmp_path
):
    write_virtual(folder / "virtual.h5", "sub/later.h5")
    (tmp_path / "theirs.h5").write_bytes((folder / "b.h5").read_bytes())
    write_virtual(folder / "sub" / "out.h5", "../../theirs.h5")
    run = read(folder)
    assert run.missing == ("sub/later.h5, which /virtual.h5/v reads from",)
    reasons = {problem.path: problem.reason for problem in run.problems}
    assert "leads out of the run's folder" in reasons["/sub/out.h5/v"]


def test_raw_data_and_user_blocks_belong_to_the_run(folder):
    (folder / "sub" / "raw.bin").write_bytes(np.arange(6, dtype="<i4").tobytes())
    with h5py.File(folder / "sub" / "outer.h5", "w", userblock_size=512) as file:
        file.create_dataset("x", (6,), "<i4", external=[("raw.bin", 0, 24)])
    run = read(folder)
    assert run.problems == ()
    assert "sub/raw.bin" in [file.name for file in run.files]
    assert [asset.name for asset in run.assets] == [
        ".config", "sub/notes.txt", "sub/outer.h5.userblock", "sub/raw.bin",
    ]  # fmt: skip
    assert len({file.path for file in run.sources}) == len(run.sources)


def test_leftovers_and_what_is_no_file_are_named(folder):
    for name in ("notes.txt~", ".nfs000000000123", ".DS_Store", "sub/.notes.txt.swp"):
        (folder / name).write_text("?")
    (folder / "empty").mkdir()
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path may have no more than 100 bytes
        listening.bind("talk")
        os.chdir(here)
        run = read(folder)
    told = " ".join(run.notes)
    assert len(run.notes) == 7
    for name in ("notes.txt~", ".nfs000000000123", ".DS_Store", "sub/.notes.txt.swp", "empty"):
        assert f"left out: {name}, " in told
    assert "pipe, no file but a named pipe" in told
    assert "talk, no file but a socket" in told
    assert [asset.name for asset in run.assets] == [".config", "sub/notes.txt"]


def test_links_of_the_file_system_are_kept_inside_and_refused_outside(folder, tmp_path):
    (tmp_path / "secret.txt").write_text("not yours")
    (tmp_path / "others").mkdir()
    (folder / "latest.h5").symlink_to("b.h5")
    (folder / "here").symlink_to(folder / "sub")
    (folder / "notes").symlink_to(tmp_path / "secret.txt")
    (folder / "theirs").symlink_to("../others")
    (folder / "dangling").symlink_to("gone.h5")
    (folder / "self").symlink_to("self")
    run = read(folder)
    root = next(group for group in run.groups if group.path == "/")
    assert root.attributes == {"hsc:symlinks": {"here": "sub", "latest.h5": "b.h5"}}
    assert {problem.path: problem.reason.split(",")[0] for problem in run.problems} == {
        "/dangling": "a symbolic link to gone.h5",
        "/notes": "a symbolic link out of the run's folder",
        "/self": "a symbolic link to self",
        "/theirs": "a symbolic link out of the run's folder",
    }
    assert len(run.files) == 3
    assert len(run.assets) == 2


def test_a_file_that_should_be_hdf5_and_is_not_is_named_and_its_bytes_are_carried(folder):
    (folder / "cut.h5").write_bytes((folder / "a.h5").read_bytes()[:700])
    (folder / "text.h5").write_text("no HDF5")
    (folder / "none.cxi").touch()
    run = read(folder)
    assert {problem.path: problem.reason.split(":")[0] for problem in run.problems} == {
        "/cut.h5": "the file can't be opened",
        "/none.cxi": "the file is empty",
        "/text.h5": "the file is no HDF5",
    }
    assert {"cut.h5", "none.cxi", "text.h5"} < {asset.name for asset in run.assets}


def test_a_file_that_is_still_being_copied_makes_the_run_incomplete(folder):
    (folder / ".c.h5.Xy12Za").write_bytes(b"half")
    assert read(folder).missing == ("what is still being copied as .c.h5.Xy12Za",)


@contextmanager
def nobody():
    """Be one who may not read everything."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    yield
    os.seteuid(mine)


def test_a_file_and_a_folder_that_may_not_be_read_are_named():
    # Not below pytest's folder, which only its owner may enter.
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("a.h5", "b.h5", "shut/c.h5"):
            (folder / name).parent.mkdir(exist_ok=True)
            with h5py.File(folder / name, "w"):
                pass
        folder.chmod(0o755)
        (folder / "b.h5").chmod(0)
        (folder / "shut").chmod(0)
        with nobody():
            run = read(folder)
        (folder / "shut").chmod(0o755)
    assert [problem.path for problem in run.problems] == ["/b.h5", "/shut"]


def test_facts_are_those_that_all_files_agree_on(folder):
    for name, sample in (("a.h5", "lysozyme"), ("b.h5", "buffer")):
        with h5py.File(folder / name, "a") as file:
            file.create_group("entry").attrs["NX_class"] = "NXentry"
            file["entry/sample/name"] = sample
            file["entry/proposal_identifier"] = "20260001"
            file["entry/start_time"] = f"2026-05-04T0{len(sample)}:00:00Z"
    facts = read(folder).facts
    assert (facts.sample, facts.proposal) == (None, "20260001")
    assert facts.collected is not None
    assert facts.collected.hour == 6


@pytest.mark.parametrize(("names", "said"), [([], "empty"), (["a.txt", "b.tif"], "2 files")])
def test_a_folder_without_hdf5_is_refused(tmp_path, names, said):
    for name in names:
        (tmp_path / name).write_text("x")
    with pytest.raises(NotHdf5Error, match=said):
        read(tmp_path)


def test_a_folder_has_a_key_that_a_late_file_leaves_as_it_is(folder, tmp_path):
    before = read(folder).key
    with h5py.File(folder / "0.h5", "w"):
        pass
    assert read(folder).key == before
    folder.rename(tmp_path / "elsewhere")
    assert read(tmp_path / "elsewhere").key != before
