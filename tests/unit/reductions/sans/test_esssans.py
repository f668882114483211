"""The numbers are those of ESS's own esssans, provider by provider, with gravity."""

from __future__ import annotations

import numpy as np
import pytest
import scipp as sc
from ess.reduce.uncertainty import UncertaintyBroadcastMode
from ess.reduce.unwrap import to_wavelength
from ess.reduce.unwrap.types import ErrorLimitedLookupTable
from ess.sans import conversions, i_of_q, normalization
from ess.sans.common import gravity_vector
from scippneutron.conversion.tof import wavelength_from_tof

from hsc.reductions import find_reduction
from hsc.workers import open_workers

ENTRY = "/sasentry"
BACKGROUND = {"monitor_signal_min_angstrom": 2.5, "monitor_signal_max_angstrom": 8.0}


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
        events = self.by_wavelength(sc.bins(data=table, dim="event", begin=sc.index(0)), far)
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


def reduced(everything, parameters):
    with open_workers("threads", 2) as workers:
        outputs = find_reduction("sans").run(everything, parameters, workers)
    return {array.path: array.values for array in outputs.tree.arrays}


@pytest.mark.parametrize("gravity", [True, False])
@pytest.mark.parametrize("mode", ["drop", "upper_bound"])
def test_intensities_and_their_variances_are_those_of_esssans(
    everything, event_files, model, parameters, gravity, mode
):
    ours = reduced(
        everything, {**parameters, **BACKGROUND, "gravity": gravity, "uncertainties": mode}
    )
    hold(ours, event_files[0], Oracle(model, parameters, gravity, mode), BACKGROUND)


def hold(ours, runs, oracle, background):
    """Hold a reduction with and without background of monitors against esssans's."""
    model = oracle.model
    points = np.linspace(1.0, 10.0, 19)
    beam = sc.DataArray(
        sc.array(dims=["wavelength"], values=model.efficiency(points)),
        coords={"wavelength": sc.array(dims=["wavelength"], values=points, unit="angstrom")},
    )
    within = sc.array(dims=["wavelength"], values=list(background.values()), unit="angstrom")
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
