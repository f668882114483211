"""Analysis of a curve: known particles, freesas as judge, what is said when nothing is found."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from dataclasses import replace

import freesas.invariants
import numpy as np
import pytest
from freesas.autorg import auto_gpa, auto_guinier, autoRg

from hsc.errors import ReductionError
from hsc.reductions.biosaxs.analysis import AnalysisParameters, analyse
from hsc.reductions.biosaxs.blas import _openblas, one_blas_thread
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.estimates import estimate_of_fit
from hsc.reductions.biosaxs.guinier import fit_guinier
from hsc.reductions.biosaxs.pairs import find_pairs, seed_of
from hsc.testing import sphere_form_factor

FAST = AnalysisParameters(pr=False)
QUICK = AnalysisParameters(pr_points=30, pr_samples=20)


def test_the_estimates_are_those_of_freesas(sphere):
    curve = sphere()
    found = {one.method: one for one in analyse(curve, FAST).estimates}
    assert list(found) == ["closed_form", "autorg", "auto_guinier", "auto_gpa"]
    columns = curve.columns()
    with np.errstate(all="ignore"):  # it takes logarithms of points below zero
        judges = {
            "autorg": autoRg(columns),
            "auto_guinier": auto_guinier(
                columns, Rg_min=max(1.31 / 2.0, found["closed_form"].rg_nm / 2)
            ),
            "auto_gpa": auto_gpa(columns, Rg_min=1.31 / 2.0),
        }
    for name, judge in judges.items():
        ours = found[name]
        assert (ours.rg_nm, ours.rg_error_nm) == (judge.Rg, judge.sigma_Rg)
        # autorg tells the last point of its line, as the next test shows.
        end = judge.end_point + (name == "autorg")
        assert (ours.i0, ours.start, ours.stop) == (judge.I0, judge.start_point, end)
        assert ours.quality == judge.quality
        assert ours.qrg_max == curve.q_per_nm[end - 1] * judge.Rg


@pytest.mark.parametrize("seed", range(4))
def test_the_range_told_of_autorg_is_that_of_its_line(sphere, seed):
    curve = sphere(2.5, seed=seed)
    found = {one.method: one for one in analyse(curve, FAST).estimates}["autorg"]
    q, intensity, error = curve.columns()[found.start : found.stop].T
    slope, at_zero = np.polyfit(q**2, np.log(intensity), 1, w=intensity / error)
    assert math.sqrt(-3 * slope) == pytest.approx(found.rg_nm, rel=1e-6)
    assert math.exp(at_zero) == pytest.approx(found.i0, rel=1e-6)


def test_a_sphere_gives_its_radius_volume_and_largest_distance(sphere):
    found = analyse(sphere(3.2), QUICK)
    rg = math.sqrt(3 / 5) * 3.2
    for one in found.estimates:
        assert one.rg_nm == pytest.approx(rg, rel=0.03), one.method
    assert found.pairs is not None
    assert found.pairs.rg_nm == pytest.approx(rg, rel=0.005)
    assert found.pairs.dmax_nm == pytest.approx(6.4, rel=0.06)
    assert found.pairs.i0 == pytest.approx(15, rel=0.005)
    assert 0.7 < found.pairs.chi2 < 1.4
    residual = found.pairs.intensity - found.curve.at(slice(found.guinier.start, None)).intensity
    assert np.abs(residual).max() < 5 * found.curve.error.max()
    assert found.pairs.p[0] == 0
    # The peak of a sphere's p(r) is at 1.05 R.
    assert found.pairs.r_nm[np.argmax(found.pairs.p)] == pytest.approx(1.05 * 3.2, abs=0.3)
    assert found.failures == {}


def test_a_curve_of_few_points_has_distances_that_fit_it(sphere):
    # As many steps of r as points divided χ² by nothing: it was infinite, and p(r) was not there.
    found = analyse(sphere(3.2, points=70, q_max=1.2), AnalysisParameters(pr_samples=10))
    assert found.failures == {}
    assert len(found.pairs.r_nm) <= 1 + 70 // 2
    assert 0.7 < found.pairs.chi2 < 2.5
    assert found.pairs.rg_nm == pytest.approx(math.sqrt(3 / 5) * 3.2, rel=0.01)


def test_the_integral_of_a_noiseless_sphere_is_its_volume(sphere):
    # Up to q R = 64 the rest of ∫ q² I dq, which falls with q^-2, is one percent.
    found = analyse(sphere(3.2, points=4000, q_max=20.0, noise=0), FAST)
    assert found.invariants.porod_volume_nm3 == pytest.approx(4 / 3 * math.pi * 3.2**3, rel=0.03)


def test_the_invariants_are_those_of_freesas(sphere):
    curve = sphere()
    found = analyse(curve, FAST.model_copy(update={"guinier_method": "auto_guinier"}))
    least = max(1.31 / 2.0, fit_guinier(curve, FAST).rg_nm / 2)
    judge = auto_guinier(curve.columns(), Rg_min=least)
    volume = freesas.invariants.calc_Porod(curve.columns(), judge)
    law = freesas.invariants.calc_Rambo_Tainer(curve.columns(), judge)
    assert found.invariants.porod_volume_nm3 == volume
    assert (found.invariants.vc_nm2, found.invariants.qr_nm3) == (law.Vc, law.Qr)
    assert found.mass_kda("volume_of_correlation") == pytest.approx(law.mass, rel=1e-12)
    assert found.mass_kda("porod_volume") == volume / 1.6


@pytest.mark.parametrize("empty", [8, 14])
def test_empty_bins_behind_the_first_one_change_no_mass(empty):
    q = 0.005 * np.arange(1, 1000)
    law = 15 * sphere_form_factor(q, 6.0)
    error = 0.003 * (law + 0.015)
    beamstop = q > 0.125
    plain = analyse(Curve(q, law, error).at(beamstop), FAST).invariants
    # One pixel at the edge of the beamstop, of which nothing is known, and none in the bins behind.
    alone = np.flatnonzero(beamstop)[0] - 1 - empty
    error[alone], beamstop[alone] = 30.0, True
    gap = analyse(Curve(q, law, error).at(beamstop), FAST).invariants
    # Vc: freesas leaves out a strip of at most one step, or not, as rounding has it.
    assert gap.vc_nm2 == pytest.approx(plain.vc_nm2, rel=0.012)
    assert gap.porod_volume_nm3 == pytest.approx(plain.porod_volume_nm3, rel=1e-3)


def test_integrals_that_are_not_above_zero_give_neither_volume_nor_mass():
    q = np.linspace(0.05, 2, 400)
    law = np.exp(-((2.5 * q) ** 2) / 3) - 0.3 * (q > 1)
    found = analyse(Curve(q, law, np.full(400, 1e-3)), FAST)
    volumes = found.invariants
    assert (volumes.vc_nm2, volumes.qr_nm3, volumes.porod_volume_nm3) == (None, None, None)
    assert found.masses == ()
    assert "porod_volume_nm3" not in next(s for s in found.steps if s.name == "invariants").terms


def test_the_kratky_plot_of_a_compact_particle_peaks_where_it_should(sphere):
    q = np.linspace(0.05, 2, 400)
    globule = Curve(q, np.exp(-((2.5 * q) ** 2) / 3), np.full(400, 1e-3))
    kratky = analyse(globule, FAST).kratky
    peak = np.argmax(kratky.value)
    assert kratky.qrg[peak] == pytest.approx(math.sqrt(3), rel=0.01)
    assert kratky.value[peak] == pytest.approx(3 / math.e, rel=1e-3)


def test_the_mass_from_an_absolute_intensity_needs_the_concentration(sphere):
    curve = sphere(i0=0.0477)
    known = FAST.model_copy(update={"concentration_g_per_l": 1.0})
    # 66 kDa of protein at 1 g/L scatter 0.0477 1/cm forward (Mylonas and Svergun 2007).
    mass = analyse(curve, known, "1/cm").mass_kda("absolute_intensity")
    assert mass == pytest.approx(66, rel=0.02)
    assert analyse(curve, FAST, "1/cm").mass_kda("absolute_intensity") is None
    assert analyse(curve, known).mass_kda("absolute_intensity") is None


def test_the_error_of_a_mass_from_an_absolute_intensity_holds_that_of_the_scale(sphere):
    known = FAST.model_copy(update={"concentration_g_per_l": 1.0})
    exact, uncertain = (analyse(sphere(i0=0.0477), known, "1/cm", one) for one in (0.0, 0.05))
    of_i0 = exact.guinier.i0_error / exact.guinier.i0
    for found, share in ((exact, of_i0), (uncertain, math.hypot(of_i0, 0.05))):
        mass = found.masses[-1]
        assert mass.method == "absolute_intensity"
        assert mass.error_kda == pytest.approx(share * mass.kda)
    assert exact.masses[:-1] == uncertain.masses[:-1]


def test_the_same_curve_gives_the_same_bytes_whatever_the_random_numbers_did_before(sphere):
    curve = sphere()
    np.random.seed(7)  # noqa: NPY002
    before = np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    first = analyse(curve, QUICK).pairs
    # What others draw from numpy's global numbers is left as it was.
    assert np.random.random() == before  # noqa: NPY002
    second = analyse(curve, QUICK).pairs
    assert first is not None
    assert second is not None
    assert first.seed == second.seed == seed_of(curve.at(slice(first_point(curve), None)))
    for name in ("r_nm", "p", "p_error", "intensity"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert replace(first, r_nm=0, p=0, p_error=0, q_per_nm=0, intensity=0) == replace(
        second, r_nm=0, p=0, p_error=0, q_per_nm=0, intensity=0
    )


def first_point(curve):
    return analyse(curve, FAST).guinier.start


def test_the_number_of_threads_of_linear_algebra_changes_no_byte_and_is_set_back(sphere):
    with one_blas_thread() as found:
        assert found
    library = _openblas()
    before = library.scipy_openblas_get_num_threads()
    many = AnalysisParameters(pr_points=64, pr_samples=10)
    curve = sphere()
    guinier = estimate_of_fit(fit_guinier(curve, many))
    try:
        made = []
        for threads in (1, 2):
            library.scipy_openblas_set_num_threads(threads)
            made.append(find_pairs(curve, guinier, many).p.tobytes())
            assert library.scipy_openblas_get_num_threads() == threads
    finally:
        library.scipy_openblas_set_num_threads(before)
    assert made[0] == made[1]


def test_the_estimate_that_counts_is_chosen_by_name(sphere):
    curve = sphere()
    for name in ("autorg", "auto_guinier", "auto_gpa"):
        found = analyse(curve, FAST.model_copy(update={"guinier_method": name}))
        assert found.guinier.method == name
        assert found.kratky.qrg[-1] == found.guinier.rg_nm * curve.q_per_nm[-1]


def test_a_failed_estimate_is_told_and_others_are_offered(sphere):
    curve = sphere(noise=0)
    beyond = FAST.model_copy(update={"guinier_q_min_per_nm": 1.9})
    with pytest.raises(ReductionError) as refusal:
        analyse(curve, beyond)
    assert "-p guinier_method=NAME" in refusal.value.next_step
    assert "auto_guinier 2." in refusal.value.next_step
    found = analyse(curve, beyond.model_copy(update={"guinier_method": "auto_guinier"}))
    assert found.fit is None
    assert "closed_form" in found.failures


def test_noise_alone_has_no_radius(sphere):
    q = np.linspace(0.05, 2, 100)
    noise = Curve(q, np.random.default_rng(1).normal(0, 1, 100), np.ones(100))
    with pytest.raises(ReductionError, match="no 3 points in a row"):
        analyse(noise, FAST)


def test_a_curve_without_a_distribution_says_so_and_keeps_the_rest(sphere):
    found = analyse(sphere().at(slice(0, 15)), QUICK)
    assert found.pairs is None
    assert "too few for p(r)" in found.failures["pr"]
    assert found.steps[-1].name == "pr"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: replace(c, q_per_nm=c.q_per_nm[::-1]), "does not ascend"),
        (lambda c: replace(c, intensity=np.where(c.q_per_nm > 1, np.nan, 1.0)), "not finite"),
        (lambda c: replace(c, error=c.error[:-1]), "three columns"),
    ],
)
def test_columns_that_are_no_curve_are_refused(sphere, change, said):
    with pytest.raises(ReductionError, match=said):
        analyse(change(sphere()), FAST)


@pytest.mark.parametrize(
    ("name", "radius_nm"), [("sphere_60_q0_2.txt", 6.0), ("sphere_80.txt", 8.0)]
)
def test_the_analytic_spheres_of_sasdata_give_their_radius(text_curve, name, radius_nm):
    curve = text_curve(name, error=0.01)
    found = analyse(curve, FAST.model_copy(update={"guinier_qrg_max": 1.0}))
    rg = math.sqrt(3 / 5) * radius_nm
    # A straight line is too steep on a sphere by (q_max Rg)² / 98: see fit_guinier.
    assert found.guinier.rg_nm == pytest.approx(rg * (1 + found.guinier.qrg_max**2 / 98), rel=0.01)
    volume = 4 / 3 * math.pi * radius_nm**3
    # ∫ q² I dq ends at q R = 18 or 8 and lacks a few percent.
    assert volume < found.invariants.porod_volume_nm3 < 1.16 * volume


def test_proteins_measured_at_isis_give_distances_that_fit(text_curve):
    conalbumin = analyse(text_curve("conalbumin.txt"), QUICK)
    assert conalbumin.pairs is not None
    assert 0.8 < conalbumin.pairs.chi2 < 1.3
    # 78 kDa and Rg 3.0 to 3.2 nm in solution; the curve is somewhat aggregated.
    assert 3.0 < conalbumin.guinier.rg_nm < 3.6
    apoferritin = analyse(text_curve("apoferritin.txt"), QUICK)
    assert apoferritin.guinier.rg_nm > 5
    assert apoferritin.pairs is not None


INTERRUPTED = """
import signal, threading
import numpy as np
from hsc.reductions.biosaxs.curve import Curve
from hsc.reductions.biosaxs.estimates import EstimateParameters, estimate_of_fit
from hsc.reductions.biosaxs.guinier import fit_guinier
from hsc.reductions.biosaxs.pairs import PairParameters, find_pairs
from hsc.testing import sphere_form_factor

q = np.linspace(0.05, 2.0, 200)
curve = Curve(q, sphere_form_factor(q, 3.0), np.full(200, 1e-3))
guinier = estimate_of_fit(fit_guinier(curve, EstimateParameters()))
find_pairs(curve, guinier, PairParameters(pr_points=10, pr_samples=10))
main = threading.get_ident()
threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
try:
    find_pairs(curve, guinier, PairParameters(pr_points=400, pr_samples=10_000))
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to a thread here")
def test_ctrl_c_is_heard_while_distances_are_sought():
    # freesas prints a KeyboardInterrupt that meets it and goes on, here for minutes.
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False, timeout=60
    )
    assert (run.stdout, run.returncode) == ("stopped\n", 0), run.stderr
