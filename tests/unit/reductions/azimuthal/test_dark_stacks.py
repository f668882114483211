"""Darks and flats of several frames: their exact mean, what is no value, and what it is worth."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.azimuthal.averaging import mean_picture


def integrated(judge, in_memory, frames, asked=None, **calibrations):
    given = {**judge.places["near"].parameters(), "bins": 20, **(asked or {})}
    return judge.run(in_memory(frames), given, **calibrations)


def dark_of(in_memory, array, **others):
    return in_memory(np.zeros((1, 40, 32), np.uint16), dark=array, **others).without("count_time")


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int32])
def test_whole_numbers_are_averaged_exactly_without_marks(picture, dtype):
    rng = np.random.default_rng(3)
    frames = rng.integers(0, 60_000, (7, 6, 5)).astype(dtype)
    mark = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else -2
    frames[2, 0, 0] = mark
    frames[:, 1, 1] = mark
    found = mean_picture(picture(frames), "dark")
    exact = frames.astype(object).sum(axis=0) / 7
    rest = [int(value) for value in np.delete(frames[:, 0, 0], 2)]
    assert found[0, 0] == sum(rest) / 6
    assert np.isnan(found[1, 1])
    exact[0, 0], exact[1, 1] = found[0, 0], np.nan
    assert np.array_equal(found, exact.astype(np.float64), equal_nan=True)


def test_a_dark_of_several_frames_is_its_mean_and_has_less_variance(judge, in_memory, picture):
    frames = judge.draw_frames(np.uint16, marks=0)
    stack = np.random.default_rng(4).poisson(2, (8, *judge.shape)).astype(np.uint16)
    mean = stack.mean(axis=0)
    got = integrated(judge, in_memory, frames, dark=dark_of(in_memory, picture(stack)))
    same = integrated(judge, in_memory, frames, dark=dark_of(in_memory, picture(mean)))
    assert np.array_equal(got["reduction/sums/signal"], same["reduction/sums/signal"])
    none = {"dark_variance": False}
    bare = integrated(judge, in_memory, frames, none, dark=dark_of(in_memory, picture(mean)))
    alone = bare["reduction/sums/variance"]
    one = same["reduction/sums/variance"] - alone
    eight = got["reduction/sums/variance"] - alone
    assert one.sum() > 0
    assert np.allclose(8 * eight, one, rtol=1e-5)


def test_a_run_without_a_beam_will_do_as_a_dark_and_exposures_count(
    judge, in_memory, scalar_array, picture
):
    frames = judge.draw_frames(np.uint16, marks=0)
    stack = np.random.default_rng(4).poisson(2, (4, *judge.shape)).astype(np.uint16)
    longer = in_memory(stack, count_time=scalar_array("count_time", 2.0, "s"))
    got = integrated(judge, in_memory, frames, dark=longer)
    same = integrated(
        judge, in_memory, frames, {"dark_scale": 0.25}, dark=dark_of(in_memory, picture(stack))
    )
    for name in ("signal", "variance"):
        assert np.array_equal(got[f"reduction/sums/{name}"], same[f"reduction/sums/{name}"])


@pytest.mark.parametrize("name", ["dark", "flat"])
def test_frames_that_are_their_own_dark_or_flat_are_refused(judge, in_memory, picture, name):
    frames = in_memory(judge.draw_frames(np.uint16, marks=0))
    given = {**judge.places["near"].parameters(), "bins": 20}
    with pytest.raises(ParameterError, match=f"its own {name!r}: the mean of its frames") as told:
        judge.run(frames, given, **{name: frames})
    assert f"{name}=PID" in told.value.next_step
    # What lies beside its frames is another matter.
    role = {"dark": "dark", "flat": "flatfield"}[name]
    whole = frames.having(**{role: picture(np.ones(judge.shape))})
    assert np.isfinite(judge.run(whole, given, **{name: whole})["data/I"]).any()


def test_a_pixel_that_a_dark_marks_does_not_count(judge, in_memory, picture):
    frames = judge.draw_frames(np.uint16, marks=0)
    dark = np.zeros(judge.shape, dtype=np.uint32)
    dark[3, 4] = 2**32 - 1
    got = integrated(judge, in_memory, frames, {"bins": 1}, dark=dark_of(in_memory, picture(dark)))
    assert got["reduction/sums/count"][:, 0].tolist() == [frames[0].size - 1] * len(frames)


def test_a_dark_below_zero_is_refused_where_it_would_be_a_variance(judge, in_memory, picture):
    frames = judge.draw_frames(np.uint16, marks=0)
    dark = np.ones(judge.shape, dtype=np.float32)
    dark[5, 6] = -0.5
    calibration = dark_of(in_memory, picture(dark))
    with pytest.raises(ReductionError, match=r"at 1 pixels .* first in row 5, column 6"):
        integrated(judge, in_memory, frames, dark=calibration)
    got = integrated(judge, in_memory, frames, {"dark_variance": False}, dark=calibration)
    assert np.isfinite(got["data/I_errors"][:, 3:10]).all()
    mask = in_memory(frames, pixel_mask=picture((dark < 0).astype(np.uint8)))
    integrated(judge, in_memory, frames, dark=calibration, mask=mask)


@pytest.mark.parametrize("values", [np.zeros((0, 40, 32)), np.zeros(5), np.zeros((4, 4), bool)])
def test_what_is_no_picture_is_refused_as_a_flat(judge, in_memory, picture, values):
    frames = judge.draw_frames(np.uint16, count=1)
    flat = in_memory(frames, flatfield=picture(values))
    with pytest.raises(ReductionError, match="a flat of shape"):
        integrated(judge, in_memory, frames, flat=flat)
