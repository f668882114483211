"""The absolute scale from standards whose scattering is known."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions import Curve
from hsc.reductions.biosaxs.absolute import AbsoluteParameters, find_scale, scale_remarks
from hsc.reductions.biosaxs.reduction import BIOSAXS
from hsc.workers import ThreadWorkers

Q = np.linspace(0.2, 5.0, 400)
CARBON = AbsoluteParameters(absolute_standard="glassy_carbon", sample_thickness_mm=1.7)


def noisy(law, share=0.01, seed=3):
    error = share * np.abs(law)
    return Curve(Q, np.random.default_rng(seed).normal(law, error), error)


def test_water_is_the_same_at_every_q():
    found = find_scale(noisy(np.full(400, 5.0)), AbsoluteParameters(), empty_subtracted=True)
    assert found.factor == pytest.approx(0.01632 / 5, abs=4 * found.factor_error)
    assert found.factor_error / found.factor < 1e-3
    assert 0.7 < found.chi2 < 1.3
    assert (found.q_min_per_nm >= 1, found.q_max_per_nm <= 4) == (True, True)


def test_glassy_carbon_is_compared_with_its_certificate_and_both_thicknesses():
    # A few lines of the certificate of SRM 3600: q in 1/angstrom, dΣ/dΩ in 1/cm.
    law = np.interp(Q, 10 * np.array([0.03531810, 0.05738140, 0.09788540, 0.14110500, 0.20042700]),
                    [28.065980, 26.401158, 23.946472, 17.264117, 8.325578])  # fmt: skip
    found = find_scale(noisy(7 * law), CARBON, empty_subtracted=True)
    assert found.factor == pytest.approx(1.055 / 1.7 / 7, rel=0.01)


def test_a_standard_that_does_not_scatter_as_it_should_is_told_of():
    water = noisy(np.full(400, 5.0))
    assert scale_remarks(find_scale(water, AbsoluteParameters(), empty_subtracted=True)) == []
    carbon = find_scale(water, CARBON, empty_subtracted=True)
    (said,) = scale_remarks(carbon)
    assert "does not scatter as glassy carbon does" in said


def test_glassy_carbon_needs_the_thickness_of_the_sample():
    asked = AbsoluteParameters(absolute_standard="glassy_carbon")
    with pytest.raises(ParameterError, match="sample_thickness_mm is not given"):
        find_scale(noisy(np.full(400, 20.0)), asked, empty_subtracted=True)


def test_a_range_beyond_the_certificate_is_refused():
    asked = CARBON.model_copy(update={"absolute_q_max_per_nm": 4.0})
    with pytest.raises(ReductionError, match="glassy carbon is known from"):
        find_scale(noisy(np.full(400, 20.0)), asked, empty_subtracted=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"absolute_q_min_per_nm": 4.99, "absolute_q_max_per_nm": 5.0}, "points of the standard"),
        ({}, "lost in its noise or below zero"),
    ],
)
def test_a_standard_that_says_nothing_is_refused(change, said):
    asked = AbsoluteParameters(**change)
    with pytest.raises(ReductionError, match=said):
        find_scale(noisy(np.full(400, -5.0)), asked, empty_subtracted=False)


def test_a_standard_that_is_its_own_empty_cell_is_refused(scattering):
    sample, buffer = scattering(frames=2)
    given = {"sample": sample, "buffer": buffer, "absolute": buffer, "absolute_empty": buffer}
    with pytest.raises(ParameterError, match=r"'absolute' and as 'absolute_empty'.*nothing"):
        BIOSAXS.run(given, {"bins": 120, "pr": False, "report": False}, ThreadWorkers(1))
