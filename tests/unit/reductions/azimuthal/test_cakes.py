"""Cakes against pyFAI, and their form against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError

SPLITTINGS = ["no", "bbox"]


@pytest.mark.parametrize("splitting", SPLITTINGS)
@pytest.mark.parametrize("where", ["far", "near", "turned", "behind"])
@pytest.mark.parametrize("chi", [None, (-30.0, 60.0)])
def test_a_cake_is_pyfais(judge, in_memory, where, splitting, chi):
    place = judge.places[where]
    frames = judge.draw_frames(np.uint16, count=2)
    asked = {
        **place.parameters(),
        "bins": 20,
        "radial_max": 50.0,
        "splitting": splitting,
        "azimuthal_bins": 12,
    }
    if chi is not None:
        asked |= {"chi_min_deg": chi[0], "chi_max_deg": chi[1]}
    got = judge.run(in_memory(frames), asked)
    for index, frame in enumerate(frames):
        theirs = place.integrator().integrate2d_ng(
            frame,
            20,
            12,
            radial_range=(0, 50.0),
            azimuth_range=chi or (-180, 180),
            mask=judge.bad_pixels(frame).astype(np.int8),
            unit="q_nm^-1",
            error_model="poisson",
            dummy=np.nan,
            method=(splitting, "csr", "cython"),
        )
        judge.same(got, index, theirs)
        assert np.allclose(got["data/azimuthal_axis"], theirs.azimuthal, rtol=1e-6)


def test_a_cake_by_areas_is_refused_for_pyfai_does_not_make_it_the_same_twice(judge, in_memory):
    frames = judge.draw_frames(np.uint16, count=1)
    with pytest.raises(ParameterError, match="not the same each time"):
        judge.run(in_memory(frames), {"azimuthal_bins": 4, "splitting": "full"})
