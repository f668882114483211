"""Cakes against pyFAI, and their form against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError

SPLITTINGS = ["no", "bbox"]


@pytest.mark.parametrize("splitting", SPLITTINGS)
@pytest.mark.parametrize(
    ("where", "chi"),
    [
        *((where, None) for where in ("far", "near", "turned", "behind")),
        *((where, (-30.0, 60.0)) for where in ("far", "near", "turned")),
    ],
)
def test_a_cake_is_pyfais(judge, in_memory, where, splitting, chi):
    place = judge.places[where]
    frames = judge.draw_frames(np.uint16, count=2)
    high = judge.end_of(place, 0.8)
    asked = {
        **place.parameters(),
        "bins": 20,
        "radial_max": high,
        "splitting": splitting,
        "azimuthal_bins": 12,
    }
    if chi is not None:
        asked |= {"chi_min_deg": chi[0], "chi_max_deg": chi[1]}
    got = judge.run(in_memory(frames), asked)
    integrator = place.integrator()
    # pyFAI counts in the first bin what lies less than one bin below it.
    ends = np.degrees(integrator.center_array(judge.shape, unit="chi_rad"))
    if splitting == "bbox":
        ends = ends + np.degrees(integrator.delta_array(judge.shape, unit="chi_rad"))
    below = ends < (chi or (-180.0, 180.0))[0]
    for index, frame in enumerate(frames):
        theirs = integrator.integrate2d_ng(
            frame,
            20,
            12,
            radial_range=(0, high),
            azimuth_range=chi or (-180, 180),
            mask=(below | judge.bad_pixels(frame)).astype(np.int8),
            unit="q_nm^-1",
            error_model="poisson",
            dummy=np.nan,
            method=(splitting, "csr", "cython"),
        )
        assert theirs.count.sum() > 0
        judge.same(got, index, theirs)
        assert np.allclose(got["data/azimuthal_axis"], theirs.azimuthal, rtol=1e-6)


def test_a_cake_by_areas_is_refused_for_pyfai_does_not_make_it_the_same_twice(judge, in_memory):
    frames = judge.draw_frames(np.uint16, count=1)
    with pytest.raises(ParameterError, match="not the same each time"):
        judge.run(in_memory(frames), {"azimuthal_bins": 4, "splitting": "full"})
