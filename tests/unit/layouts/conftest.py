"""DECTRIS runs of a few tiny frames, each with one thing wrong on demand."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest


def write_data_file(path, frames, low=None, high=None, dtype="u2"):
    """Write a data file; without ``low`` and ``high`` its frames are numbered from 1."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        made = entry.create_dataset(
            "data/data", data=frames.astype(dtype), chunks=(1, *frames.shape[1:]),
            **hdf5plugin.Bitshuffle(),
        )  # fmt: skip
        if low is not False:
            made.attrs["image_nr_low"] = 1 if low is None else low
            made.attrs["image_nr_high"] = len(frames) if high is None else high


class TinyRun:
    """A run of two data files of 3 and 2 frames."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.master = folder / "run_master.h5"
        self.frames = np.random.default_rng(2).integers(0, 99, (5, 8, 6)).astype("u2")
        self.links = {
            "data_000001": ("run_data_000001.h5", "/entry/data/data"),
            "data_000002": ("run_data_000002.h5", "/entry/data/data"),
        }
        self.told = (5, 1)
        self.write_data(1, self.frames[:3], 1, 3)
        self.write_data(2, self.frames[3:], 4, 5)

    def path(self, number):
        return self.folder / f"run_data_{number:06}.h5"

    def write_data(self, number, frames, low=None, high=None, dtype="u2"):
        write_data_file(self.path(number), frames, low, high, dtype)

    def write_master(self):
        with h5py.File(self.master, "w") as file:
            file.create_group("entry").attrs["NX_class"] = "NXentry"
            specific = file.create_group("entry/instrument/detector/detectorSpecific")
            for name, value in zip(("nimages", "ntrigger"), self.told, strict=True):
                if value is not None:
                    specific[name] = value
            specific["pixel_mask"] = np.zeros((8, 6), "u4")
            file["entry/instrument/detector/count_time"] = 0.5
            file["entry/title"] = "a tiny run"
            file["entry/start_time"] = "2026-05-04T10:00:00"
            file["entry/instrument/beam/incident_wavelength"] = 1.0
            folder = file.create_group("entry/data")
            for name, (data, path) in self.links.items():
                folder[name] = h5py.ExternalLink(data, path)
        return self.master


@pytest.fixture
def run(tmp_path):
    return TinyRun(tmp_path / "run")
