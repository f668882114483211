"""Values that would give wrong numbers without a word: refused, or their pixels left out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError

ASKED = {"bins": 5, "radial_max": 8.0}


@pytest.fixture
def frames(judge):
    return judge.draw_frames(np.uint16, count=2, marks=0)


@pytest.fixture
def asked(judge):
    return {**judge.place(0.01, 0.004, 0.0024).parameters(), **ASKED}


@pytest.fixture
def upper_half(judge):
    half = np.zeros(judge.shape, dtype=bool)
    half[:20] = True
    return half


@pytest.mark.parametrize("dtype", [">u2", ">i4", ">f4"])
@pytest.mark.parametrize("model", ["poisson", "azimuthal"])
def test_the_order_of_bytes_changes_nothing(judge, in_memory, asked, frames, dtype, model):
    given = {**asked, "error_model": model}
    turned = frames.astype(dtype)
    one = judge.run(in_memory(turned.astype(turned.dtype.newbyteorder("="))), given)
    other = judge.run(in_memory(turned), given)
    assert other["data/I"].tobytes() == one["data/I"].tobytes()
    assert other["reduction/sums/variance"].tobytes() == one["reduction/sums/variance"].tobytes()


@pytest.mark.parametrize("mark", [-1.0, 0.0, np.nan, -np.inf, np.inf, 1e300])
def test_pixels_with_an_impossible_flat_do_not_count(
    judge, in_memory, picture, asked, frames, upper_half, mark
):
    flat = np.where(upper_half, mark, 0.5)
    got = judge.run(in_memory(frames), asked, flat=in_memory(frames, flatfield=picture(flat)))
    plain = np.full(judge.shape, 0.5)
    masked = in_memory(frames, pixel_mask=picture(upper_half.astype(np.uint8)))
    wanted = judge.run(masked, asked, flat=in_memory(frames, flatfield=picture(plain)))
    assert got["reduction/sums/count"].tolist() == wanted["reduction/sums/count"].tolist()
    assert got["data/I"].tobytes() == wanted["data/I"].tobytes()


def test_pixels_with_an_infinite_dark_do_not_count(
    judge, in_memory, picture, asked, frames, upper_half
):
    dark = np.where(upper_half, 1e300, 0.5)
    calibration = in_memory(frames, dark=picture(dark)).without("count_time")
    got = judge.run(in_memory(frames), asked, dark=calibration)
    assert not got["reduction/sums/left_out"].any()
    masked = in_memory(frames, pixel_mask=picture(upper_half.astype(np.uint8)))
    plain = in_memory(frames, dark=picture(np.full(judge.shape, 0.5))).without("count_time")
    assert got["data/I"].tobytes() == judge.run(masked, asked, dark=plain)["data/I"].tobytes()


@pytest.mark.parametrize("mark", [-1.0, np.nan, 1e300])
def test_pixels_without_a_possible_variance_do_not_count(
    judge, in_memory, picture, asked, frames, upper_half, mark
):
    asked = {**asked, "error_model": "variance"}
    variances = np.broadcast_to(np.where(upper_half, mark, 2.0), frames.shape)
    got = judge.run(in_memory(frames, variance=picture(variances)), asked)
    mask = picture(upper_half.astype(np.uint8))
    plain = picture(np.full(frames.shape, 2.0))
    wanted = judge.run(in_memory(frames, variance=plain, pixel_mask=mask), asked)
    for name in ("signal", "variance", "normalization", "count"):
        path = f"reduction/sums/{name}"
        assert got[path].tolist() == wanted[path].tolist()
    assert (got["reduction/sums/left_out"] > 0).all()


@pytest.mark.parametrize("chi", [(180.0, -180.0), (300.0, -60.0), (0.0, -360.0)])
def test_an_azimuth_that_ends_where_it_begins_is_refused(judge, in_memory, asked, frames, chi):
    # pyFAI summed whatever of it lies within its own circle: a part.
    given = {**asked, "chi_min_deg": chi[0], "chi_max_deg": chi[1]}
    with pytest.raises(ParameterError, match="nothing lies between them"):
        judge.run(in_memory(frames), given)


@pytest.mark.parametrize(
    ("monitor", "factor", "message"),
    [
        ([1.0, 1e39], 1.0, r"frame 2 is to be divided by 1e\+39, its monitor times norm"),
        ([1e-46, 1.0], 1.0, "frame 1 is to be divided by 1e-46"),
        ([1e10, 1.0], 1e25, r"frame 1 is to be divided by 1e\+35"),
        ([1.0, 0.0], 1.0, "the monitor of frame 2 is 0.0: nothing can be divided by it$"),
        ([np.nan, -2.0], 1.0, "frame 1 is nan: .*, and 1 more are none either$"),
        (["a", "b"], 1.0, "monitors of type <U1; numbers are needed"),
        ([1.0], 1.0, "1 monitors for 2 frames"),
    ],
)
def test_monitors_that_nothing_can_be_divided_by_are_refused(
    judge, in_memory, picture, asked, frames, monitor, factor, message
):
    dataset = in_memory(frames, monitor=picture(np.array(monitor)))
    with pytest.raises(ReductionError) as caught:
        judge.run(dataset, {**asked, "monitor": True, "normalization_factor": factor})
    assert caught.value.next_step
    assert re.search(message, caught.value.message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wavelength_m": 1.0}, "wavelength_m is 1.0, which is impossible"),
        ({"distance_m": 2000.0}, "distance_m is 2000.0, which is impossible"),
        ({"bins": 100_000, "azimuthal_bins": 1000}, "a cake of 100000000 bins"),
    ],
)
def test_numbers_in_another_unit_and_cakes_without_end_are_refused(
    judge, in_memory, asked, frames, given, message
):
    with pytest.raises(ParameterError, match=message):
        judge.run(in_memory(frames), {**asked, **given})
