"""A DECTRIS run is read whole, or the reader is told which part is missing or wrong."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from hsc.errors import HscError, IncompleteRunError, LayoutError
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


def test_a_missing_data_file_is_named(run):
    run.path(2).unlink()
    with pytest.raises(IncompleteRunError, match=r"run_data_000002\.h5"):
        read(run)


@pytest.mark.parametrize(("low", "high"), [(5, 6), (3, 4), (4, 6), (1, 2), (4, 4)])
def test_frames_with_wrong_numbers_are_refused(run, low, high):
    run.write_data(2, run.frames[3:], low, high)
    with pytest.raises(IncompleteRunError, match="frames are numbered"):
        read(run)


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


@pytest.mark.parametrize("told", [(6, 1), (5, 2), (3, 2)])
def test_fewer_frames_than_the_detector_was_told_are_missing(run, told):
    run.told = told
    expected = told[0] * told[1]
    assert read(run).missing == (f"frames 6 to {expected} of {expected}",)


@pytest.mark.parametrize("told", [(5, 1), (4, 1), (None, 1), (5, None), (0, 0)])
def test_as_many_frames_or_more_or_no_word_of_it_are_complete(run, told):
    run.told = told
    assert not read(run).missing


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


def test_one_file_linked_twice_is_refused(run):
    run.links["data_000003"] = run.links["data_000002"]
    with pytest.raises(IncompleteRunError):
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


def test_a_master_taken_as_plain_names_its_external_links(run):
    found = read(run, layout="plain")
    assert [problem.path for problem in found.problems] == [
        "/entry/data/data_000001", "/entry/data/data_000002",
    ]  # fmt: skip
    assert os.path.basename(str(found.files[0].path)) == "run_master.h5"
