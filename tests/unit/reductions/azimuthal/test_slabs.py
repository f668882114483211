"""Slabs on a turned detector against literal sums, and what is refused beside them."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError


@pytest.mark.parametrize("along", ["qx_nm^-1", "qy_A^-1"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_a_slab_sums_pixels_whole_by_their_components(judge, in_memory, along, orientation):
    place = judge.place(0.01, 0.004, 0.0024, 0.05, -0.08, 0.9, orientation)
    frames = judge.draw_frames(np.uint32, count=3)
    scale = 0.1 if along.endswith("A^-1") else 1.0
    asked = {"bins": 7, "radial_unit": along, "slab_min": -4 * scale, "slab_max": 9 * scale}
    got = judge.run(in_memory(frames), {**place.parameters(), **asked})
    integrator = place.integrator()
    q = integrator.center_array(judge.shape, unit="q_nm^-1")
    azimuth = integrator.center_array(judge.shape, unit="chi_rad")
    values, across = q * np.cos(azimuth), q * np.sin(azimuth)
    if along.startswith("qy"):
        values, across = across, values
    edges = got["data/radial_axis_edges"]
    assert (edges[0], edges[-1]) == pytest.approx(
        (values.min() * scale, values.max() * scale), rel=1e-6
    )
    for index, frame in enumerate(frames):
        used = (across >= -4) & (across < 9) & ~judge.bad_pixels(frame)
        weights = frame[used].astype(np.float64)
        counts = np.histogram(values[used] * scale, edges)[0]
        signal = np.histogram(values[used] * scale, edges, weights=weights)[0]
        assert counts.min() > 0
        assert got["reduction/sums/count"][index].tolist() == counts.tolist()
        assert got["reduction/sums/signal"][index].tolist() == signal.tolist()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"splitting": "bbox"}, "splitting is 'bbox', beside a slab along qx_nm"),
        ({"azimuthal_bins": 4}, "azimuthal_bins is 4, beside a slab"),
        ({"chi_min_deg": 1.0, "chi_max_deg": 2.0}, r"chi_min_deg is 1\.0, beside a slab"),
        ({"slab_min": 1.0}, "slab_min is 1.0 and slab_max is None, for a slab"),
        ({"slab_min": 2.0, "slab_max": 1.0}, "slab_min is 2.0 and slab_max is 1.0, for a slab"),
        ({"radial_unit": "q_nm^-1", "slab_max": 1.0}, "slab_max is 1.0, beside an axis in q_nm"),
        ({"q_max_per_nm": 1.0}, "q_max_per_nm is 1.0"),
    ],
)
def test_what_does_not_go_with_a_slab_is_refused(judge, in_memory, given, message):
    asked = {**judge.places["far"].parameters(), "radial_unit": "qx_nm^-1", **given}
    with pytest.raises(ParameterError, match=message):
        judge.run(in_memory(judge.draw_frames(np.uint16, count=1)), asked)
