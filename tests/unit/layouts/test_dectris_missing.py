"""What a DECTRIS run lacks is told: data files, links, numbers, frames never written."""

from __future__ import annotations

import h5py
import pytest

from hsc.errors import IncompleteRunError
from hsc.layouts import read_run

TARGET = "/entry/data/data"


def read(run):
    return read_run(run.write_master(), layout=None, time_zone="UTC")


def test_a_missing_data_file_is_named_and_the_rest_is_read(run):
    run.path(2).unlink()
    found = read(run)
    assert found.missing == ("1 of 2 data files: run_data_000002.h5", "2 of 5 frames")
    assert [file.name for file in found.files] == ["run_master.h5", "run_data_000001.h5"]
    assert found.arrays[-1].shape == (3, 8, 6)


def test_of_many_missing_data_files_the_first_are_named(run):
    for number in range(3, 16):
        run.links[f"data_{number:06}"] = (run.path(number).name, TARGET)
    named = ", ".join(run.path(number).name for number in range(3, 13))
    assert read(run).missing == (f"13 of 15 data files: {named} and 3 more",)


def test_a_run_without_any_data_file_is_refused(run):
    run.path(1).unlink()
    run.path(2).unlink()
    with pytest.raises(IncompleteRunError, match=r"run_data_000001\.h5, run_data_000002\.h5"):
        read(run)


@pytest.mark.parametrize(
    ("numbers", "lacking"),
    [
        ((1, 3), "data_000002"),
        ((2, 3), "data_000001"),
        ((1, 7), "data_000002 to data_000006"),
        ((3, 5), "data_000001 to data_000002, data_000004"),
        ((1, 9**12), f"data_000002 to data_{9**12 - 1}"),
    ],
)
def test_holes_in_the_numbers_of_the_links_are_missing(run, numbers, lacking):
    links = list(run.links.values())
    run.links = {f"data_{n:06}": link for n, link in zip(numbers, links, strict=True)}
    assert read(run).missing == (f"the master file's links {lacking}",)


@pytest.mark.parametrize("numbers", [(0, 1), (1, 2)])
def test_links_may_be_numbered_from_nought_or_one(run, numbers):
    links = list(run.links.values())
    run.links = {f"data_{n:06}": link for n, link in zip(numbers, links, strict=True)}
    assert not read(run).missing


@pytest.mark.parametrize(("low", "high"), [(3, 4), (4, 6), (1, 2), (4, 4), (5, 5)])
def test_frames_with_wrong_numbers_are_refused(run, low, high):
    run.write_data(2, run.frames[3:], low, high)
    with pytest.raises(IncompleteRunError, match="frames are numbered"):
        read(run)


@pytest.mark.parametrize(("low", "span"), [(5, "4"), (6, "4 to 5"), (1_000_004, "4 to 1000003")])
def test_frames_whose_numbers_are_skipped_are_missing(run, low, span):
    run.write_data(2, run.frames[3:], low, low + 1)
    assert read(run).missing == (f"the frames numbered {span}, before run_data_000002.h5",)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ((0, 2), "frame 5 of 6 was"),
        ((0,), "frames 5 to 6 of 6 were"),
        ((1,), "frames 4, 6 of 6 were"),
        ((), "frames 4 to 6 of 6 were"),
    ],
)
def test_frames_that_were_never_written_are_missing(run, written, said):
    run.told = (6, 1)
    with h5py.File(run.path(2), "w") as file:
        made = file.create_dataset(TARGET, (3, 8, 6), "u2", chunks=(1, 4, 6))
        for row in written:
            made[row] = 1
        for row in {0, 1, 2} - set(written):
            made[row, :4] = 1  # half a frame is none
    with h5py.File(run.path(1), "a") as file:
        del file[TARGET]
        file.create_dataset(TARGET, data=run.frames[:3])
    assert read(run).missing == (f"{said} never written",)


def test_a_stack_of_one_piece_that_was_never_written_is_missing(run):
    with h5py.File(run.path(2), "w") as file:
        file.create_dataset(TARGET, (2, 8, 6), "u2")
    assert read(run).missing == ("frames 4 to 5 of 5 were never written",)


def test_all_frames_of_a_chunk_that_was_never_written_are_missing_and_no_more(run):
    run.told = (8, 1)
    with h5py.File(run.path(2), "w") as file:
        made = file.create_dataset(TARGET, (5, 8, 6), "u2", chunks=(2, 8, 6))
        made[:2] = 1
        made[4] = 1
    assert read(run).missing == ("frames 6 to 7 of 8 were never written",)


def test_of_many_holes_the_first_are_named(run):
    run.told = (303, 1)
    with h5py.File(run.path(2), "w") as file:
        made = file.create_dataset(TARGET, (300, 8, 6), "u2", chunks=(1, 8, 6))
        made[::2] = 1
    (told,) = read(run).missing
    named = ", ".join(map(str, range(5, 25, 2)))
    assert told == f"frames {named} and 140 more of 303 were never written"


@pytest.mark.parametrize("told", [(6, 1), (5, 2), (3, 2)])
def test_fewer_frames_than_the_detector_was_told_are_missing(run, told):
    run.told = told
    expected = told[0] * told[1]
    assert read(run).missing == (f"frames 6 to {expected} of {expected}",)


@pytest.mark.parametrize("told", [(5, 1), (4, 1), (None, 1), (5, None), (0, 0)])
def test_as_many_frames_or_more_or_no_word_of_it_are_complete(run, told):
    run.told = told
    assert not read(run).missing
