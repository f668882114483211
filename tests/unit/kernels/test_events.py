"""Events are counted in the very bins that scipp and plain numpy count them in."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import scipp as sc
from ess.reduce.unwrap.interpolator_numba import Interpolator
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from hsc.errors import ParameterError
from hsc.kernels import (
    PixelPaths,
    PulseFrame,
    WavelengthTable,
    count_events,
    event_bins,
    event_values,
    no_counts,
    weigh_pixels,
)

RATE = 3956.034006119441e-9
DROP = 9.80665 * 1.67492750056e-27**2 / (2 * 6.62607015e-34**2) * 1e-20
WAVELENGTH = event_bins(np.linspace(1, 13, 201))
Q = event_bins(np.linspace(0.01, 0.3, 101))
QXY = event_bins(np.linspace(-0.2, 0.2, 81))
FIRST = 101


def paths(pixels=4000, gravity=True, masked=()):
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-0.5, 0.5, (2, pixels))
    z = rng.uniform(4.9, 5.1, pixels)
    far = np.sqrt(x * x + y * y + z * z)
    rate = RATE / (23.6 + far)
    rate[list(masked)] = np.nan
    k = 4 * np.pi * np.sqrt((x * x + y * y) / (2 * far * (far + z)))
    phi = np.arctan2(y, x)
    others = (x, y, z) if gravity else (k, k * np.cos(phi), k * np.sin(phi))
    return PixelPaths(FIRST, np.stack([rate, *others], axis=1), DROP if gravity else 0.0)


def events(count, pixels=4000, seed=5):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(FIRST, FIRST + pixels, count).astype(np.int32)
    return numbers, rng.integers(0, 71_000_000, count).astype(np.int32)


@pytest.mark.parametrize("gravity", [False, True])
def test_a_million_events_fall_into_the_bins_that_scipp_puts_them_in(gravity):
    numbers, times = events(1_000_000)
    bank = paths(gravity=gravity)
    counts = no_counts(WAVELENGTH, Q, QXY)
    count_events(counts, numbers, times, bank, WAVELENGTH, Q, QXY)
    wavelength, q, qx, qy = (
        sc.array(dims=["event"], values=values, unit="1")
        for values in event_values(numbers, times, bank)
    )
    table = sc.DataArray(
        sc.ones(sizes=wavelength.sizes, unit="counts"),
        coords={"wavelength": wavelength, "Q": q, "Qx": qx, "Qy": qy},
    )
    edges = {
        "wavelength": sc.array(dims=["wavelength"], values=WAVELENGTH.edges, unit="1"),
        "Q": sc.array(dims=["Q"], values=Q.edges, unit="1"),
        "Qy": sc.array(dims=["Qy"], values=QXY.edges, unit="1"),
        "Qx": sc.array(dims=["Qx"], values=QXY.edges, unit="1"),
    }
    radial = table.hist(wavelength=edges["wavelength"], Q=edges["Q"])
    assert np.array_equal(counts.radial, radial.values)
    within = table.bin(wavelength=sc.array(dims=["wavelength"], values=[1.0, 13.0], unit="1"))
    flat = within.hist(Qy=edges["Qy"], Qx=edges["Qx"], dim="wavelength")
    assert np.array_equal(counts.flat, flat.values)
    assert counts.radial.sum() + counts.left_out.sum() == 1_000_000


@settings(max_examples=100)
@given(
    edges=arrays(np.float64, st.integers(2, 40), elements=st.floats(0.01, 50), unique=True).map(
        np.sort
    ),
    cut=st.integers(0, 300),
)
def test_a_bin_takes_its_lower_edge_and_not_its_upper(edges, cut):
    values = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 99), [1.0, 2.5]])
    bins = event_bins(edges)
    whole = event_bins(np.array([-1.0, 1e9]))
    # One pixel whose wavelength is its time.
    bank = PixelPaths(0, np.array([[1.0, 1.0, 1.0, 1.0]]))
    counts = no_counts(bins, whole, None)
    for part in (values[:cut], values[cut:]):
        count_events(counts, np.zeros(len(part), np.int64), part, bank, bins, whole)
    place = np.searchsorted(edges, values, side="right") - 1
    inside = (values >= edges[0]) & (values < edges[-1])
    assert np.array_equal(counts.radial[:, 0], np.bincount(place[inside], minlength=bins.count))


@settings(max_examples=60)
@given(low=st.floats(0.01, 50), width=st.floats(1e-3, 100), count=st.integers(1, 400))
def test_even_bins_are_those_of_their_edges_to_the_last_bit(low, width, count):
    edges = np.linspace(low, low + width, count + 1)
    beyond = [-np.inf, np.inf, np.nan, -1e300, 1e300, 0.0, -low]
    values = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 999), beyond])
    bins, whole = event_bins(edges), event_bins(np.array([-1.0, 1e9]))
    bank = PixelPaths(0, np.array([[1.0, 1.0, 1.0, 1.0]]))
    counts = no_counts(bins, whole, None)
    count_events(counts, np.zeros(len(values), np.int64), values, bank, bins, whole)
    place = np.searchsorted(edges, values, side="right") - 1
    inside = (values >= edges[0]) & (values < edges[-1])
    assert np.array_equal(counts.radial[:, 0], np.bincount(place[inside], minlength=count))


def test_gravity_is_that_of_the_literal_formula():
    numbers, times = events(2000)
    bank = paths()
    wavelength, q, qx, qy = event_values(numbers, times, bank)
    rate, x, y, z = bank.table[numbers - FIRST].T
    assert np.array_equal(wavelength, rate * times)
    raised = y + DROP * wavelength**2 * (x**2 + y**2 + z**2)
    two_theta = np.arctan2(np.hypot(x, raised), z)
    phi = np.arctan2(raised, x)
    expected = 4 * np.pi * np.sin(two_theta / 2) / wavelength
    np.testing.assert_allclose(q, expected, rtol=1e-13)
    np.testing.assert_allclose(qx, expected * np.cos(phi), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(qy, expected * np.sin(phi), rtol=1e-12, atol=1e-15)


def test_masked_and_unknown_pixels_are_told_apart_and_count_nowhere():
    numbers = np.array([FIRST - 1, FIRST, FIRST + 1, FIRST + 4000, -5], np.int32)
    times = np.full(5, 40_000_000, np.int32)
    counts = no_counts(WAVELENGTH, Q, None)
    count_events(counts, numbers, times, paths(masked=(0,)), WAVELENGTH, Q)
    assert counts.left_out.tolist() == [3, 1, 0, 0]
    assert counts.radial.sum() == 1


def test_a_slow_neutron_counts_in_the_frame_of_the_pulse_it_left_in():
    bank = paths(pixels=1)
    period = 71_428_571.4
    slow = 11.0 / bank.table[0, 0]
    times = np.array([slow - period, slow])
    values = event_values(np.full(2, FIRST), times, bank, PulseFrame(period, 4.0))
    np.testing.assert_allclose(values[0], 11.0, rtol=1e-12)


@pytest.mark.parametrize("gravity", [False, True])
def test_weights_of_pixels_add_up_as_numpy_adds_them_in_order(gravity):
    bank = paths(gravity=gravity, masked=(7, 8))
    weights = np.random.default_rng(1).uniform(1e-7, 2e-7, 4000)
    lengths = np.array([2.03, 7.0, 12.1])
    radial, alone = np.zeros((2, 3, Q.count))
    flat = np.zeros((3, QXY.count, QXY.count))
    weigh_pixels(bank, weights, lengths, Q, radial, QXY, flat)
    weigh_pixels(bank, weights, lengths, Q, alone)
    assert np.array_equal(radial, alone)
    numbers = np.arange(FIRST, FIRST + 4000)
    for row, length in enumerate(lengths):
        times = length / bank.table[:, 0]
        # The time's rounding may move a wavelength by a bit, and no pixel over an edge here.
        q = event_values(numbers, times, bank)[1]
        good = np.isfinite(q)
        expected = np.histogram(q[good], Q.edges, weights=weights[good])[0]
        np.testing.assert_allclose(radial[row], expected, rtol=1e-12)
    times = 7.0 / bank.table[:, 0]
    _, _, qx, qy = event_values(numbers, times, bank)
    good = np.isfinite(qx)
    expected = np.histogram2d(qy[good], qx[good], [QXY.edges] * 2, weights=weights[good])[0]
    np.testing.assert_allclose(flat[1], expected, rtol=1e-12)


def test_a_table_of_wavelengths_is_interpolated_as_ess_does_it():
    random = np.random.default_rng(11)
    times, far = np.linspace(0, 71e6, 287), np.arange(20.0, 31.0, 0.1)
    products = random.uniform(30, 300, (len(far), len(times)))
    products[:, 100:140] = np.nan
    numbers, arrived = events(200_000)
    arrived[:3] = 0, 71_000_000, 71_000_001
    bank = paths(masked=(3,))
    flight = np.where(np.isnan(bank.table[:, 0]), np.nan, RATE / bank.table[:, 0])
    flight[9], flight[10] = 19.0, 31.0
    by_length = PixelPaths(FIRST, np.column_stack([flight, bank.table[:, 1:]]), bank.drop)
    table = WavelengthTable(times, far, products)
    theirs = Interpolator(times, far, products)(arrived.astype(float), flight[numbers - FIRST])
    theirs /= flight[numbers - FIRST]
    ours = event_values(numbers, arrived, by_length, table=table)[0]
    assert np.array_equal(np.isnan(ours), numbers == FIRST + 3)
    found = ours > 0
    assert np.array_equal(found, np.isfinite(theirs))
    assert 0.8 < found.mean() < 0.9
    np.testing.assert_allclose(ours[found], theirs[found], rtol=1e-13)
    counts = no_counts(WAVELENGTH, Q, None)
    count_events(counts, numbers, arrived, by_length, WAVELENGTH, Q, table=table)
    assert counts.radial.sum() + counts.left_out.sum() == 200_000
    assert counts.left_out[1] == (numbers == FIRST + 3).sum()


@pytest.mark.parametrize("edges", [[1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.inf], [[0.0, 1.0]]])
def test_edges_that_are_no_bins_are_refused(edges):
    with pytest.raises(ParameterError, match="edges"):
        event_bins(np.array(edges))
