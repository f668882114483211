"""DECTRIS masters of format v2024.2: one stack of channels, what each has, what is missing."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hsc.errors import IncompleteRunError, LayoutError
from hsc.layouts import read_run
from hsc.testing import DectrisRun, Detector, write_dectris_channels

SMALL = Detector(shape=(16, 12), module_shape=(7, 12), gap_shape=(2, 0))
RUN = DectrisRun(
    frames=5, frames_per_file=2, detector=SMALL, proposal="20260001", sample="lysozyme",
    instrument="BioMAX",
)  # fmt: skip
STACK = "/entry/data/data"


def pixels(index, channel):
    return np.full(SMALL.shape, 100 * channel + index, "u2")


def read(path):
    return read_run(path, layout=None, time_zone="UTC")


@pytest.fixture
def master(tmp_path):
    return write_dectris_channels(tmp_path / "run", RUN, pixels)


def test_frames_have_a_dimension_of_channels_and_their_roles(master):
    run = read(master)
    assert (run.layout, run.missing, run.problems) == ("dectris", (), ())
    frames = next(array for array in run.arrays if array.path == run.roles["frames"])
    assert (frames.path, frames.shape) == (STACK, (5, 3, 16, 12))
    assert frames.dimension_names == ("frame", "channel", "y", "x")
    assert [part["file"] for part in frames.attributes["hsc:stack"]] == [
        f"series_1_data_00000{n}.h5" for n in (1, 2, 3)
    ]
    assert [part["frames"] for part in frames.attributes["hsc:stack"]] == [[0, 2], [2, 4], [4, 5]]
    detector = "/entry/instrument/detector"
    assert run.roles["pixel_mask"] == f"{detector}/threshold_1_channel/pixel_mask"
    assert run.roles["flatfield_threshold_2"] == f"{detector}/threshold_2_channel/flatfield"
    assert run.roles["threshold_energy_difference"] == (
        f"{detector}/difference_channel/threshold_energy"
    )
    assert "pixel_mask_difference" not in run.roles
    for role in ("channel", "image_id", "wavelength", "distance", "beam_center_x", "saturation"):
        assert role in run.roles
    paths = {array.path for array in run.arrays}
    assert set(run.roles.values()) <= paths
    assert [file.name for file in run.files] == [
        "series_1_master.h5", *(f"series_1_data_00000{n}.h5" for n in (1, 2, 3)),
    ]  # fmt: skip


def test_facts_come_from_the_master(master):
    facts = read(master).facts
    assert (facts.proposal, facts.sample, facts.instrument) == ("20260001", "lysozyme", "BioMAX")
    assert facts.quantities["detector_distance"].value == 2.5
    assert facts.quantities["photon_energy"].unit == "eV"
    assert facts.quantities["photon_energy"].value == pytest.approx(12398.4, abs=0.1)


def test_a_folder_of_the_newer_format_is_its_run(master):
    (master.parent / "notes.txt").write_text("x")
    run = read(master.parent)
    assert (run.layout, [asset.name for asset in run.assets]) == ("dectris", ["notes.txt"])


def test_a_data_file_that_is_not_there_is_told(master):
    (master.parent / "series_1_data_000002.h5").unlink()
    run = read(master)
    assert run.missing[0] == "1 of 3 data files: series_1_data_000002.h5"
    assert "the frames numbered 3 to 4, before series_1_data_000003.h5" in run.missing
    assert "2 of 5 frames" in run.missing
    for path in master.parent.glob("*_data_*"):
        path.unlink()
    with pytest.raises(IncompleteRunError, match="none of the run's data files"):
        read(master)


def test_images_that_were_never_written_are_told(master):
    with h5py.File(master.parent / "series_1_data_000003.h5", "a") as file:
        old = file[STACK]
        new = file.create_dataset("entry/data/new", old.shape, old.dtype, chunks=old.chunks)
        new[0, :2] = old[0, :2]
        for name, value in old.attrs.items():
            new.attrs[name] = value
        del file[STACK]
        file.move("entry/data/new", STACK)
    assert "frame 5 of 5 was never written" in read(master).missing


def test_a_run_that_ended_early_lacks_its_last_frames(tmp_path):
    master = write_dectris_channels(tmp_path, RUN, pixels)
    with h5py.File(master, "a") as file:
        del file["entry/data/image_id"]
        file["entry/data/image_id"] = np.arange(1, 8)
    assert read(master).missing == ("frames 6 to 7 of 7",)


def test_a_source_outside_of_the_runs_folder_is_refused(tmp_path):
    master = write_dectris_channels(tmp_path / "run", RUN, pixels)
    (tmp_path / "run" / "series_1_data_000002.h5").rename(tmp_path / "series_1_data_000002.h5")
    (tmp_path / "run" / "series_1_data_000002.h5").symlink_to("../series_1_data_000002.h5")
    with pytest.raises(LayoutError, match="leads out of the run's folder"):
        read(master)


def test_a_master_with_its_images_inside_needs_no_data_files(tmp_path):
    master = write_dectris_channels(tmp_path, RUN, pixels)
    with h5py.File(master, "a") as file:
        values = file[STACK][()]
        del file[STACK]
        file.create_dataset(STACK, data=values, chunks=(1, 1, 16, 12))
    for path in tmp_path.glob("*_data_*"):
        path.unlink()
    run = read(master)
    assert (run.layout, run.missing, run.problems) == ("dectris", (), ())
    assert run.roles["frames"] == STACK
    assert len(run.files) == 1
