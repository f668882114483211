"""Tables of wavelengths, as ess.reduce writes them, give the wavelengths that ess.reduce gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipp as sc
from ess.reduce.unwrap import to_wavelength
from ess.reduce.unwrap.lut import load_lookup_table_from_file
from ess.reduce.unwrap.types import ErrorLimitedLookupTable, LookupTable

import hsc
from hsc.client import connect
from hsc.errors import ParameterError, ReductionError
from hsc.hdf5 import open_hdf5
from hsc.kernels import WavelengthTable
from hsc.reading import open_dataset
from hsc.reductions import find_reduction
from hsc.reductions.sans.lookup import lookup_of, table_of
from hsc.reductions.sans.monitors import by_table
from hsc.testing import measure_events, write_event_file
from hsc.testing.ess_model import RATE_M_ANGSTROM_PER_S
from hsc.workers import open_workers

SHORTEST = 4.5
PERIOD_US = 1e6 / 14


def made_table(step_m=0.05, stride=1, low_m=21.0, high_m=30.0):
    """Make the table of choppers that let 4.5 angstrom and slower through, 1.2 ms after t = 0."""
    far = np.arange(low_m, high_m, step_m)
    times = np.linspace(0.0, PERIOD_US, 290)
    begin = SHORTEST * far[:, None] / RATE_M_ANGSTROM_PER_S * 1e6 + 1200
    flown = begin + (times - begin) % PERIOD_US - 1200
    wavelength = RATE_M_ANGSTROM_PER_S * flown * 1e-6 / far[:, None]
    wavelength[wavelength > 13.5] = np.nan
    return LookupTable(
        array=sc.DataArray(
            sc.array(
                dims=["distance", "event_time_offset"],
                values=wavelength,
                variances=(0.002 * wavelength**1.5) ** 2,
                unit="angstrom",
            ),
            coords={
                "distance": sc.array(dims=["distance"], values=far, unit="m"),
                "event_time_offset": sc.array(dims=["event_time_offset"], values=times, unit="us"),
            },
        ),
        pulse_period=sc.scalar(PERIOD_US, unit="us"),
        pulse_stride=stride,
        distance_resolution=sc.scalar(step_m, unit="m"),
        time_resolution=sc.scalar(times[1], unit="us"),
        choppers=sc.DataGroup({"bandwidth": sc.DataGroup({"radius": sc.scalar(0.35, unit="m")})}),
    )


def opened(path):
    pid = hsc.ingest(str(path)).pid
    with connect() as catalog:
        return open_dataset(catalog.get(pid))


def kept(folder, table=None, name="table.h5"):
    path = folder / name
    (table or made_table()).save_hdf5(path)
    return opened(path)


@pytest.fixture(scope="module")
def slow(model_of_slow_neutrons, tmp_path_factory):
    """Give runs whose neutrons of 5 to 13 angstrom pass the next pulse, and their table."""
    folder = tmp_path_factory.mktemp("slow")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HSC_HOME", str(folder / "home"))
        runs = {
            what: measure_events(model_of_slow_neutrons, what, seed=seed)
            for seed, what in enumerate(
                ("sample", "cell", "sample_transmission", "cell_transmission", "empty_beam")
            )
        }
        datasets = {
            what: opened(write_event_file(folder / f"{what}.nxs", run))
            for what, run in runs.items()
        }
        return runs, datasets, kept(folder)


@pytest.fixture(scope="module")
def model_of_slow_neutrons(event_model):
    return replace(event_model, wavelengths_angstrom=(5.0, 13.0), incident_counts=4e4)


@pytest.fixture
def wanted(parameters):
    band = {"wavelength_min_angstrom": 5.5, "wavelength_max_angstrom": 12.5}
    return {**parameters, **band, "uncertainties": "drop"}


@pytest.fixture
def given(slow, direct_beam):
    names = ("sample", "cell", "sample_transmission", "cell_transmission", "empty_beam")
    roles = ("sample", "background", "transmission", "background_transmission", "empty_beam")
    found = [(role, slow[1][name]) for role, name in zip(roles, names, strict=True)]
    return [*found, ("direct_beam", direct_beam), ("wavelength_table", slow[2])]


def reduced(given, parameters):
    with open_workers("threads", 2) as workers:
        return find_reduction("sans").run(given, parameters, workers)


def test_intensities_by_a_table_are_those_of_esssans(
    slow, given, wanted, model_of_slow_neutrons, esssans, held
):
    outputs = reduced(given, wanted)
    ours = {array.path: array.values for array in outputs.tree.arrays}
    oracle = esssans(model_of_slow_neutrons, wanted, True, "drop", made_table())
    held(ours, slow[0], oracle, {})
    assert outputs.results["sample_events"] > 3000
    assert outputs.facts["wavelength_from"].startswith("table")
    said = outputs.results["warnings"]
    assert len(said) == 1
    assert "drawn out straight to 12 of 35" in said[0]


def test_a_table_is_known_by_its_names_also_in_the_old_form(tmp_path):
    table = made_table()
    whole = kept(tmp_path)
    assert (whole.record.layout, whole.record.kind) == ("wavelength_table", "calibration")
    old = table.array.copy()
    for name in ("pulse_period", "distance_resolution", "time_resolution"):
        old.coords[name] = getattr(table, name)
    old.coords["pulse_stride"] = sc.scalar(1, unit=None)
    old.save_hdf5(tmp_path / "old.h5")
    theirs = load_lookup_table_from_file(tmp_path / "old.h5").array
    first, second = (lookup_of(each, None) for each in (whole, opened(tmp_path / "old.h5")))
    assert first.key == second.key
    found = table_of(first, 1e-9)
    np.testing.assert_array_equal(found.times, theirs.coords["event_time_offset"].values * 1000)
    limited = table_of(lookup_of(whole, 0.006), 1e-9)
    expected = to_wavelength.mask_large_uncertainty_in_lut(table, {"here": 0.006}, "here").array
    assert np.isnan(expected.values).sum() > np.isnan(table.array.values).sum()
    assert np.array_equal(np.isnan(limited.products), np.isnan(expected.values))


@pytest.mark.parametrize("low", [0.0, 5000.0])
def test_bins_of_a_monitor_become_those_of_ess_reduce(low):
    table = made_table()
    edges = np.linspace(low, PERIOD_US - low / 2, 181)
    counts = np.random.default_rng(4).poisson(300, 180).astype(float)
    monitor = sc.DataArray(
        sc.array(dims=["time_of_flight"], values=counts, unit="counts"),
        coords={"time_of_flight": sc.array(dims=["time_of_flight"], values=edges, unit="us")},
    )
    limited = ErrorLimitedLookupTable(**vars(table))
    theirs = to_wavelength.monitor_wavelength_data(
        monitor, limited, sc.scalar(23.9, unit="m"), None, False
    )
    far = table.array.coords["distance"].values
    times = table.array.coords["event_time_offset"].values
    ours = WavelengthTable(times, far, table.array.values * far[:, None])
    found, shared = by_table(edges, counts, ours, 23.9, PERIOD_US, "here")
    np.testing.assert_allclose(found, theirs.coords["wavelength"].values, rtol=1e-12)
    np.testing.assert_allclose(shared, theirs.values, rtol=1e-12, atol=1e-9)


def test_tables_of_others_are_refused_and_say_why(slow, given, wanted, tmp_path):
    without = given[:-1]
    with pytest.raises(
        ReductionError, match=r"fly 28\.6 to 28\.\d+ m to the bank rear, for which no table"
    ):
        reduced([*without, ("wavelength_table", kept(tmp_path, made_table(high_m=26.0)))], wanted)
    skips = kept(tmp_path, made_table(stride=2), "skips.h5")
    with pytest.raises(ReductionError, match=r"frames of 2 pulses"):
        reduced([*without, ("wavelength_table", skips)], wanted)
    faster = replace(made_table(), pulse_period=sc.scalar(2e4, unit="us"))
    with pytest.raises(ReductionError, match=r"pulses each 20 ms, and the run's come each 71\.4"):
        reduced([*without, ("wavelength_table", kept(tmp_path, faster, "faster.h5"))], wanted)
    with pytest.raises(ParameterError, match="frame_shortest_wavelength_angstrom and a table"):
        reduced(given, {**wanted, "frame_shortest_wavelength_angstrom": 4.5})
    # The first that covers a component is taken: several may stand for the whole beamline.
    parts = [made_table(high_m=25.0), made_table(low_m=25.0)]
    tables = [kept(tmp_path, part, f"part{at}.h5") for at, part in enumerate(parts)]
    several = reduced([*without, *(("wavelength_table", each) for each in tables)], wanted)
    assert several.results["sample_events"] > 3000


def test_an_hdf5_file_of_scipp_that_is_no_table_is_a_plain_one(tmp_path):
    sc.DataGroup({"array": sc.arange("x", 3.0)}).save_hdf5(tmp_path / "other.h5")
    with open_hdf5(tmp_path / "other.h5") as file:
        assert file.attrs["scipp-type"] == "DataGroup"
    assert opened(tmp_path / "other.h5").record.layout == "plain"
