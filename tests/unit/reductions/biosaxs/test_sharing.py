"""Bins that share split pixels: how far a pixel reaches, and frames that are alike all the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.reductions.azimuthal.integration import integrate
from hsc.reductions.azimuthal.parameters import IntegrationParameters
from hsc.reductions.azimuthal.stack import stack_of
from hsc.reductions.biosaxs.reduction import BIOSAXS
from hsc.reductions.biosaxs.sharing import apart, bins_of_a_pixel
from hsc.workers import Silent, ThreadWorkers


@pytest.mark.parametrize("splitting", ["bbox", "full"])
@pytest.mark.parametrize(
    ("bins", "tilt"),
    [
        (700, {}),
        (9000, {"rot1_rad": 0.4, "rot2_rad": -0.3, "poni1_m": 0.01, "poni2_m": 0.02}),
    ],
)
def test_no_pixel_is_split_among_more_bins_than_is_said(in_memory, splitting, bins, tilt):
    lit = np.zeros((40, 60, 50), np.uint16)
    lit.reshape(40, -1)[np.arange(40), np.random.default_rng(5).choice(3000, 40, False)] = 9
    parameters = IntegrationParameters(bins=bins, splitting=splitting, **tilt)
    stack = stack_of(in_memory(lit), parameters)
    signal = integrate(stack, ThreadWorkers(1), Silent()).signal
    widest = max(int(np.ptp(np.flatnonzero(row))) + 1 for row in signal)
    assert 3 < widest <= bins_of_a_pixel(stack.binning) < 3 * widest


def test_whole_pixels_lie_in_one_bin(in_memory, random_frames):
    assert (
        bins_of_a_pixel(stack_of(in_memory(random_frames()), IntegrationParameters()).binning) == 1
    )


@given(
    st.lists(st.integers(0, 90), min_size=1, max_size=60, unique=True).map(sorted),
    st.integers(1, 9),
)
@settings(deadline=None)
def test_what_is_compared_lies_so_far_apart_that_no_pixel_is_in_two(bins, reach):
    # Each bin's value is its own number, so that a mean tells which bins are in it.
    marked = np.eye(91)[:, bins]
    groups = apart(marked, np.array(bins), reach).T > 0
    last = -reach
    for group in groups:
        inside = np.flatnonzero(group)
        assert inside[0] - last >= reach
        assert inside[-1] - inside[0] < reach
        last = inside[-1]


def run(sample, buffer, **parameters):
    given = {"bins": 600, "splitting": "full", "pr": False, "report": False, **parameters}
    return BIOSAXS.run({"sample": sample, "buffer": buffer}, given, ThreadWorkers(2))


def test_like_frames_are_kept_where_pixels_are_split_and_damaged_ones_are_not(scattering):
    sample, buffer = scattering(frames=20)
    found = run(sample, buffer).results
    assert (found["sample_frames"], found["buffer_frames"]) == (20, 20)
    assert any("pixels are split among up to 6 bins" in one for one in found["warnings"])
    array = sample.role("frames")
    worse = array.values.copy()
    worse[15:] = (worse[15:] * 1.1).astype(np.uint16)
    damaged = sample.having(frames=type(array)(array.path, worse, {}, array.chunks))
    assert run(damaged, buffer).results["sample_frames"] == 15
