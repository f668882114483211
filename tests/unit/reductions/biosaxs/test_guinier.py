"""The Guinier fit: exact on its own law, biased as derived on a sphere, honest about noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.errors import ReductionError
from hsc.reductions import Curve, GuinierParameters, analyse, fit_guinier
from hsc.reductions.biosaxs.analysis import AnalysisParameters
from hsc.reductions.biosaxs.chain import misfits


def guinier_law(q, rg_nm, i0):
    return i0 * np.exp(-((q * rg_nm) ** 2) / 3)


def sphere(q, radius_nm):
    x = q * radius_nm
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


@settings(deadline=None)
@given(st.floats(0.5, 20), st.floats(1e-3, 1e6), st.floats(1e-4, 0.1), st.floats(0.8, 2))
def test_the_fit_is_exact_on_its_own_law(rg_nm, i0, noise, limit):
    q = np.linspace(0.02, 3, 400) / rg_nm
    intensity = guinier_law(q, rg_nm, i0)
    fit = fit_guinier(
        Curve(q, intensity, noise * intensity), GuinierParameters(guinier_qrg_max=limit)
    )
    assert fit.rg_nm == pytest.approx(rg_nm, rel=1e-9)
    assert fit.i0 == pytest.approx(i0, rel=1e-9)
    assert fit.chi2 < 1e-12
    # All points up to the limit and none beyond.
    expected = int((q * rg_nm <= limit).sum())
    assert abs(fit.points - expected) <= 1
    assert fit.qrg_max <= limit * (1 + 1e-12)
    assert fit.used.sum() == fit.points
    assert fit.q_min_per_nm == q[0]


def test_errors_are_those_of_weighted_least_squares():
    q = np.linspace(0.05, 0.4, 30)
    rng = np.random.default_rng(1)
    intensity = guinier_law(q, 2.5, 100.0)
    error = intensity * rng.uniform(0.005, 0.02, len(q))
    intensity = intensity + error * rng.standard_normal(len(q))
    fit = fit_guinier(Curve(q, intensity, error), GuinierParameters())
    used = fit.used
    coefficients, covariance = np.polyfit(
        q[used] ** 2, np.log(intensity[used]), 1, w=intensity[used] / error[used], cov="unscaled"
    )
    assert fit.rg_nm == pytest.approx(np.sqrt(-3 * coefficients[0]), rel=1e-9)
    assert fit.rg_error_nm == pytest.approx(1.5 * np.sqrt(covariance[0, 0]) / fit.rg_nm, rel=1e-9)
    assert fit.i0_error == pytest.approx(fit.i0 * np.sqrt(covariance[1, 1]), rel=1e-9)


@pytest.mark.parametrize("limit", [0.5, 0.8, 1.0, 1.3])
def test_a_sphere_comes_out_too_large_by_the_derived_fraction(limit):
    radius = 4.0
    rg = np.sqrt(3 / 5) * radius
    q = np.linspace(0, 1.5 * limit / rg, 4001)[1:]
    intensity = sphere(q, radius)
    # Equal weights, as in the derivation: σ proportional to I.
    fit = fit_guinier(
        Curve(q, intensity, 0.01 * intensity), GuinierParameters(guinier_qrg_max=limit)
    )
    fraction = fit.rg_nm / rg - 1
    assert fraction == pytest.approx(fit.qrg_max**2 / 98, rel=0.12)
    assert fraction > 0


def test_the_stated_errors_cover_the_truth_as_often_as_they_should():
    rng = np.random.default_rng(20)
    q = np.linspace(0.05, 1.5, 200)
    expected = guinier_law(q, 2.0, 2000.0)
    pulls = []
    for _ in range(600):
        counts = rng.poisson(expected).astype(float)
        fit = fit_guinier(Curve(q, counts, np.sqrt(np.maximum(counts, 1))), GuinierParameters())
        pulls.append((fit.rg_nm - 2.0) / fit.rg_error_nm)
    pulls = np.array(pulls)
    # 600 draws: one standard deviation of the share is 0.019, of the mean 0.041.
    assert abs((np.abs(pulls) < 1).mean() - 0.683) < 0.06
    assert abs((np.abs(pulls) < 2).mean() - 0.954) < 0.03
    assert abs(pulls.mean()) < 0.3


def test_a_flat_background_does_not_stretch_the_range():
    q = np.linspace(0.03, 4, 1000)
    expected = guinier_law(q, 3.0, 1e5) + 500
    fit = fit_guinier(Curve(q, expected, np.sqrt(expected)), GuinierParameters())
    assert fit.rg_nm == pytest.approx(3.0, rel=0.02)
    assert fit.q_max_per_nm == pytest.approx(1.3 / 3.0, rel=0.05)


def test_the_first_points_lost_in_noise_are_not_used():
    q = np.linspace(0.01, 0.6, 60)
    intensity = guinier_law(q, 2.0, 50.0)
    error = np.where(np.arange(60) < 7, 100.0, 0.5)
    fit = fit_guinier(Curve(q, intensity, error), GuinierParameters())
    assert fit.q_min_per_nm == q[7]


def test_points_in_the_shadow_of_the_beamstop_are_told_of_as_such():
    q = np.linspace(0.05, 2, 400)
    law = 15 * sphere(q, 2.5)
    error = 0.003 * (4 + law)
    curve = Curve(q, np.random.default_rng(3).normal(law, error), error)
    shaded = curve.intensity.copy()
    shaded[:4] *= 0.6
    for intensity, told in ((shaded, True), (curve.intensity, False)):
        found = analyse(replace(curve, intensity=intensity), AnalysisParameters(pr=False))
        said = " ".join(misfits(found))
        assert ("standard deviations below: the shadow of the beamstop" in said) == told
        assert ("-p guinier_q_min_per_nm=" in said) == told
    residuals = found.fit.residuals(curve)
    assert (residuals**2).sum() / (len(residuals) - 2) == pytest.approx(found.fit.chi2)


def test_the_first_point_can_be_asked_for():
    q = np.linspace(0.01, 0.6, 60)
    curve = Curve(q, guinier_law(q, 2.0, 50.0), np.full(60, 0.1))
    fit = fit_guinier(curve, GuinierParameters(guinier_q_min_per_nm=0.1))
    assert fit.q_min_per_nm == q[q >= 0.1][0]


def test_the_range_ends_before_the_first_point_without_a_logarithm():
    q = np.linspace(0.01, 0.6, 60)
    intensity = guinier_law(q, 1.0, 50.0)
    intensity[20] = -0.1
    fit = fit_guinier(Curve(q, intensity, np.full(60, 0.1)), GuinierParameters())
    assert fit.points == 20


Q = np.linspace(0.05, 1.0, 40)


@pytest.mark.parametrize(
    ("intensity", "error", "message"),
    [
        (guinier_law(Q, -2.0, 1.0)[::-1], 0.001, "does not fall"),
        (np.full(40, 5.0) + 1e-6 * Q[::-1], 0.1, "lost in noise"),
        (np.full(40, -1.0), 0.1, "no 3 points in a row"),
        (guinier_law(Q, 30.0, 1e9), 1e-3, "keeps q·Rg below 1.3"),
        (np.where(np.arange(40) < 4, 5.0, -1.0), 0.1, "4 positive points from q = 0.05"),
    ],
)
def test_an_impossible_fit_is_refused_with_advice(intensity, error, message):
    with pytest.raises(ReductionError, match=message) as caught:
        fit_guinier(Curve(Q, intensity, np.full(40, error)), GuinierParameters())
    assert caught.value.next_step


def test_a_curve_of_two_points_is_refused():
    with pytest.raises(ReductionError, match="no 3 points"):
        fit_guinier(Curve(Q[:2], Q[:2], Q[:2]), GuinierParameters())
