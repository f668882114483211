"""Sample less buffer on drawn frames of a sphere: the known radius, and exact arithmetic."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.azimuthal.integration import integrate
from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.reductions.biosaxs.curve import Curve, subtract
from hsc.reductions.biosaxs.measuring import stacks_of
from hsc.reductions.biosaxs.reduction import BIOSAXS
from hsc.reductions.biosaxs.runs import Run, choose
from hsc.reductions.biosaxs.sec import SEC_SAXS
from hsc.workers import Silent, ThreadWorkers

PARAMETERS = {"bins": 120, "pr": False, "report": False, "vc_q_max_per_nm": 0.8}


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
        assert got[f"/reduction/{part}_frames/kept"].all()
    total = sample.role("frames").values.sum(axis=(1, 2))
    assert got["/reduction/sample_frames/total"].tolist() == total.tolist()
    difference = got["/entry_sample/data/I"] - 0.9 * got["/entry_buffer/data/I"]
    assert np.array_equal(got["/entry/data/I"], difference)
    error = np.hypot(got["/entry_sample/data/Idev"], 0.9 * got["/entry_buffer/data/Idev"])
    assert np.allclose(got["/entry/data/Idev"], error, rtol=1e-14)


def test_frames_are_normalised_by_their_exposure(scattering, scalar_array):
    sample, buffer = scattering()
    longer = sample.having(count_time=scalar_array("count_time", 1000.0, "ms"))
    once = arrays(run(sample, buffer))["/entry_sample/data/I"]
    half = arrays(run(longer, buffer))["/entry_sample/data/I"]
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
    assert "pixel and frame" in said["/entry/data/I"]["long_name"]
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
        if one.path.startswith(("/entry/data", "/results/guinier/")) and one.values.ndim:
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
    got = arrays(run(*scattering(), bins=900))
    edges, q = got["/reduction/process/q_edges"], got["/entry/data/Q"]
    kept = got["/reduction/process/bin"]
    assert len(edges) == 901
    assert len(kept) == len(q) < 900
    assert np.array_equal(q, ((edges[:-1] + edges[1:]) / 2)[kept])
    assert np.isfinite(got["/entry/data/I"]).all()


def test_progress_counts_the_frames_of_both(scattering):
    sample, buffer = scattering()
    heard = Heard()
    inputs = {"sample": sample, "buffer": buffer}
    BIOSAXS.run(inputs, PARAMETERS, ThreadWorkers(2), heard)
    assert heard.stages == [("integrate", 8, "frames"), ("compare", 28, "pairs")] * 2
    assert heard.amount == 16 + 56


def test_sample_and_buffer_exchanged_give_no_radius(scattering):
    sample, buffer = scattering()
    with pytest.raises(ReductionError, match="scatters less than the buffer") as refusal:
        run(buffer, sample)
    assert "exchanged?" in refusal.value.next_step


def test_a_single_frame_is_told_of(scattering):
    sample, buffer = scattering()
    one = sample.having(
        frames=replace(sample.role("frames"), values=sample.role("frames").values[:1])
    )
    assert "sample: one frame of 1 is averaged: it can be compared with no other" in said(
        run(one, buffer)
    )
    worse = sample
    for frame in range(1, 8):
        worse = damaged(worse, frame, share=0.3)
    assert "sample: one frame of 8 is averaged: no two in a row are alike" in said(
        run(worse, buffer)
    )
    assert "sample: one frame of 8 is averaged: it alone was named" in said(
        run(sample, buffer, frames_kept="3")
    )


def test_curves_on_different_q_are_not_subtracted():
    one = np.array([1.0, 2.0])
    with pytest.raises(ReductionError, match="not on the same q"):
        subtract(Curve(one, one, one), Curve(one + 1, one, one))


def damaged(dataset, from_frame, share=0.6):
    """Let frames from one on scatter more, as an aggregating sample does."""
    frames = dataset.role("frames").values.copy()
    late = frames[from_frame:]
    frames[from_frame:] = late + np.random.default_rng(2).poisson(late * share).astype("u2")
    return dataset.having(frames=replace(dataset.role("frames"), values=frames))


def test_frames_that_radiation_damaged_are_left_out_and_told_of(scattering):
    sample, buffer = scattering()
    outputs = run(damaged(sample, 5), buffer)
    got = arrays(outputs)
    assert got["/reduction/sample_frames/kept"].tolist() == [True] * 5 + [False] * 3
    assert (outputs.results["sample_frames"], outputs.results["sample_frames_measured"]) == (5, 8)
    assert "frames 6-8 of 8 are left out, for they differ from frames 1-5" in said(outputs)
    similarity = "/reduction/sample_frames/similarity"
    probability = got[f"{similarity}/probability"][got[f"{similarity}/longest"]]
    assert probability[0, 7] < 1e-9
    assert probability[0, 1] > 1e-3
    whole = run(sample, buffer).results["rg_nm"]
    assert outputs.results["rg_nm"] == pytest.approx(whole, rel=0.02)


def said(outputs):
    return " | ".join(outputs.results["warnings"])


def test_frames_are_kept_as_people_say(scattering):
    sample, buffer = scattering()
    spoilt = damaged(sample, 5)
    every = run(spoilt, buffer, frames_kept="all")
    assert every.results["sample_frames"] == 8
    named = run(spoilt, buffer, frames_kept="2-4, 6", buffer_frames_kept=[1, 8])
    got = arrays(named)
    kept = np.flatnonzero(got["/reduction/sample_frames/kept"]) + 1
    assert kept.tolist() == [2, 3, 4, 6]
    assert (np.flatnonzero(got["/reduction/buffer_frames/kept"]) + 1).tolist() == [1, 8]
    with pytest.raises(ParameterError, match="frame 9 is named, but there are 8"):
        run(sample, buffer, frames_kept="9")


@pytest.mark.parametrize("text", ["some", "0", "5-2", "1-", ""])
def test_words_that_name_no_frames_are_refused(scattering, text):
    with pytest.raises(ParameterError, match="names no frames; say 1-100,120"):
        run(*scattering(), frames_kept=text)


def test_several_buffers_weigh_as_their_sums_and_the_error_shrinks(scattering):
    sample, buffer = scattering()
    _, other = scattering(seed=12)
    inputs = {"sample": sample, "buffer": (buffer, other)}
    outputs = BIOSAXS.run(inputs, {**PARAMETERS, "frames_kept": "all"}, ThreadWorkers(2))
    both, one = arrays(outputs), arrays(run(sample, buffer))
    second = arrays(run(sample, other))
    path = "/entry_buffer/data"
    mean = (one[f"{path}/I"] + second[f"{path}/I"]) / 2
    assert np.allclose(both[f"{path}/I"], mean, rtol=1e-12)
    assert np.allclose(both[f"{path}/Idev"], one[f"{path}/Idev"] / np.sqrt(2), rtol=0.05)
    assert outputs.results["buffer_frames"] == 16
    assert both["/reduction/buffer_runs_alike"][0, 1] > 1e-3
    assert not outputs.results["warnings"]


def test_buffers_that_differ_are_told_of(scattering):
    sample, buffer = scattering()
    other = damaged(buffer, 0, share=0.1)
    inputs = {"sample": sample, "buffer": (buffer, other)}
    outputs = BIOSAXS.run(inputs, PARAMETERS, ThreadWorkers(2))
    assert "buffer 1 and buffer 2 differ" in said(outputs)


def test_a_buffer_that_scatters_too_much_is_told_of(scattering):
    sample, buffer = scattering(radius_nm=5.0)
    outputs = run(sample, damaged(buffer, 0, share=0.8), guinier_qrg_max=1.0)
    assert "the buffer does not match" in said(outputs)


def test_water_gives_the_absolute_scale(scattering, in_memory):
    sample, buffer = scattering()
    rng = np.random.default_rng(4)
    y, x = np.indices((220, 200))
    angle = np.arctan(172e-6 * np.hypot(y + 0.5 - 220 * 0.52, x + 0.5 - 200 * 0.11) / 2.0)
    solid = np.cos(angle) ** 3
    empty = in_memory(rng.poisson(2 * solid, (8, 220, 200)).astype("u2"))
    water = in_memory(rng.poisson(6 * solid, (8, 220, 200)).astype("u2"))
    inputs = {"sample": sample, "buffer": buffer, "absolute": water, "absolute_empty": empty}
    given = {**PARAMETERS, "absolute_q_min_per_nm": 0.3, "concentration_g_per_l": 2.0}
    outputs = BIOSAXS.run(inputs, given, ThreadWorkers(2))
    # Water less the empty cell counts 4 a frame of half a second, hence 8 a second.
    assert outputs.results["absolute_factor"] == pytest.approx(0.01632 / 8, rel=0.01)
    assert outputs.results["intensity_unit"] == "1/cm"
    assert outputs.results["i0"] == pytest.approx(400 * 0.01632 / 8, rel=0.03)
    assert outputs.results["mass_absolute_intensity_kda"] > 0
    units = {one.path: one.attributes.get("units") for one in outputs.tree.arrays}
    assert units["/entry/data/I"] == units["/entry_sample/data/Idev"] == "1/cm"
    assert units["/results/guinier/i0"] == "1/cm"
    assert not outputs.results["warnings"]
    del inputs["absolute_empty"]
    alone = BIOSAXS.run(inputs, given, ThreadWorkers(2))
    assert "give absolute_empty=PID" in said(alone)


def test_steps_stand_in_order_as_processes_of_both_conventions(scattering):
    outputs = run(*scattering())
    got = arrays(outputs)
    steps = [
        one.path.rsplit("/", 1)[1]
        for one in outputs.tree.groups
        if one.attributes.get("canSAS_class") == "SASprocess"
    ]
    assert steps == [
        "01_integration", "02_similarity", "03_average", "04_subtraction", "05_guinier",
        "06_kratky", "07_invariants", "08_mass",
    ]  # fmt: skip
    indices = [got[f"/entry/{name}/sequence_index"].item() for name in steps]
    assert indices == list(range(1, 9))
    assert got["/entry/05_guinier/rg_nm"] == outputs.results["rg_nm"]


def test_an_average_is_a_ratio_of_sums(scattering):
    sample, buffer = scattering()
    outputs = run(sample, buffer, frames_kept="all")
    stack = stacks_of([sample], BIOSAXS.bind({"sample": sample, "buffer": buffer}),
                      BIOSAXS.parse(PARAMETERS))[0]  # fmt: skip
    sums = integrate(stack, ThreadWorkers(1), Silent())
    norm = 0.5 * sums.normalization.sum(axis=0)
    filled = arrays(outputs)["/reduction/process/bin"]
    mean = (sums.signal.sum(axis=0) / norm)[filled]
    error = (np.sqrt(sums.variance.sum(axis=0)) / norm)[filled]
    assert np.allclose(arrays(outputs)["/entry_sample/data/I"], mean, rtol=1e-13)
    assert np.allclose(arrays(outputs)["/entry_sample/data/Idev"], error, rtol=1e-13)


def test_frames_that_have_no_bin_in_common_are_not_averaged_unseen(scattering):
    sample, buffer = scattering()
    parameters = BIOSAXS.parse(PARAMETERS)
    stack = stacks_of([sample], BIOSAXS.bind({"sample": sample, "buffer": buffer}), parameters)[0]
    workers = ThreadWorkers(1)
    sums = integrate(stack, workers, Silent())
    count = sums.count.copy()
    count[0, 60:], count[1:, :60] = 0, 0
    kept = np.ones(len(count), dtype=np.bool_)
    made = Run("sample", "here", "", stack, replace(sums, count=count), None, kept, None)
    with pytest.raises(ReductionError, match="can't be compared"):
        choose(made, "similar", parameters, workers, Silent())
    assert choose(made, "all", parameters, workers, Silent()).kept.all()


@pytest.mark.parametrize("role", ["distance", "x_pixel_size"])
def test_a_buffer_whose_pixels_see_another_solid_angle_is_refused(scattering, scalar_array, role):
    sample, buffer = scattering(3.0)
    other = scalar_array(role, 1.001 * sample.role(role).scalar(), "m")
    with pytest.raises(ParameterError, match="times the solid angle") as caught:
        run(sample, buffer.having(**{role: other}))
    assert str(buffer.record.pid) in str(caught.value)


def test_sums_of_the_chain_are_declared_in_the_order_of_the_integration():
    assert {BIOSAXS.order, SEC_SAXS.order} == {AZIMUTHAL.order}
