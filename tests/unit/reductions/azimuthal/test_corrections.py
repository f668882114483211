"""Dark, flat, monitors, error models and given variances against pyFAI, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from pyFAI.method_registry import IntegrationMethod

SPLITTINGS = ["no", "bbox", "full"]


@pytest.mark.parametrize("splitting", SPLITTINGS)
@pytest.mark.parametrize("model", ["poisson", "azimuthal", "none"])
@pytest.mark.parametrize("where", ["near", "turned"])
def test_corrections_and_error_models_are_pyfais(
    judge, in_memory, picture, where, model, splitting
):
    place = judge.places[where]
    frames, mask = judge.draw_frames(np.uint16), judge.draw_mask()
    rng = np.random.default_rng(4)
    dark = rng.random(judge.shape).astype(np.float32)
    flat = rng.uniform(0.8, 1.2, judge.shape).astype(np.float32)
    flat[3, 4], flat[5, 6] = 0, np.nan
    monitor = np.array([1.0, 2.5, 0.3, 1.0, 7.7])
    dataset = in_memory(frames, pixel_mask=picture(mask.astype(np.uint8)), monitor=picture(monitor))
    asked = {
        **place.parameters(),
        "bins": 30,
        "radial_max": 80.0,
        "splitting": splitting,
        "error_model": model,
        "polarization_factor": 0.95,
        "monitor": True,
        "normalization_factor": 3.3,
        "dark_variance": False,
    }
    others = {
        "flat": in_memory(frames, flatfield=picture(flat)),
        "dark": in_memory(frames, dark=picture(dark)).without("count_time"),
    }
    got = judge.run(dataset, asked, **others)
    static = mask | (flat == 0) | np.isnan(flat)
    for index, frame in judge.judged(frames):
        theirs = judge.by_pyfai(
            place,
            frame,
            static | judge.bad_pixels(frame),
            splitting,
            radial_range=(0, 80.0),
            error_model=None if model == "none" else model,
            dark=dark,
            flat=flat,
            polarization_factor=0.95,
            normalization_factor=np.float32(3.3 * monitor[index]),
        )
        judge.same(got, index, theirs, errors=model != "none")


@pytest.mark.parametrize("splitting", SPLITTINGS)
def test_a_flat_and_a_monitor_alone_leave_counts_as_they_are(judge, in_memory, picture, splitting):
    frames = judge.draw_frames(np.uint32)
    flat = np.random.default_rng(4).uniform(0.8, 1.2, judge.shape).astype(np.float32)
    monitor = np.array([1.0, 2.5, 0.3, 1.0, 7.7])
    asked = {
        **judge.places["near"].parameters(),
        "bins": 30,
        "radial_max": 80.0,
        "splitting": splitting,
        "monitor": True,
        "polarization_factor": -0.5,
    }
    calibration = in_memory(frames, flatfield=picture(flat))
    got = judge.run(in_memory(frames, monitor=picture(monitor)), asked, flat=calibration)
    for index, frame in judge.judged(frames):
        theirs = judge.by_pyfai(
            judge.places["near"],
            frame,
            judge.bad_pixels(frame),
            splitting,
            radial_range=(0, 80.0),
            flat=flat,
            polarization_factor=-0.5,
            normalization_factor=monitor[index],
        )
        judge.same(got, index, theirs)


@pytest.mark.parametrize("splitting", SPLITTINGS)
def test_the_dark_adds_to_the_variance_as_in_pyfais_preprocessing(
    judge, in_memory, picture, splitting
):
    frames = judge.draw_frames(np.uint16, marks=0)
    dark = np.random.default_rng(4).random(judge.shape).astype(np.float32)
    asked = {
        **judge.places["near"].parameters(),
        "bins": 30,
        "radial_max": 80.0,
        "splitting": splitting,
    }
    calibration = in_memory(frames, dark=picture(dark)).without("count_time")
    got = judge.run(in_memory(frames), asked, dark=calibration)
    nothing = np.zeros(judge.shape, dtype=bool)
    for index, frame in judge.judged(frames):
        variance = np.maximum(np.float32(1), frame.astype(np.float32)) + dark
        theirs = judge.by_pyfai(
            judge.places["near"],
            frame,
            nothing,
            splitting,
            radial_range=(0, 80.0),
            dark=dark,
            variance=variance,
        )
        judge.same(got, index, theirs)


@pytest.mark.parametrize("splitting", SPLITTINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point_frames_and_given_variances_are_pyfais(
    judge, in_memory, picture, splitting, dtype
):
    rng = np.random.default_rng(8)
    frames = rng.normal(5, 4, (3, *judge.shape)).astype(dtype)
    frames[rng.random(frames.shape) < 0.02] = np.nan
    variances = rng.uniform(1, 9, frames.shape).astype(np.float32)
    asked = {
        **judge.places["turned"].parameters(),
        "bins": 30,
        "radial_max": 80.0,
        "splitting": splitting,
        "error_model": "variance",
    }
    got = judge.run(in_memory(frames, variance=picture(variances)), asked)
    for index, frame in judge.judged(frames):
        theirs = judge.by_pyfai(
            judge.places["turned"],
            frame,
            np.isnan(frame),
            splitting,
            radial_range=(0, 80.0),
            variance=variances[index],
        )
        judge.same(got, index, theirs)


@pytest.mark.parametrize("splitting", SPLITTINGS)
def test_the_mean_of_ratios_is_pyfais_unweighted_mean(judge, in_memory, splitting):
    frames = judge.draw_frames(np.uint16, count=3)
    asked = {
        **judge.places["near"].parameters(),
        "bins": 30,
        "radial_max": 80.0,
        "splitting": splitting,
        "normalization": "mean_of_ratios",
        "polarization_factor": 0.9,
    }
    got = judge.run(in_memory(frames), asked)
    integrator = judge.places["near"].integrator()
    method = IntegrationMethod.select_method(1, splitting, "csr", "cython")[0].unweighted
    for index, frame in judge.judged(frames):
        theirs = integrator.integrate1d_ng(
            frame,
            30,
            radial_range=(0, 80.0),
            unit="q_nm^-1",
            error_model="poisson",
            mask=judge.bad_pixels(frame).astype(np.int8),
            polarization_factor=0.9,
            dummy=np.nan,
            method=method,
        )
        judge.same(got, index, theirs)
