"""A run of neutron events becomes a curve that other programs read, and the same bytes again."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from sasdata.dataloader.loader import Loader

from hsc.reductions import Curve, GuinierParameters, fit_guinier
from hsc.testing import EventSansModel, StrawBank, measure_events, sphere_form_factor
from hsc.testing import write_event_file as write

MODEL = EventSansModel(banks=(StrawBank(straws=48, pixels=48, pitch_m=0.02, radius_m=0.005),))
SETTINGS = (
    "wavelength_min_angstrom=2", "wavelength_max_angstrom=11", "wavelength_bins=45",
    "q_min_per_angstrom=0.004", "q_max_per_angstrom=0.1", "q_bins=60", "qxy_bins=40",
    "frame_shortest_wavelength_angstrom=1.8", "uncertainties=drop",
)  # fmt: skip


@pytest.fixture(scope="module")
def reduced(shared, tmp_path_factory):
    """Ingest five runs and reduce them, by command."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {
        "sample": "sample",
        "background": "cell",
        "transmission": "sample_transmission",
        "background_transmission": "cell_transmission",
        "empty_beam": "empty_beam",
    }
    files = [write(folder / f"{what}.nxs", measure_events(MODEL, what)) for what in runs.values()]
    datasets = shared.json("ingest", *files, "--facility", "ess")["datasets"]
    inputs = [f"{role}={each['pid']}" for role, each in zip(runs, datasets, strict=True)]
    words = [word for setting in SETTINGS for word in ("-p", setting)]
    return shared.json("reduce", "sans", *inputs, *words)


def test_sasdata_reads_what_was_reduced_and_the_radius_comes_back(shared, reduced, tmp_path):
    assert reduced["results"]["sample_events"] > 500_000
    out = tmp_path / "curve.h5"
    shared("export", reduced["pid"], out)
    loaded = Loader().load(str(out))
    assert len(loaded) == 2
    plane, curve = sorted(loaded, key=lambda one: hasattr(one, "x"))
    truth = MODEL.forward * sphere_form_factor(curve.x, MODEL.radius_angstrom)
    # Without a direct beam the mean efficiency of the detectors stays in, within 3 %.
    scale = np.median(curve.y[:30] / truth[:30])
    pull = (curve.y - scale * truth)[:30] / np.hypot(curve.dy[:30], 0.03 * scale * truth[:30])
    assert 0.65 < scale < 0.85
    assert np.abs(pull).max() < 4
    fit = fit_guinier(Curve(curve.x * 10, curve.y, curve.dy), GuinierParameters())
    # 2 % is the bias of a straight line, of the bins' width and of a direct beam left out.
    assert abs(fit.rg_nm - MODEL.rg_angstrom / 10) < 3 * fit.rg_error_nm + 0.02 * fit.rg_nm
    assert curve.x_unit == "A^{-1}"
    assert plane.data.shape == (40 * 40,)
    inside = np.hypot(plane.qx_data, plane.qy_data) < 0.03
    good = inside & np.isfinite(plane.data)
    spheres = sphere_form_factor(np.hypot(plane.qx_data, plane.qy_data)[good], 40.0)
    assert abs(np.mean(plane.data[good] / (MODEL.forward * spheres)) - scale) < 0.05
    # sasdata reads both spectra and leaves their names: the sample takes more than the cell.
    sample = min(curve.trans_spectrum, key=lambda one: np.nanmean(one.transmission))
    transmission = np.exp(-0.03 * sample.wavelength)
    assert np.nanmax(np.abs(sample.transmission - transmission)) < 0.2
    whole = tmp_path / "whole.h5"
    shared("export", reduced["pid"], whole, "--as", "hdf5")
    with h5py.File(whole) as file:
        assert file["sasentry/sums/sample/C"][:].sum() == reduced["results"]["sample_events"]
        assert file["sasentry/sasprocess01/input/q_max_per_angstrom"].attrs["units"] == "1/angstrom"


def test_a_replay_of_the_reduction_is_identical(shared, reduced):
    assert shared.json("reproduce", reduced["pid"])["verdict"] == "identical"
