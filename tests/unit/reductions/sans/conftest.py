"""Runs of spheres in a pulsed neutron beam, drawn, written, ingested and opened, once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import scipp as sc
from ess.reduce.uncertainty import UncertaintyBroadcastMode
from ess.reduce.unwrap import to_wavelength
from ess.reduce.unwrap.types import ErrorLimitedLookupTable
from ess.sans import conversions, i_of_q, normalization
from ess.sans.common import gravity_vector
from scippneutron.conversion.tof import wavelength_from_tof

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
ENTRY = "/sasentry"
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


@pytest.fixture(scope="session")
def event_model():
    return MODEL


@pytest.fixture
def esssans():
    """Give what runs esssans's providers: of a model, parameters, gravity, mode, and a table."""
    return Oracle


@pytest.fixture
def held():
    """Give what holds the arrays of a reduction against esssans's, which are asserted equal."""
    return hold


class Oracle:
    """Runs esssans's providers on a measurement, and ess.reduce's on a table of wavelengths."""

    def __init__(self, model, parameters, gravity, mode, table=None):
        self.model, self.table = model, table
        self.mode = UncertaintyBroadcastMode[mode]
        p = parameters
        self.wavelength = sc.linspace(
            "wavelength",
            p["wavelength_min_angstrom"],
            p["wavelength_max_angstrom"],
            p["wavelength_bins"] + 1,
            unit="angstrom",
        )
        low, high = p["q_min_per_angstrom"], p["q_max_per_angstrom"]
        self.q = sc.linspace("Q", low, high, p["q_bins"] + 1, unit="1/angstrom")
        plane = {
            name: sc.linspace(name, -high, high, p["qxy_bins"] + 1, unit="1/angstrom")
            for name in ("Qx", "Qy")
        }
        self.qx, self.qy = plane["Qx"], plane["Qy"]
        self.source = sc.vector([0, 0, model.source_m], unit="m")
        self.sample = sc.vector([0, 0, 0], unit="m")
        self.bands = normalization.process_wavelength_bands(None, self.wavelength)
        self.graph = conversions.sans_elastic(
            gravity,
            sample_position=self.sample,
            source_position=self.source,
            gravity=gravity_vector(),
        )

    def position(self):
        places = np.concatenate([bank.positions_m() for bank in self.model.banks])
        return sc.vectors(dims=["pixel"], values=places, unit="m")

    def detector(self, measured):
        numbers = np.concatenate([bank.number for bank in measured.banks])
        times = np.concatenate([bank.time_ns for bank in measured.banks])
        pixels = np.concatenate(
            [np.arange(bank.first, bank.first + bank.count) for bank in self.model.banks]
        )
        table = sc.DataArray(
            sc.ones(sizes={"event": len(times)}, unit="counts", with_variances=True),
            coords={
                "pixel": sc.array(dims=["event"], values=numbers.astype(np.int64)),
                "tof": sc.array(dims=["event"], values=times.astype(np.float64), unit="ns"),
            },
        )
        grouped = table.group(sc.array(dims=["pixel"], values=pixels.astype(np.int64)))
        grouped.coords["position"] = self.position()
        far = sc.norm(self.position() - self.sample) + sc.norm(self.sample - self.source)
        grouped = self.by_wavelength(grouped, far)
        return normalization.norm_detector_term_numerator(grouped)

    def by_wavelength(self, grouped, far):
        tof = grouped.bins.coords.pop("tof")
        if self.table is None:
            grouped.bins.coords["wavelength"] = wavelength_from_tof(tof=tof, Ltotal=far)
            return grouped
        grouped.bins.coords["event_time_offset"] = tof
        limited = ErrorLimitedLookupTable(**vars(self.table))
        found = to_wavelength.detector_wavelength_data(grouped, limited, far, None, False)
        del found.coords["Ltotal"]
        return found

    def monitor(self, measured, which, non_background=None):
        times = measured.monitors[which].time_ns.astype(np.float64)
        far = sc.scalar(self.model.monitors_m[which] - self.model.source_m, unit="m")
        tof = sc.array(dims=["event"], values=times, unit="ns")
        table = sc.DataArray(
            sc.ones(sizes={"event": len(times)}, unit="counts", with_variances=True),
            coords={"tof": tof},
        )
        binned = sc.DataArray(sc.bins(data=table, dim="event", begin=sc.index(0)))
        events = self.by_wavelength(binned, far)
        counted = events.hist(wavelength=self.wavelength)
        return i_of_q.preprocess_monitor_data(counted, self.wavelength, non_background, self.mode)

    def intensity(self, measured, transmission, empty, beam, non_background, flat):
        pairs = [
            [self.monitor(run, which, non_background) for which in (0, 1)]
            for run in (transmission, empty)
        ]
        fraction = normalization.transmission_fraction(
            pairs[0][0], pairs[0][1], pairs[1][0], pairs[1][1]
        )
        term = normalization.norm_monitor_term(self.monitor(measured, 0, non_background), fraction)
        below = normalization.norm_detector_term_denominator(
            self.solid_angle(), i_of_q.resample_direct_beam(beam, self.wavelength), self.mode
        )
        parts = []
        for term_of_pixels in (self.detector(measured), below):
            if flat:
                data = conversions.compute_Qxy(term_of_pixels, self.graph)
                if data.bins is None:
                    # Where wavelength is the coordinates' inner dimension, as without gravity,
                    # scipp 26.8 sums over it too, and esssans's divisor is far too large.
                    for name in ("Qx", "Qy"):
                        turned = data.coords[name].transpose(["wavelength", "pixel"])
                        data.coords[name] = turned.copy()
                parts.append(i_of_q.bin_in_qxy(data, self.qx, self.qy, ()))
            else:
                data = conversions.compute_Q(term_of_pixels, self.graph)
                parts.append(i_of_q.bin_in_q(data, self.q, ()))
        scaled = conversions.mask_and_scale_wavelength_q(parts[1], None, term, self.mode)
        above, under = (normalization.reduce_q(part, self.bands) for part in (parts[0], scaled))
        return normalization.normalize_q(above, under, False, self.mode), fraction, scaled

    def solid_angle(self):
        """Join the banks' solid angles, worked out with esssans's own formula."""
        found = []
        for bank in self.model.banks:
            half, radius = bank.pitch_m / 2, bank.radius_m
            corners = [[-half, 0, 0], [-half, radius, 0], [half, 0, 0]]
            shape = {"vertices": sc.vectors(dims=["vertex"], values=corners, unit="m")}
            angle = sc.scalar(bank.angle_deg, unit="deg")
            turn = sc.spatial.rotations_from_rotvecs(angle * sc.vector([0, 1.0, 0]))
            places = sc.vectors(dims=["pixel"], values=bank.positions_m(), unit="m")
            data = sc.DataArray(
                sc.ones(sizes={"pixel": bank.count}, unit="counts"), coords={"position": places}
            )
            found.append(
                normalization.solid_angle(data, shape, type("T", (), {"value": turn}), self.sample)
            )
        return sc.concat(found, "pixel")


