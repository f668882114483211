"""Bodies whose scattering is known on paper: what is stated holds over many draws of the noise."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.reductions import Curve
from hsc.reductions.biosaxs.absolute import _SRM_3600, AbsoluteParameters, find_scale
from hsc.reductions.biosaxs.analysis import AnalysisParameters
from hsc.reductions.biosaxs.curve import subtract
from hsc.reductions.biosaxs.estimates import estimate_of_fit
from hsc.reductions.biosaxs.guinier import GuinierParameters, fit_guinier
from hsc.reductions.biosaxs.invariants import MassParameters, invariants_of
from hsc.reductions.biosaxs.pairs import find_pairs

DRAWS = 80
_E = np.sqrt(1 - (2.0 / 4.5) ** 2)  # of the ellipsoid's outline
Q = np.linspace(0.05, 2.0, 300)


def amplitude(x):
    return 3 * (np.sin(x) - x * np.cos(x)) / x**3


def sphere(q, radius=3.2):
    return amplitude(q * radius) ** 2


def ellipsoid(q, a=2.0, c=4.5):
    """Average over the cosine of the angle to the axis, by Gauss's rule."""
    cosine, weight = np.polynomial.legendre.leggauss(120)
    seen = np.hypot(a * np.sqrt(1 - cosine**2), c * cosine)
    return (weight * amplitude(np.outer(q, seen)) ** 2).sum(axis=1) / 2


def core_shell(q, inner=2.0, outer=3.5, core=0.4, shell=1.0):
    whole = shell * outer**3 * amplitude(q * outer)
    hollow = (core - shell) * inner**3 * amplitude(q * inner)
    forward = shell * outer**3 + (core - shell) * inner**3
    return ((whole + hollow) / forward) ** 2


def core_shell_rg(inner=2.0, outer=3.5, core=0.4, shell=1.0):
    """Square root of the mean square distance from the middle, weighted by the contrast."""
    fifth = core * inner**5 + shell * (outer**5 - inner**5)
    third = core * inner**3 + shell * (outer**3 - inner**3)
    return np.sqrt(0.6 * fifth / third)


BODIES = {
    "sphere": (sphere, np.sqrt(0.6) * 3.2, 4 / 3 * np.pi * 3.2**3, 6.4),
    "ellipsoid": (ellipsoid, np.sqrt((2 * 2.0**2 + 4.5**2) / 5), 4 / 3 * np.pi * 4 * 4.5, 9.0),
    "core_shell": (core_shell, core_shell_rg(), None, 7.0),
}


def drawn(law, seed, noise=0.01, i0=40.0, q=Q):
    """Draw a sample and its buffer, and subtract: two noises are in the difference."""
    rng = np.random.default_rng(seed)
    behind = 0.2 * i0
    sigma = noise * np.sqrt(i0 * (i0 * law + behind))
    base = noise * np.sqrt(i0 * behind) * np.ones_like(q)
    sample = Curve(q, rng.normal(i0 * law + behind, sigma), sigma)
    buffer = Curve(q, rng.normal(behind, base), base)
    return subtract(sample, buffer)


