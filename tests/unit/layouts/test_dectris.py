"""A DECTRIS run is read whole, or the reader is told which part is missing or wrong."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from hsc.errors import HscError, LayoutError
from hsc.layouts import read_run

TARGET = "/entry/data/data"


def read(run, **options):
    return read_run(run.write_master(), **{"layout": None, "time_zone": "Europe/Berlin", **options})


def stack(found):
    return next(array for array in found.arrays if array.path == TARGET)


def test_the_data_files_are_one_stack_at_its_nexus_place(run):
    found = read(run)
    assert found.layout == "dectris"
    assert [file.name for file in found.files] == [
        "run_master.h5", "run_data_000001.h5", "run_data_000002.h5",
    ]  # fmt: skip
    assert stack(found).shape == (5, 8, 6)
    assert stack(found).dimension_names == ("frame", "y", "x")
    assert found.roles["frames"] == TARGET
    assert found.roles["pixel_mask"].endswith("detectorSpecific/pixel_mask")
    assert not found.missing
    assert not found.problems
    parts = stack(found).attributes["hsc:stack"]
    assert [part["frames"] for part in parts] == [[0, 3], [3, 5]]
    assert parts[1]["attributes"]["image_nr_low"] == 4


def test_what_the_files_say_of_the_measurement_is_found(run):
    facts = read(run).facts
    assert facts.title == "a tiny run"
    assert facts.collected is not None
    assert facts.collected.isoformat() == "2026-05-04T10:00:00+02:00"
    assert facts.quantities["photon_energy"].value == pytest.approx(12.398419843, rel=1e-9)
    assert facts.quantities["wavelength"].unit == "angstrom"


def test_links_are_taken_by_their_numbers_not_by_their_names(run):
    for number in range(3, 12):
        run.write_data(number, run.frames[:1], number + 3, number + 3)
        run.links[f"data_{number}"] = (run.path(number).name, TARGET)
    run.told = (14, 1)
    found = read(run)
    assert [file.name[-5:-3] for file in found.files[1:]] == [f"{n:02}" for n in range(1, 12)]
    assert not found.missing


def test_files_without_numbers_are_taken_as_they_come(run):
    run.write_data(1, run.frames[:3], False)
    run.write_data(2, run.frames[3:], False)
    assert stack(read(run)).shape == (5, 8, 6)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((2, 8, 7), "u2"), ((2, 6, 8), "u2"), ((2, 8, 6), "u4")]
)
def test_a_data_file_of_another_kind_is_refused(run, shape, dtype):
    run.write_data(2, np.zeros(shape), 4, 5, dtype)
    with pytest.raises(LayoutError, match="run_data_000001"):
        read(run)


@pytest.mark.parametrize("way", ["up", "absolute", "symlink", "folder link"])
def test_a_link_that_leads_out_of_the_folder_is_refused(run, way):
    outside = run.folder.parent / "outside"
    outside.mkdir()
    run.path(2).rename(outside / "secret.h5")
    if way == "symlink":
        run.path(2).symlink_to(outside / "secret.h5")
    elif way == "folder link":
        (run.folder / "in").symlink_to(outside)
    names = {
        "up": "../outside/secret.h5",
        "absolute": str(outside / "secret.h5"),
        "symlink": run.path(2).name,
        "folder link": "in/secret.h5",
    }
    run.links["data_000002"] = (names[way], TARGET)
    with pytest.raises(LayoutError, match="out of the run's folder"):
        read(run)


def test_a_run_may_be_reached_through_a_link_to_its_folder(run, tmp_path):
    run.write_master()
    (tmp_path / "link").symlink_to(run.folder)
    found = read_run(tmp_path / "link" / run.master.name, layout=None, time_zone="UTC")
    assert stack(found).shape == (5, 8, 6)


@pytest.mark.parametrize("what", ["path", "flat", "text"])
def test_a_data_file_without_a_stack_is_refused(run, what):
    with h5py.File(run.path(2), "w") as file:
        if what == "flat":
            file[TARGET] = np.zeros((8, 6), "u2")
        elif what == "text":
            file[TARGET] = "no frames"
    with pytest.raises(LayoutError, match="no stack of frames"):
        read(run)


def test_a_data_file_that_is_cut_off_is_an_error_that_names_it(run):
    data = run.path(2).read_bytes()
    for length in np.linspace(0, len(data) - 1, 12).astype(int):
        run.path(2).write_bytes(data[:length])
        with pytest.raises(HscError) as caught:
            read(run)
        assert "run_data_000002.h5" in str(caught.value)


def test_what_data_files_hold_beside_their_frames_is_named(run):
    with h5py.File(run.path(2), "a") as file:
        file["entry/note"] = "beside"
    assert [problem.path for problem in read(run).problems] == ["run_data_000002.h5:/entry/note"]


@pytest.mark.parametrize("name", ["frames", "a", "z"])
def test_frames_may_stand_anywhere_and_what_stands_at_their_usual_place_is_named(run, name):
    with h5py.File(run.path(2), "a") as file:
        file.move(TARGET, f"/entry/data/{name}")
        file[TARGET] = np.zeros((8, 6))
    run.links["data_000002"] = (run.path(2).name, f"entry/data/{name}")
    found = read(run)
    assert stack(found).shape == (5, 8, 6)
    assert stack(found).pieces[1].dataset.path == f"/entry/data/{name}"
    assert [problem.path for problem in found.problems] == [f"run_data_000002.h5:{TARGET}"]


@pytest.mark.parametrize("way", ["hard", "soft", "relative"])
def test_frames_that_are_linked_inside_of_their_file_are_found_and_the_link_is_kept(run, way):
    with h5py.File(run.path(2), "a") as file:
        file.move(TARGET, "/entry/data/all")
        file[TARGET] = {
            "hard": file["/entry/data/all"],
            "soft": h5py.SoftLink("/entry/data/all"),
            "relative": h5py.SoftLink("all"),
        }[way]
    found = read(run)
    assert not found.problems
    part = stack(found).attributes["hsc:stack"][1]
    kind, to = ("soft", "all") if way == "relative" else (way, "/entry/data/all")
    assert part["path"] == "/entry/data/all"
    assert part["links"] == {"/entry/data": {"data": {kind: to}}}


def test_links_that_lead_round_are_no_frames(run):
    with h5py.File(run.path(2), "a") as file:
        del file[TARGET]
        file[TARGET] = h5py.SoftLink("/entry/data/other")
        file["/entry/data/other"] = h5py.SoftLink(TARGET)
    with pytest.raises(LayoutError, match="no stack of frames"):
        read(run)


def test_one_file_with_two_stacks_is_read_once(run):
    with h5py.File(run.path(1), "a") as file:
        file["entry/data/more"] = run.frames[3:]
        file["entry/data/none"] = 1
    run.links["data_000002"] = (run.path(1).name, "/entry/data/more")
    found = read(run)
    assert [file.name for file in found.files] == ["run_master.h5", "run_data_000001.h5"]
    assert [piece.file for piece in stack(found).pieces] == [1, 1]
    assert [problem.path for problem in found.problems] == ["run_data_000001.h5:/entry/data/none"]


def test_links_and_all_groups_of_data_files_are_kept_and_links_to_other_files_named(run):
    with h5py.File(run.path(2), "a") as file:
        file.create_group("entry/sample/empty")
        file["entry/soft"] = h5py.SoftLink("/nowhere")
        file["entry/again"] = file["entry/data"]
        file["entry/far"] = h5py.ExternalLink("other.h5", "/x")
    found = read(run)
    first, second = stack(found).attributes["hsc:stack"]
    assert first["links"] == {}
    assert first["groups"] == {"/": {}, "/entry": {"NX_class": "NXentry"}, "/entry/data": {}}
    assert set(second["groups"]) == {
        "/", "/entry", "/entry/again", "/entry/sample", "/entry/sample/empty",
    }  # fmt: skip
    assert second["links"] == {
        "/entry": {
            "data": {"hard": "/entry/again"},
            "soft": {"soft": "/nowhere"},
            "far": {"external": "/x", "file": "other.h5"},
        }
    }
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        ("run_data_000002.h5:/entry/far", "an external link to other.h5")
    ]


def test_other_external_links_of_the_master_are_named(run):
    master = run.write_master()
    with h5py.File(master, "a") as file:
        file["entry/far"] = h5py.ExternalLink("other.h5", "/x")
    found = read_run(master, layout=None, time_zone="UTC")
    assert [problem.path for problem in found.problems] == ["/entry/far"]


def test_what_other_external_links_of_the_master_lead_to_is_carried(run):
    master = run.write_master()
    with h5py.File(master.parent / "other.h5", "w") as file:
        file["x"] = np.arange(3)
    with h5py.File(master, "a") as file:
        file["entry/far"] = h5py.ExternalLink("other.h5", "/x")
    found = read_run(master, layout=None, time_zone="UTC")
    assert (found.problems, found.missing) == ((), ())
    array = next(each for each in found.arrays if each.path == "/entry/far")
    assert found.files[array.pieces[0].file].name == "other.h5"
    assert [found.files[piece.file].name for piece in stack(found).pieces] == [
        "run_data_000001.h5", "run_data_000002.h5",
    ]  # fmt: skip


def test_user_blocks_of_master_and_data_files_are_carried(run):
    master = run.write_master()
    for path, nbytes in ((master, 1024), (run.path(2), 512)):
        whole = path.with_suffix(".whole")
        path.rename(whole)
        with h5py.File(whole) as file, h5py.File(path, "w", userblock_size=nbytes) as copy:
            for name in file:
                file.copy(name, copy, expand_external=False)
    found = read_run(master, layout=None, time_zone="UTC")
    assert stack(found).shape == (5, 8, 6)
    assert found.problems == ()
    assert [(asset.name, asset.nbytes) for asset in found.assets] == [
        ("run_master.h5.userblock", 1024),
        ("run_data_000002.h5.userblock", 512),
    ]


@pytest.mark.parametrize("numbered", [True, False])
def test_one_stack_linked_twice_is_refused(run, numbered):
    if not numbered:
        run.write_data(2, run.frames[3:], False)
    run.links["data_000003"] = run.links["data_000002"]
    with pytest.raises(LayoutError, match="data_000003"):
        read(run)


def test_a_data_file_that_links_to_itself_is_an_error_that_names_it(run):
    run.path(2).unlink()
    run.path(2).symlink_to(run.path(2).name)
    with pytest.raises(HscError, match=r"run_data_000002\.h5"):
        read(run)


def test_other_links_beside_the_frames_and_odd_names_do_not_disturb(run):
    master = run.write_master()
    with h5py.File(master, "a") as file:
        folder = file["entry/data"]
        folder["data_soft"] = h5py.SoftLink("/nowhere")
        h5py.h5g.create(folder.id, b"data_\xe9")
    found = read_run(master, layout=None, time_zone="UTC")
    assert stack(found).shape == (5, 8, 6)


def test_a_file_with_its_frames_inside_is_plain(run, tmp_path):
    assert read_run(run.path(1), layout=None, time_zone="UTC").layout == "plain"
    with pytest.raises(LayoutError):
        read_run(run.path(1), layout="dectris", time_zone="UTC")


def test_a_master_taken_as_plain_has_the_frames_under_its_links(run):
    found = read(run, layout="plain")
    assert not found.problems
    links = ("/entry/data/data_000001", "/entry/data/data_000002")
    assert [a.path for a in found.arrays if a.path in links] == list(links)
    assert [a.pieces[0].file for a in found.arrays if a.path in links] == [1, 2]
    assert os.path.basename(str(found.files[0].path)) == "run_master.h5"
