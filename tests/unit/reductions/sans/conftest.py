"""Runs of spheres in a pulsed neutron beam, drawn, written, ingested and opened, once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import hsc
from hsc.client import connect
from hsc.reading import open_dataset
from hsc.testing import EventSansModel, StrawBank, measure_events, write_event_file

MODEL = EventSansModel(
    banks=(
        StrawBank("rear", straws=32, pixels=32, pitch_m=0.03, radius_m=0.008),
        StrawBank("side", straws=6, pixels=5, distance_m=1.5, angle_deg=15.0, first=5001),
    ),
    forward=160.0,
    cell=3.2,
    incident_counts=150_000.0,
    wavelengths_angstrom=(2.0, 9.0),
)
PARAMETERS = {
    "wavelength_min_angstrom": 2.0,
    "wavelength_max_angstrom": 9.0,
    "wavelength_bins": 35,
    "q_min_per_angstrom": 0.004,
    "q_max_per_angstrom": 0.2,
    "q_bins": 49,
    "qxy_bins": 30,
}


@dataclass(frozen=True)
class GivenArray:
    """An array that was made, not opened."""

    path: str
    values: np.ndarray
    attributes: dict

    @property
    def shape(self):
        return self.values.shape

    def read(self, start=0, stop=None):
        return self.values[start:stop]

    def unwritten(self):
        return ()


@dataclass(frozen=True)
class GivenDataset:
    """A dataset that was made, not opened."""

    record: object
    arrays: dict

    @property
    def roles(self):
        return {role: array.path for role, array in self.arrays.items()}

    def role(self, name):
        return self.arrays[name]


@pytest.fixture(scope="session")
def event_files(tmp_path_factory):
    """Write a file for each run, the sample's also in two halves."""
    folder = tmp_path_factory.mktemp("events")
    sample = measure_events(MODEL, "sample", seed=2)
    first, second = sample.halves()
    runs = {
        "sample": sample,
        "first": first,
        "second": second,
        "cell": measure_events(MODEL, "cell", seed=3),
        "sample_transmission": measure_events(MODEL, "sample_transmission", seed=4),
        "cell_transmission": measure_events(MODEL, "cell_transmission", seed=5),
        "empty_beam": measure_events(MODEL, "empty_beam", seed=6),
    }
    files = {name: write_event_file(folder / f"{name}.nxs", run) for name, run in runs.items()}
    return runs, files


@pytest.fixture(scope="session")
def event_datasets(event_files, tmp_path_factory):
    """Ingest the files and open the datasets, by the run's name."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HSC_HOME", str(tmp_path_factory.mktemp("home")))
        pids = {name: hsc.ingest(str(path)).pid for name, path in event_files[1].items()}
        with connect() as catalog:
            return {name: open_dataset(catalog.get(pid)) for name, pid in pids.items()}


@pytest.fixture(scope="session")
def direct_beam(event_datasets):
    """Give the detectors' efficiency at some wavelengths, in nm."""
    wavelength = np.linspace(1.0, 10.0, 19)
    record = event_datasets["sample"].record
    return GivenDataset(
        record,
        {
            "wavelength": GivenArray("/w", wavelength / 10, {"units": "nm"}),
            "intensity": GivenArray("/i", MODEL.efficiency(wavelength), {}),
        },
    )


@pytest.fixture(scope="session")
def given_array():
    return GivenArray


@pytest.fixture(scope="session")
def given_dataset():
    return GivenDataset


@pytest.fixture
def everything(event_datasets, direct_beam):
    """Give all inputs of a whole reduction."""
    names = {
        "sample": "sample",
        "background": "cell",
        "transmission": "sample_transmission",
        "background_transmission": "cell_transmission",
        "empty_beam": "empty_beam",
    }
    found = [(role, event_datasets[name]) for role, name in names.items()]
    return [*found, ("direct_beam", direct_beam)]


@pytest.fixture
def model():
    return MODEL


@pytest.fixture
def parameters():
    return dict(PARAMETERS)
