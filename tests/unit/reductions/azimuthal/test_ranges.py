"""Ranges of both axes against literal sums: across the cut of the circle, and below a first bin."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError

RANGES = [
    (-30.0, 60.0),
    (150.0, 200.0),
    (170.0, -170.0),
    (-200.0, -100.0),
    (-30.0, 200.0),
    (-189.0, 171.0),
    (0.0, 360.0),
    (100.0, 459.0),
    (171.0, 531.0),
]


def pixels_of(place, shape):
    """Give q and azimuth (degrees) of the middles of all pixels, flat."""
    integrator = place.integrator()
    q = integrator.center_array(shape, unit="q_nm^-1").ravel()
    return q, np.degrees(integrator.center_array(shape, unit="chi_rad").ravel())


def literal(place, frame, radial, chi, bins):
    """Sum what lies within both ranges, by pixels' middles; all with numpy."""
    q, azimuth = pixels_of(place, frame.shape)
    low, high = chi
    high = high if high > low else high + 360
    azimuth = low + (azimuth - low) % 360
    edges = (np.linspace(*radial, bins[0] + 1), np.linspace(low, high, bins[1] + 1))
    both = np.histogram2d(q, azimuth, edges, weights=frame.ravel())[0]
    return both, np.histogram2d(q, azimuth, edges)[0]


@pytest.mark.parametrize("chi", RANGES)
@pytest.mark.parametrize("turned", [(3,), (1, 0.05, -0.08, 0.9)])
def test_what_lies_in_a_range_is_summed_wherever_the_circle_is_cut(judge, in_memory, turned, chi):
    # The direct beam hits the detector, so that it has all azimuths.
    place = judge.place(0.01, 0.004, 0.0024, *turned[1:], orientation=turned[0])
    frames = judge.draw_frames(np.uint16, count=1, marks=0)
    asked = {
        **place.parameters(),
        "bins": 5,
        "radial_min": 3.0,
        "radial_max": 14.0,
        "chi_min_deg": chi[0],
        "chi_max_deg": chi[1],
    }
    sums, counts = literal(place, frames[0], (3.0, 14.0), chi, (5, 6))
    assert counts.sum() > 20
    curve = judge.run(in_memory(frames), asked)
    assert curve["reduction/sums/count"][0].tolist() == counts.sum(axis=1).tolist()
    assert curve["reduction/sums/signal"][0].tolist() == sums.sum(axis=1).tolist()
    cake = judge.run(in_memory(frames), {**asked, "azimuthal_bins": 6})
    assert cake["reduction/sums/count"][0].tolist() == counts.T.tolist()
    assert cake["reduction/sums/signal"][0].tolist() == sums.T.tolist()
    edges = cake["data/azimuthal_axis_edges"]
    assert edges[0] == chi[0]
    assert edges[-1] == pytest.approx(chi[1] + (360 if chi[1] < chi[0] else 0), abs=1e-4)


@pytest.mark.parametrize("splitting", ["bbox", "full"])
@pytest.mark.parametrize("chi", [(-30.0, 200.0), (150.0, 200.0)])
def test_two_parts_of_a_range_hold_what_the_whole_holds(judge, in_memory, splitting, chi):
    # Pixels across an end are in both parts, or in none; they are few.
    place = judge.place(0.05, 0.004, 0.0024)
    frames = np.ones((1, *judge.shape), dtype=np.uint16)
    asked = {**place.parameters(), "bins": 1, "radial_max": 400.0, "splitting": splitting}

    def count(low, high):
        given = {**asked, "chi_min_deg": low, "chi_max_deg": high}
        return judge.run(in_memory(frames), given)["reduction/sums/count"][0, 0]

    parts = count(chi[0], 180.0) + count(-180.0, chi[1] - 360)
    assert count(*chi) == pytest.approx(parts, abs=20)
    assert count(*chi) > 1.02 * count(chi[0], 180.0)


@pytest.mark.parametrize("splitting", ["no", "bbox"])
@pytest.mark.parametrize("bins", [(30, 0), (12, 8)])
def test_without_what_lies_below_the_first_bin_it_is_pyfais(judge, in_memory, splitting, bins):
    place = judge.places["turned"]
    frames = judge.draw_frames(np.uint16, count=2)
    low, high = 21.7, 60.0
    asked = {
        **place.parameters(),
        "bins": bins[0],
        "radial_min": low,
        "radial_max": high,
        "splitting": splitting,
        "azimuthal_bins": bins[1],
    }
    got = judge.run(in_memory(frames), asked)
    integrator = place.integrator()
    q = integrator.center_array(judge.shape, unit="q_nm^-1")
    reach = integrator.delta_array(judge.shape, unit="q_nm^-1") if splitting == "bbox" else 0
    for index, frame in enumerate(frames):
        given = {
            "radial_range": (low, high),
            "unit": "q_nm^-1",
            "error_model": "poisson",
            "dummy": np.nan,
            "method": (splitting, "csr", "cython"),
        }
        sizes = (bins[0], bins[1]) if bins[1] else (bins[0],)
        if bins[1]:
            given["azimuth_range"] = (-180, 180)
        run = integrator.integrate2d_ng if bins[1] else integrator.integrate1d_ng
        bad = judge.bad_pixels(frame)
        judge.same(got, index, run(frame, *sizes, mask=bad | (q + reach < low), **given))
        theirs = run(frame, *sizes, mask=bad, **given)
        assert theirs.count.sum() > 1.01 * got["reduction/sums/count"][index].sum()


def test_a_range_beyond_the_detector_is_refused(judge, in_memory):
    frames = judge.draw_frames(np.uint16, count=1)
    asked = {**judge.places["far"].parameters(), "radial_min": 800.0, "radial_max": 900.0}
    with pytest.raises(ReductionError, match=r"no pixel .* within 800\.0 to 900\.0 \(q_nm\^-1\)"):
        judge.run(in_memory(frames), asked)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"radial_unit": "q_A"},
            r"radial_unit: Input should be 'q_nm\^-1'.* or 'qy_A\^-1' \(given",
        ),
        (
            {"radial_unit": "2th_deg", "q_min_per_nm": 0.1},
            r"q_min_per_nm is 0\.1, beside an axis in 2th_deg$",
        ),
        ({"radial_min": 1.0, "q_min_per_nm": 0.1}, r"beside an axis in q_nm\^-1 and radial_min, 1"),
    ],
)
def test_an_axis_that_does_not_fit_is_told_in_one_sentence(judge, in_memory, given, message):
    with pytest.raises(ParameterError) as caught:
        judge.run(
            in_memory(judge.draw_frames(np.uint16, count=1)),
            {**judge.places["far"].parameters(), **given},
        )
    assert re.search(message, caught.value.message)


@pytest.mark.parametrize(
    ("chi", "message"),
    [
        ((30.0, 30.0), "nothing lies between them"),
        ((-200.0, 300.0), "more than one turn"),
        ((30.0, None), "chi_min_deg is 30.0 and chi_max_deg is None"),
    ],
)
def test_a_range_of_the_azimuth_that_is_none_is_refused(judge, in_memory, chi, message):
    asked = {
        **judge.places["far"].parameters(), "chi_min_deg": chi[0], "chi_max_deg": chi[1],
    }  # fmt: skip
    with pytest.raises(ParameterError, match=message):
        judge.run(in_memory(judge.draw_frames(np.uint16, count=1)), asked)
