"""What a person is told before believing numbers: both sides of each limit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hsc.reductions.biosaxs.chain import misfits
from hsc.reductions.biosaxs.invariants import Mass
from hsc.reductions.biosaxs.pairs import PairDistances
from hsc.reductions.biosaxs.reports.remarks import remarks_of


@pytest.fixture
def chain(followed):
    """Give a chain about which nothing is to be said: one way to Rg, one mass, no p(r)."""
    analysis = followed.analysis
    # q·Rg from 0.3 to 1.3 on any curve: the limits are on these numbers alone.
    guinier = replace(analysis.guinier, rg_nm=2.0, q_min_per_nm=0.15, q_max_per_nm=0.65)
    quiet = replace(
        analysis, guinier=guinier, fit=replace(analysis.fit, chi2=1.0), estimates=(),
        masses=analysis.masses[:1],
    )  # fmt: skip
    return replace(followed, warnings=(), analysis=quiet)


def told(chain, **changes):
    return remarks_of(replace(chain, analysis=replace(chain.analysis, **changes)))


def guinier(chain, **changes):
    return replace(chain.analysis.guinier, **changes)


def pairs(chain, *, rg_nm=2.0, dmax_nm=6.0):
    none = np.zeros(2)
    fields = dict.fromkeys(PairDistances.__dataclass_fields__, 1.0)
    arrays = dict.fromkeys(("r_nm", "p", "p_error", "q_per_nm", "intensity"), none)
    return PairDistances(**{**fields, **arrays, "rg_nm": rg_nm, "dmax_nm": dmax_nm})


def test_where_nothing_stands_out_nothing_is_said(chain):
    assert remarks_of(chain) == ()


def test_what_the_chain_warns_of_stands_first(chain):
    said = remarks_of(replace(chain, warnings=("a", "b"), analysis=replace(
        chain.analysis, guinier=guinier(chain, q_max_per_nm=1.0))))  # fmt: skip
    assert said[:2] == ("a", "b")
    assert len(said) == 3


@pytest.mark.parametrize(("chi2", "said"), [(1.0, 0), (2.99, 0), (3.01, 1)])
def test_a_guinier_line_that_misses_its_points_is_told_of(chain, chi2, said):
    analysis = replace(
        chain.analysis, fit=replace(chain.analysis.fit, chi2=chi2, points=100), pairs=None
    )
    found = misfits(analysis)
    assert len(found) == said
    assert all("χ²" in text for text in found)
    # Once: among the chain's warnings, which the page begins with.
    assert remarks_of(replace(chain, analysis=analysis)) == ()
    other = guinier(chain, method="autorg")
    assert misfits(replace(analysis, guinier=other)) == []


# 1.3 is the customary limit (Guinier; Trewhella et al. 2017); a twentieth is left to fits that end
# at the point after it.
@pytest.mark.parametrize(("qrg", "said"), [(1.3, 0), (1.349, 0), (1.351, 1), (2.0, 1)])
def test_a_guinier_fit_that_reaches_too_far_is_told_of(chain, qrg, said):
    found = told(chain, guinier=guinier(chain, q_max_per_nm=qrg / 2))
    assert len(found) == said
    assert all("q·Rg" in text and "1.3" in text for text in found)


@pytest.mark.parametrize(("qrg", "said"), [(0.65, 0), (0.799, 0), (0.801, 1)])
def test_a_guinier_fit_that_begins_late_is_told_of(chain, qrg, said):
    found = told(chain, guinier=guinier(chain, q_min_per_nm=qrg / 2))
    assert len(found) == said
    assert all("begins at" in text for text in found)


@pytest.mark.parametrize(("radii", "said"), [((2.0,), 0), ((2.0, 2.19), 0), ((2.21, 2.0), 1),
                                             ((2.0, 2.1, 2.5), 1)])  # fmt: skip
def test_radii_of_several_ways_that_differ_by_a_tenth_are_told_of(chain, radii, said):
    ways = ("closed_form", "auto_guinier", "auto_gpa")
    estimates = tuple(
        guinier(chain, method=way, rg_nm=rg, aggregated=None)
        for way, rg in zip(ways, radii, strict=False)
    )
    found = told(chain, estimates=estimates)
    assert len(found) == said
    assert all("2.5" in text or "2.21" in text for text in found)


# 0.1 is where freesas itself says "aggregated" (containers.py of 2026.10).
@pytest.mark.parametrize(("bend", "said"), [(None, 0), (-0.5, 0), (0.1, 0), (0.101, 1)])
def test_a_curve_that_bends_upwards_is_told_of(chain, bend, said):
    found = told(chain, estimates=(guinier(chain, method="autorg", aggregated=bend),))
    assert len(found) == said
    assert all("aggregation" in text for text in found)


def test_only_the_measure_of_autorg_is_believed(chain):
    assert told(chain, estimates=(guinier(chain, method="auto_gpa", aggregated=5.0),)) == ()


@pytest.mark.parametrize(("rg", "said"), [(2.0, 0), (2.19, 0), (1.81, 0), (2.21, 1), (1.79, 1)])
def test_a_radius_of_p_of_r_that_is_another_is_told_of(chain, rg, said):
    found = told(chain, pairs=pairs(chain, rg_nm=rg))
    assert len(found) == said
    assert all("Rg of p(r)" in text for text in found)


# Shannon: a curve from q on tells of distances up to π / q.
@pytest.mark.parametrize(("share", "said"), [(0.999, 0), (1.001, 1)])
def test_distances_beyond_what_the_smallest_q_tells_are_told_of(chain, share, said):
    most = math.pi / float(chain.curve.q_per_nm[0])
    found = told(chain, pairs=pairs(chain, dmax_nm=share * most))
    assert len(found) == said
    assert all("smallest q" in text for text in found)


@pytest.mark.parametrize(("kda", "said"), [((20.0,), 0), ((20.0, 25.9), 0), ((26.1, 20.0), 1),
                                           ((20.0, 21.0, 30.0), 1)])  # fmt: skip
def test_masses_that_differ_by_a_third_are_told_of(chain, kda, said):
    ways = ("volume_of_correlation", "porod_volume", "absolute_intensity")
    masses = tuple(Mass(way, one, 0.1, "a book") for way, one in zip(ways, kda, strict=False))
    found = told(chain, masses=masses)
    assert len(found) == said
    assert all("kDa" in text and "Porod volume" in text for text in found)
