"""Sample less buffer on drawn frames of a sphere: the known radius, and exact arithmetic."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.azimuthal.integration import FrameSums
from hsc.reductions.biosaxs.curve import Curve, average, subtract
from hsc.reductions.biosaxs.reduction import BIOSAXS
from hsc.workers import ThreadWorkers

PARAMETERS = {"bins": 120}


def arrays(outputs):
    return {one.path: one.values for one in outputs.tree.arrays}


def contents(outputs):
    return [
        (one.path, one.values.dtype.str, one.values.shape, one.values.tobytes())
        for one in outputs.tree.arrays
    ]


def run(sample, buffer, workers=2, mask=None, **parameters):
    inputs = {"sample": sample, "buffer": buffer}
    if mask is not None:
        inputs["mask"] = mask
    return BIOSAXS.run(inputs, {**PARAMETERS, **parameters}, ThreadWorkers(workers))


class Heard:
    def __init__(self):
        self.stages = []
        self.amount = 0

    def start(self, stage, total, unit):
        self.stages.append((stage, total, unit))

    def advance(self, amount):
        self.amount += amount

    def finish(self):
        pass


@pytest.mark.parametrize("radius_nm", [2.0, 3.0, 5.0])
def test_the_radius_of_gyration_of_a_sphere_is_found(scattering, radius_nm):
    outputs = run(*scattering(radius_nm))
    rg = np.sqrt(3 / 5) * radius_nm
    found = outputs.results
    # The law itself gives up to 2 % too much on a sphere; see fit_guinier.
    bias = rg * found["guinier_qrg_max"] ** 2 / 98
    assert abs(found["rg_nm"] - rg - bias) < 3 * found["rg_error_nm"] + 0.01 * rg
    assert found["guinier_qrg_max"] <= 1.3
    assert 0.3 < found["guinier_chi2"] < 2.5
    assert found["i0"] == pytest.approx(400, rel=0.02)
    assert found["sample_frames"] == found["buffer_frames"] == 8


def test_averages_are_ratios_of_sums_and_the_difference_keeps_its_errors(scattering):
    sample, buffer = scattering()
    got = arrays(run(sample, buffer, buffer_scale=0.9))
    for part in ("sample", "buffer"):
        assert got[f"/entry/reduction/{part}_frames/kept"].all()
    total = sample.role("frames").values.sum(axis=(1, 2))
    assert got["/entry/reduction/sample_frames/total"].tolist() == total.tolist()
    difference = got["/entry/sample_curve/I"] - 0.9 * got["/entry/buffer_curve/I"]
    assert np.array_equal(got["/entry/subtracted/I"], difference)
    error = np.hypot(got["/entry/sample_curve/I_errors"], 0.9 * got["/entry/buffer_curve/I_errors"])
    assert np.allclose(got["/entry/subtracted/I_errors"], error, rtol=1e-14)


def test_frames_are_normalised_by_their_exposure(scattering, scalar_array):
    sample, buffer = scattering()
    longer = sample.having(count_time=scalar_array("count_time", 1000.0, "ms"))
    once = arrays(run(sample, buffer))["/entry/sample_curve/I"]
    half = arrays(run(longer, buffer))["/entry/sample_curve/I"]
    assert np.array_equal(half, once / 2)


def test_one_exposure_without_the_other_is_refused(scattering):
    sample, buffer = scattering()
    with pytest.raises(ParameterError, match="exposure of the buffer frames is unknown"):
        run(sample, buffer.without("count_time"))
    assert run(sample, buffer.without("count_time"), buffer_count_time_s=0.5).results


def test_without_any_exposure_intensities_are_per_frame(scattering):
    sample, buffer = (one.without("count_time") for one in scattering())
    outputs = run(sample, buffer)
    said = {one.path: one.attributes for one in outputs.tree.arrays}
    assert "pixel and frame" in said["/entry/subtracted/I"]["long_name"]
    assert outputs.results["i0"] == pytest.approx(200, rel=0.02)


def test_a_mask_dataset_excludes_more_pixels(scattering, picture):
    sample, buffer = scattering()
    mask = np.zeros((220, 200), dtype=np.uint8)
    mask[:, 90:] = 1
    masked = sample.having(pixel_mask=picture(mask))
    fewer = run(sample, buffer, mask=masked).results["bins"]
    assert fewer < run(sample, buffer).results["bins"]


def test_any_number_of_threads_gives_the_same_bytes(scattering):
    sample, buffer = scattering()
    one = run(sample, buffer, workers=1)
    assert contents(one) == contents(run(sample, buffer, workers=3))


def test_every_array_has_dimension_names_and_every_curve_units(scattering):
    outputs = run(*scattering())
    lengths = {}
    for one in outputs.tree.arrays:
        assert len(one.dimension_names) == one.values.ndim
        for name, length in zip(one.dimension_names, one.values.shape, strict=True):
            assert lengths.setdefault(name, length) == length, one.path
        if one.path.startswith(("/entry/subtracted", "/entry/guinier/")) and one.values.ndim:
            assert "units" in one.attributes
    paths = [one.path for one in outputs.tree.arrays]
    assert len(paths) == len(set(paths))
    assert set(outputs.tree.roles) == {"q", "intensity", "intensity_error"}
    assert all(path in paths for path in outputs.tree.roles.values())
    assert outputs.title.startswith("lysozyme: I(q) less buffer, Rg = ")
    assert outputs.quantities["radius_of_gyration"].unit == "nm"
    assert "/entry/sample/name" in paths
    json.dumps([outputs.results, *(dict(one.attributes) for one in outputs.tree.arrays)])


def test_no_bin_of_the_curves_is_empty_and_the_edges_tell_where_they_lie(scattering):
    got = arrays(run(*scattering(), bins=2000))
    edges, q = got["/entry/reduction/q_edges"], got["/entry/subtracted/q"]
    kept = got["/entry/reduction/bin"]
    assert len(edges) == 2001
    assert len(kept) == len(q) < 2000
    assert np.array_equal(q, ((edges[:-1] + edges[1:]) / 2)[kept])
    assert np.isfinite(got["/entry/subtracted/I"]).all()


def test_progress_counts_the_frames_of_both(scattering):
    sample, buffer = scattering()
    heard = Heard()
    inputs = {"sample": sample, "buffer": buffer}
    BIOSAXS.run(inputs, PARAMETERS, ThreadWorkers(2), heard)
    assert heard.stages == [("integrate", 8, "frames")] * 2
    assert heard.amount == 16


def test_sample_and_buffer_exchanged_give_no_radius(scattering):
    sample, buffer = scattering()
    with pytest.raises(ReductionError):
        run(buffer, sample)


def test_an_average_weights_frames_by_what_they_measured():
    sums = FrameSums(
        signal=np.array([[10], [90], [7]], dtype=np.uint64),
        variance=np.array([[10], [90], [7]], dtype=np.uint64),
        normalization=np.array([[1.0], [3.0], [1.0]]),
        count=np.array([[1], [3], [1]], dtype=np.uint32),
        left_out=np.zeros(3, dtype=np.int64),
    )
    intensity, error = average(sums, np.array([True, True, False]), exposure=2.0)
    assert intensity.tolist() == [100 / 8]
    assert error.tolist() == [10 / 8]


def test_no_frame_kept_is_refused():
    nothing = np.zeros((1, 1))
    sums = FrameSums(
        nothing.astype(np.uint64),
        nothing.astype(np.uint64),
        nothing,
        nothing.astype(np.uint32),
        np.zeros(1, dtype=np.int64),
    )
    with pytest.raises(ReductionError, match="no frame is kept"):
        average(sums, np.array([False]), 1.0)


def test_curves_on_different_q_are_not_subtracted():
    one = np.array([1.0, 2.0])
    with pytest.raises(ReductionError, match="not on the same q"):
        subtract(Curve(one, one, one), Curve(one + 1, one, one))
