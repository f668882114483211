"""Monitors are brought into bins and freed of background as scipp and esssans do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import scipp as sc
from ess.reduce.uncertainty import UncertaintyBroadcastMode
from ess.sans.i_of_q import preprocess_monitor_data, resample_direct_beam

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.sans.findings import background_warnings
from hsc.reductions.sans.parameters import SansParameters
from hsc.reductions.sans.spectrum import (
    MonitorCounts,
    Spectrum,
    corrected,
    interpolate,
    rebin,
    transmission_of,
)

EDGES = np.linspace(2.0, 9.0, 36)


def monitor(bins=311, low=0.7, high=10.3):
    counts = np.random.default_rng(8).poisson(40, bins).astype(np.float64)
    return MonitorCounts(np.linspace(low, high, bins + 1), counts, "here")


def of_scipp(counts, edges):
    return sc.DataArray(
        sc.array(dims=["wavelength"], values=counts, variances=counts, unit="counts"),
        coords={"wavelength": sc.array(dims=["wavelength"], values=edges, unit="angstrom")},
    )


def wanted():
    return sc.array(dims=["wavelength"], values=EDGES, unit="angstrom")


@pytest.mark.parametrize(("bins", "low", "high"), [(311, 0.7, 10.3), (7, 1.0, 8.5), (35, 2.0, 9.0)])
def test_counts_are_shared_out_as_scipp_does(bins, low, high):
    given = monitor(bins, low, high)
    theirs = of_scipp(given.counts, given.edges).rebin(wavelength=wanted())
    ours = rebin(given.edges, given.counts, EDGES)
    np.testing.assert_allclose(ours, theirs.values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", ["drop", "upper_bound"])
def test_the_mean_of_what_is_outside_is_taken_off_after_rebinning(mode):
    given = monitor()
    parameters = SansParameters(
        monitor_signal_min_angstrom=1.5, monitor_signal_max_angstrom=8.9, uncertainties=mode
    )
    ours = corrected(given, EDGES, parameters)
    theirs = preprocess_monitor_data(
        of_scipp(given.counts, given.edges),
        wanted(),
        sc.array(dims=["wavelength"], values=[1.5, 8.9], unit="angstrom"),
        UncertaintyBroadcastMode[mode],
    )
    np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-12)
    np.testing.assert_allclose(ours.variances, theirs.variances, rtol=1e-12)


@dataclass(frozen=True)
class Seen:
    """A run of which only the monitors are looked at."""

    incident: object
    transmitted: object = None


def test_a_background_of_bins_of_another_width_is_told_of():
    bounded = {"monitor_signal_min_angstrom": 1.5, "monitor_signal_max_angstrom": 8.9}
    parameters = SansParameters(
        wavelength_min_angstrom=2, wavelength_max_angstrom=9, wavelength_bins=35, **bounded
    )
    narrow, alike = monitor(bins=140, low=1.0, high=8.0), monitor(bins=40, low=1.0, high=9.0)
    bins = parameters.bins()
    (said,) = background_warnings({"sample": [Seen(alike, narrow), Seen(narrow)]}, bins, parameters)
    assert "its own bins, 0.05 angstrom wide, and taken off bins of 0.2 angstrom" in said
    assert "4 times as large" in said
    assert background_warnings({"sample": [Seen(alike)]}, bins, parameters) == []
    assert background_warnings({"sample": [Seen(narrow)]}, bins, SansParameters()) == []


def test_a_background_that_no_bin_shows_is_refused():
    parameters = SansParameters(monitor_signal_min_angstrom=0.1, monitor_signal_max_angstrom=90.0)
    with pytest.raises(ParameterError, match="no bin of the monitor is outside"):
        corrected(monitor(), EDGES, parameters)


def test_monitors_with_other_bins_are_not_added():
    whole = monitor() + monitor()
    assert np.array_equal(whole.counts, 2 * monitor().counts)
    with pytest.raises(ReductionError, match="different bins"):
        monitor() + monitor(bins=12)


def test_a_direct_beam_goes_on_beyond_its_points_as_in_esssans():
    points = np.array([3.0, 4.0, 6.5, 8.0])
    values = np.array([1.0, 1.4, 1.1, 2.0])
    theirs = resample_direct_beam(
        sc.DataArray(
            sc.array(dims=["wavelength"], values=values),
            coords={"wavelength": sc.array(dims=["wavelength"], values=points, unit="angstrom")},
        ),
        wanted(),
    )
    ours = interpolate(points, values, (EDGES[1:] + EDGES[:-1]) / 2)
    np.testing.assert_allclose(ours, theirs.values, rtol=1e-12)


def test_transmission_is_unknown_where_the_empty_beam_has_no_counts():
    some, none = Spectrum(np.array([4.0]), np.array([4.0])), Spectrum(np.zeros(1), np.zeros(1))
    assert transmission_of((some, some), (some, some)).values.tolist() == [1.0]
    assert np.isnan(transmission_of((some, some), (some, none)).values).all()
