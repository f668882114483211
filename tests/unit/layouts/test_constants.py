"""Files of calibration constants: known by their arrays, which get a module's roles."""

from __future__ import annotations

import h5py
import numpy as np

from hsc.layouts import read_run
from hsc.testing import AgipdModel, write_agipd_constants


def read(path):
    return read_run(path, layout=None, time_zone="UTC")


def test_each_modules_arrays_have_its_roles(tmp_path):
    model = AgipdModel(shape=(4, 4))
    run = read(write_agipd_constants(tmp_path / "constants.h5", model, (0, 11)))
    assert run.layout == "constants"
    assert run.roles["thresholds@AGIPD11"] == "/AGIPD11/thresholds"
    assert len(run.roles) == 10


def test_constants_at_the_root_are_those_of_the_only_module(tmp_path):
    with h5py.File(tmp_path / "one.h5", "w") as file:
        for role in ("offset", "relative_gain", "thresholds"):
            file[role] = np.zeros((1, 3, 2, 2))
        file["remarks"] = "taken in the dark"
    run = read(tmp_path / "one.h5")
    assert set(run.roles) == {"offset", "relative_gain", "thresholds"}


def test_other_files_are_none(tmp_path):
    with h5py.File(tmp_path / "offset.h5", "w") as file:
        file["offset"] = np.zeros(3)
        file["a/thresholds"] = np.zeros(3)
        file["lost"] = h5py.SoftLink("/nowhere")
    assert read(tmp_path / "offset.h5").layout == "plain"
