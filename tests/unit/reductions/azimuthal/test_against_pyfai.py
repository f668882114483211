"""Curves of counts against pyFAI's public integration, bit for bit."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SPLITTINGS = ["no", "bbox", "full"]
DTYPES = [np.uint8, np.uint16, np.uint32, np.int32]


@pytest.mark.parametrize("splitting", SPLITTINGS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("where", ["far", "near", "turned", "behind"])
def test_counts_are_summed_as_pyfai_sums_them(judge, in_memory, picture, where, dtype, splitting):
    place = judge.places[where]
    frames, mask = judge.draw_frames(dtype), judge.draw_mask()
    dataset = in_memory(frames, pixel_mask=picture(mask.astype(np.uint8)))
    high = judge.end_of(place, 0.9)
    asked = {**place.parameters(), "bins": 30, "radial_max": high, "splitting": splitting}
    got = judge.run(dataset, asked)
    for index, frame in judge.judged(frames):
        theirs = judge.by_pyfai(
            place, frame, mask | judge.bad_pixels(frame), splitting, radial_range=(0, high)
        )
        judge.same(got, index, theirs)


@pytest.mark.parametrize("splitting", SPLITTINGS)
def test_negative_counts_are_summed_where_they_are_asked_for(judge, in_memory, splitting):
    frames = np.random.default_rng(2).integers(-9, 30, (5, *judge.shape)).astype(np.int32)
    asked = {
        **judge.places["near"].parameters(),
        "bins": 30,
        "radial_max": 80.0,
        "splitting": splitting,
        "lowest_counts": -1000,
    }
    got = judge.run(in_memory(frames), asked)
    nothing = np.zeros(judge.shape, dtype=bool)
    for index, frame in judge.judged(frames):
        judge.same(
            got,
            index,
            judge.by_pyfai(judge.places["near"], frame, nothing, splitting, radial_range=(0, 80.0)),
        )


@pytest.mark.parametrize("splitting", SPLITTINGS)
@pytest.mark.parametrize("unit", ["q_A^-1", "2th_deg", "2th_rad", "r_mm", "d*2_nm^-2", "d*2_A^-2"])
def test_other_radial_axes_are_pyfais(judge, in_memory, unit, splitting):
    frames = judge.draw_frames(np.uint16, count=1)
    asked = {
        **judge.places["turned"].parameters(),
        "bins": 30,
        "radial_unit": unit,
        "splitting": splitting,
    }
    got = judge.run(in_memory(frames), asked)
    high = float(judge.places["turned"].integrator().center_array(judge.shape, unit=unit).max())
    theirs = judge.by_pyfai(
        judge.places["turned"],
        frames[0],
        judge.bad_pixels(frames[0]),
        splitting,
        radial_range=(0, high),
        unit=unit,
    )
    judge.same(got, 0, theirs)


@pytest.mark.parametrize("splitting", SPLITTINGS)
@pytest.mark.parametrize("chi", [(-30.0, 60.0), (150.0, 200.0), (-180.0, 0.0)])
def test_a_range_of_the_azimuth_is_pyfais(judge, in_memory, chi, splitting):
    frames = judge.draw_frames(np.uint16, count=1)
    asked = {
        **judge.places["near"].parameters(),
        "bins": 30,
        "radial_max": 80.0,
        "splitting": splitting,
        "chi_min_deg": chi[0],
        "chi_max_deg": chi[1],
    }
    got = judge.run(in_memory(frames), asked)
    theirs = judge.by_pyfai(
        judge.places["near"],
        frames[0],
        judge.bad_pixels(frames[0]),
        splitting,
        radial_range=(0, 80.0),
        azimuth_range=chi,
        cut_at_zero=chi[1] > 180,
    )
    assert 0 < theirs.count.sum() < 0.9 * frames[0].size
    judge.same(got, 0, theirs)


@pytest.mark.parametrize("splitting", SPLITTINGS)
def test_counts_above_float32_stay_exact_where_pyfai_rounds_them(judge, in_memory, splitting):
    frames = np.full((4, *judge.shape), 2**24 + 1, dtype=np.uint32)
    asked = {
        **judge.places["near"].parameters(),
        "bins": 1,
        "radial_max": 500.0,
        "splitting": splitting,
    }
    got = judge.run(in_memory(frames), asked)["reduction/sums/signal"]
    assert got.tolist() == [[(2**24 + 1) * frames[0].size]] * 4
    nothing = np.zeros(judge.shape, dtype=bool)
    theirs = (
        judge.places["near"]
        .integrator()
        .integrate1d_ng(
            frames[0],
            1,
            radial_range=(0, 500.0),
            unit="q_nm^-1",
            mask=nothing,
            method=(splitting, "csr", "cython"),
        )
    )
    assert theirs.sum_signal.tolist() == [2**24 * frames[0].size]


@st.composite
def places(draw):
    """Draw where a detector is, rotated at will."""
    angles = st.floats(-0.5, 0.5).map(lambda one: round(one, 3))
    return (
        draw(st.sampled_from([0.008, 0.05, 1.3])),
        draw(st.integers(-50, 90)) * 1e-4,
        draw(st.integers(-50, 90)) * 1e-4,
        draw(angles),
        draw(angles),
        draw(angles),
        draw(st.integers(1, 4)),
    )


@st.composite
def corrections(draw):
    """Draw what is done to pixels, in our words."""
    return {
        "splitting": draw(st.sampled_from(SPLITTINGS)),
        "error_model": draw(st.sampled_from(["poisson", "azimuthal", "none"])),
        "solid_angle": draw(st.booleans()),
        "polarization_factor": draw(st.sampled_from([None, 1.0, -0.3])),
        "polarization_axis_deg": draw(st.sampled_from([0.0, 33.0, -120.0])),
    }


def said_to_pyfai(integrator, asked, shape):
    """Say the same to pyFAI; an axis of polarisation it takes from what it worked out last."""
    factor = asked["polarization_factor"]
    if factor is not None:
        offset = np.radians(asked["polarization_axis_deg"])
        integrator.polarization(shape, factor=factor, axis_offset=offset)
    return {
        "correctSolidAngle": asked["solid_angle"],
        "polarization_factor": None if factor is None else True,
        "error_model": None if asked["error_model"] == "none" else asked["error_model"],
        "unit": "q_nm^-1",
        "dummy": np.nan,
        "method": (asked["splitting"], "csr", "cython"),
    }


# Tables are built anew for each example.
@settings(
    max_examples=100 if os.environ.get("HSC_REDUCTIONS") == "all" else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # they only give functions
)
@given(
    places(),
    st.sampled_from(DTYPES),
    corrections(),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.02, 0.5]),
)
def test_any_geometry_any_counts_and_any_bad_pixels_give_pyfais_numbers(
    judge, in_memory, picture, numbers, dtype, chosen, seed, marks
):
    place = judge.place(*numbers)
    frames, mask = judge.draw_frames(dtype, 5, seed, marks), judge.draw_mask(seed)
    high = judge.end_of(place, 0.8)
    dataset = in_memory(frames, pixel_mask=picture(mask.astype(np.uint8)))
    got = judge.run(dataset, {**place.parameters(), **chosen, "bins": 30, "radial_max": high})
    integrator = place.integrator()
    said = said_to_pyfai(integrator, chosen, judge.shape)
    for index in (0, 4):
        bad = mask | judge.bad_pixels(frames[index])
        theirs = integrator.integrate1d_ng(
            frames[index], 30, radial_range=(0, high), mask=bad.astype(np.int8), **said
        )
        judge.same(got, index, theirs, errors=chosen["error_model"] != "none")


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_each_orientation_sums_other_pixels_and_as_pyfai_does(judge, in_memory, orientation):
    place = judge.place(0.02, 0.002, 0.001, 0.2, -0.1, 0.4, orientation)
    frames = judge.draw_frames(np.uint16, count=1)
    high = judge.end_of(place, 0.9)
    got = judge.run(in_memory(frames), {**place.parameters(), "bins": 30, "radial_max": high})
    bad = judge.bad_pixels(frames[0])
    judge.same(got, 0, judge.by_pyfai(place, frames[0], bad, "no", radial_range=(0, high)))
    for other in {1, 2, 3, 4} - {orientation}:
        elsewhere = judge.place(0.02, 0.002, 0.001, 0.2, -0.1, 0.4, other)
        theirs = judge.by_pyfai(elsewhere, frames[0], bad, "no", radial_range=(0, high))
        assert theirs.sum_signal.tolist() != got["reduction/sums/signal"][0].tolist()
