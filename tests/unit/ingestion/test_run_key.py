"""A run has one key through all its states: late files leave it, other runs have another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hsc.ingestion import make_plan, run_key
from hsc.layouts import read_run
from hsc.testing import DectrisRun, Detector, ExfelRun, write_dectris_run, write_exfel_run

SMALL = Detector(shape=(16, 12), module_shape=(7, 12), gap_shape=(2, 0))


def key_and_source(path: Path) -> tuple[str, str]:
    run = read_run(path, layout=None, time_zone="UTC")
    return run_key(run), make_plan(run, policy="quarantine").source_id


@pytest.fixture
def dectris(tmp_path):
    run = DectrisRun(frames=5, frames_per_file=2, detector=SMALL)
    return write_dectris_run(tmp_path / "one" / "run", run)


def test_a_data_file_and_a_note_that_come_late_leave_the_key_of_a_dectris_run(dectris, tmp_path):
    folder = dectris.parent
    late = folder / "series_1_data_000003.h5"
    late.rename(tmp_path / late.name)
    first = key_and_source(folder)
    (tmp_path / late.name).rename(late)
    second = key_and_source(folder)
    (folder / "notes.txt").write_text("x")
    third = key_and_source(folder)
    assert len({first[0], second[0], third[0]}) == 1
    assert len({first[1], second[1], third[1]}) == 3
    assert key_and_source(dectris)[0] == first[0]
    elsewhere = shutil.copytree(folder, tmp_path / "two" / "copied")
    assert key_and_source(elsewhere) == third


def test_another_dectris_run_of_the_same_name_has_another_key(dectris, tmp_path):
    run = DectrisRun(frames=5, frames_per_file=2, detector=SMALL, wavelength_nm=0.2)
    other = write_dectris_run(tmp_path / "other" / "run", run)
    assert key_and_source(other)[0] != key_and_source(dectris)[0]


def test_a_european_xfel_run_is_known_by_proposal_number_and_kind(tmp_path):
    write_exfel_run(tmp_path / "here", ExfelRun(modules=[0]))
    first = key_and_source(tmp_path / "here")
    write_exfel_run(tmp_path / "late", ExfelRun(modules=[0, 1]))
    assert key_and_source(tmp_path / "late")[0] == first[0]
    write_exfel_run(tmp_path / "corrected", ExfelRun(modules=[0], kind="CORR"))
    assert key_and_source(tmp_path / "corrected")[0] != first[0]