def hold(ours, runs, oracle, background):
    """Hold a reduction with and without background of monitors against esssans's."""
    model = oracle.model
    points = np.linspace(1.0, 10.0, 19)
    beam = sc.DataArray(
        sc.array(dims=["wavelength"], values=model.efficiency(points)),
        coords={"wavelength": sc.array(dims=["wavelength"], values=points, unit="angstrom")},
    )
    within = None
    if background:
        limits = list(background.values())
        within = sc.array(dims=["wavelength"], values=limits, unit="angstrom")
    for flat, data in ((False, "sasdata01"), (True, "sasdata02")):
        theirs = {}
        for what in ("sample", "cell"):
            theirs[what], fraction, divisor = oracle.intensity(
                runs[what], runs[f"{what}_transmission"], runs["empty_beam"], beam, within, flat
            )
            if what == "sample":
                path = f"{ENTRY}/sastransmission_spectrum_sample"
                np.testing.assert_allclose(ours[f"{path}/T"], fraction.values, rtol=1e-12)
                deviation = np.sqrt(fraction.variances)
                np.testing.assert_allclose(ours[f"{path}/Tdev"], deviation, rtol=1e-12)
            if not flat and what == "sample":
                found = divisor.transpose(["wavelength", "Q"]).values
                np.testing.assert_allclose(ours[f"{ENTRY}/sums/sample/D"], found, rtol=1e-12)
        difference = i_of_q.subtract_background(theirs["sample"], theirs["cell"], False)
        used = np.isfinite(difference.values)
        values, error = ours[f"{ENTRY}/{data}/I"], ours[f"{ENTRY}/{data}/Idev"]
        if flat:
            # A monitor that counted less than its background makes a divisor below zero, which
            # esssans divides by and we do not.
            for kind in ("sample", "background"):
                used &= ours[f"{ENTRY}/sums/{kind}/D_xy"] > 0
            assert np.array_equal(used, ~ours[f"{ENTRY}/{data}/mask"])
            values, error = values[used], error[used]
        assert used.any()
        scale = sum(np.abs(theirs[what].values[used]) for what in ("sample", "cell"))
        assert np.all(np.abs(values - difference.values[used]) <= 1e-12 * scale)
        np.testing.assert_allclose(error**2, difference.variances[used], rtol=1e-11)