@pytest.mark.parametrize("name", BODIES)
def test_radius_and_forward_scattering_are_within_their_errors_over_many_draws(name):
    form, rg, _, _ = BODIES[name]
    law = form(Q)
    parameters = GuinierParameters(guinier_qrg_max=0.7, guinier_q_min_per_nm=0.0)
    fits = [fit_guinier(drawn(law, seed), parameters) for seed in range(DRAWS)]
    radius = np.array([(fit.rg_nm - rg) / fit.rg_error_nm for fit in fits])
    forward = np.array([(fit.i0 - 40) / fit.i0_error for fit in fits])
    for pulls in (radius, forward):
        # Some of a deviation is left to the law, the first term of a series.
        assert abs(pulls.mean()) < 0.5
        assert 0.75 < pulls.std() < 1.3
    chi2 = np.array([fit.chi2 for fit in fits])
    assert chi2.mean() == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize(
    ("name", "surface"),
    [
        ("sphere", 4 * np.pi * 3.2**2),
        ("ellipsoid", 2 * np.pi * 4 * (1 + 4.5 / (2 * _E) * np.arcsin(_E))),
    ],
)
def test_the_porod_volume_of_a_body_is_its_volume_but_for_what_is_beyond_the_curve(name, surface):
    form, _, volume, _ = BODIES[name]
    q = np.linspace(0.02, 12.0, 3000)
    parameters = MassParameters(vc_q_max_per_nm=12.0)
    curve = Curve(q, 7 * form(q), np.full(len(q), 1e-6))
    fit = estimate_of_fit(fit_guinier(curve, GuinierParameters(guinier_qrg_max=0.5)))
    found = invariants_of(curve, fit, parameters)
    # I / I0 ends in 2πS / (V² q⁴): what lies beyond the last q makes V too large by S / (πVq).
    beyond = surface / (np.pi * volume * 12.0)
    assert found.porod_volume_nm3 * (1 - beyond) == pytest.approx(volume, rel=0.003)
    if name == "sphere":
        # ∫ q P dq = 9 / (4 R²) for a sphere, by parts.
        assert found.vc_nm2 == pytest.approx(4 * 3.2**2 / 9, rel=0.01)


def test_the_error_of_the_porod_volume_is_that_of_many_draws():
    law = sphere(Q)
    parameters = GuinierParameters(guinier_q_min_per_nm=0.0)
    found = []
    for seed in range(DRAWS):
        curve = drawn(law, seed)
        fit = estimate_of_fit(fit_guinier(curve, parameters))
        found.append(invariants_of(curve, fit, MassParameters()))
    volumes = np.array([one.porod_volume_nm3 for one in found])
    stated = np.mean([one.porod_volume_error_nm3 for one in found])
    assert volumes.std() == pytest.approx(stated, rel=0.35)


@pytest.mark.parametrize("name", BODIES)
def test_distances_give_the_radius_and_the_largest_one(name):
    form, rg, _, longest = BODIES[name]
    curve = drawn(form(Q), seed=3, noise=0.002)
    fit = estimate_of_fit(fit_guinier(curve, GuinierParameters()))
    found = find_pairs(curve, fit, AnalysisParameters(pr_points=40, pr_samples=20))
    assert found.rg_nm == pytest.approx(rg, rel=0.01)
    assert found.i0 == pytest.approx(40, rel=0.01)
    assert found.dmax_nm == pytest.approx(longest, rel=0.15)
    assert 0.6 < found.chi2 < 1.6


def test_water_gives_the_scale_without_bias_over_many_draws():
    q = np.linspace(1.0, 4.0, 200)
    error = np.full(200, 0.3)  # a third of what is measured: bins are noisy, the scale is not
    scales = [
        find_scale(
            Curve(q, np.random.default_rng(seed).normal(1.0, error), error),
            AbsoluteParameters(),
            empty_subtracted=True,
        )
        for seed in range(DRAWS)
    ]
    pulls = np.array([(one.factor - 0.01632) / one.factor_error for one in scales])
    assert abs(pulls.mean()) < 0.4
    assert 0.75 < pulls.std() < 1.3


def test_glassy_carbon_gives_the_scale_without_bias_over_many_draws():
    q = np.linspace(0.3, 2.0, 150)
    known = np.interp(q, 10 * _SRM_3600[:, 0], _SRM_3600[:, 1])
    parameters = AbsoluteParameters(
        absolute_standard="glassy_carbon", absolute_thickness_mm=1.0, sample_thickness_mm=1.7
    )
    measured = 250.0 * known * 1.0  # what a millimetre of carbon counts
    error = 0.2 * measured
    scales = [
        find_scale(
            Curve(q, np.random.default_rng(seed).normal(measured, error), error),
            parameters,
            empty_subtracted=True,
        )
        for seed in range(DRAWS)
    ]
    # A sample of 1.7 mm that scatters as much per cm counts 1.7 times as much.
    pulls = np.array([(one.factor - 1 / (250.0 * 1.7)) / one.factor_error for one in scales])
    assert abs(pulls.mean()) < 0.4
    assert 0.75 < pulls.std() < 1.3
