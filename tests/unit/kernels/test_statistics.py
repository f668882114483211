"""Frame statistics against Python's integers."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.kernels import (
    GoodRange,
    add_frames,
    divide_sums,
    empty_moments,
    join_pixels,
    pixel_sums,
    squares_of,
    sum_regions,
    trim_pixels,
)

DTYPES = [np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32]


@st.composite
def stacks(draw):
    """Draw frames of small and of the largest counts, marks among them."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 9)), draw(st.sampled_from([1, 7, 64, 2047, 2049]))
    limits = np.iinfo(dtype)
    frames = rng.poisson(draw(st.sampled_from([0.1, 4.0, 90.0])), shape).astype(dtype)
    large = rng.random(shape) < draw(st.sampled_from([0.0, 0.01, 0.6]))
    frames[large] = rng.integers(limits.max // 2, limits.max, shape, dtype, endpoint=True)[large]
    frames[rng.random(shape) < 0.02] = limits.max
    if dtype.kind == "i":
        frames[rng.random(shape) < 0.02] = limits.min
    top = int(limits.max) - (dtype.kind == "u")
    saturation = draw(st.sampled_from([1, 5, int(limits.max) // 2, top, 2**40]))
    return frames, GoodRange(0, top, saturation)


def added(frames, good):
    sums = pixel_sums(frames.shape[1], frames.dtype)
    return sums, add_frames(sums, frames, good)


def moments_of(sums, frames):
    found = empty_moments(len(sums.sums))
    divide_sums(found, sums, frames)
    return found


def pixels_by_python(column, good):
    counts = [int(each) for each in column if good.lowest <= each <= good.highest]
    squares = sum(count * count for count in counts)
    n = len(counts)
    variance = (n * squares - sum(counts) ** 2) / (n * (n - 1)) if n > 1 else np.nan
    return {
        "missing": len(column) - n,
        "sum": sum(counts),
        "squares": squares,
        "minimum": min(counts, default=None),
        "maximum": max(counts, default=0),
        "saturated": sum(count >= good.saturation for count in counts),
        "mean": sum(counts) / n if n else np.nan,
        "variance": variance,
    }


# The first call of a kernel compiles it.
@settings(deadline=None)
@given(stacks())
def test_pixels_are_those_of_python_integers(stack):
    frames, good = stack
    sums, _ = added(frames, good)
    low, high = squares_of(sums)
    found = moments_of(sums, len(frames))
    for place in range(0, frames.shape[1], max(1, frames.shape[1] // 50)):
        expected = pixels_by_python(frames[:, place], good)
        assert sums.missing[place] == expected["missing"]
        assert sums.sums[place] == expected["sum"]
        assert int(low[place]) + (int(high[place]) << 64) == expected["squares"]
        assert sums.maximum[place] == expected["maximum"]
        assert sums.saturated[place] == expected["saturated"]
        if expected["minimum"] is not None:
            assert sums.minimum[place] == expected["minimum"]
        np.testing.assert_equal(found.mean[place], expected["mean"])
        np.testing.assert_allclose(found.variance[place], expected["variance"], rtol=4e-16, atol=0)


@settings(deadline=None)
@given(stacks())
def test_frames_are_those_of_python_integers(stack):
    frames, good = stack
    _, numbers = added(frames, good)
    for frame, found in zip(frames, numbers, strict=True):
        counts = [int(each) for each in frame if good.lowest <= each <= good.highest]
        saturated = sum(count >= good.saturation for count in counts)
        bad, zero = len(frame) - len(counts), int((frame == 0).sum())
        assert found.tolist() == [sum(counts), max(counts, default=0), bad, zero, saturated]


@settings(deadline=None)
@given(stacks(), st.integers(0, 9), st.booleans(), st.booleans())
def test_any_cut_and_order_gives_the_same(stack, at, turned, trimmed):
    frames, good = stack
    whole, _ = added(frames, good)
    parts = [trim_pixels(added(part, good)[0]) for part in (frames[:at], frames[at:]) if len(part)]
    joined = pixel_sums(frames.shape[1], frames.dtype)
    if trimmed:
        joined = trim_pixels(joined)
    for part in reversed(parts) if turned else parts:
        joined = join_pixels(joined, deepcopy(part))
    plain, other = moments_of(whole, len(frames)), moments_of(joined, len(frames))
    for name in ("n", "mean", "variance"):
        assert getattr(plain, name).tobytes() == getattr(other, name).tobytes()
    filled = pixel_sums(frames.shape[1], frames.dtype)  # what was trimmed is zero
    join_pixels(filled, joined)
    joined = filled
    for name in ("missing", "sums", "minimum", "maximum", "saturated"):
        assert np.array_equal(getattr(joined, name), getattr(whole, name))
    assert np.array_equal(squares_of(joined), squares_of(whole))


def test_squares_beyond_64_bits_are_exact():
    frames = np.full((40, 3), 2**32 - 2, np.uint32)
    good = GoodRange(0, 2**32 - 2, 2**32)
    joined = pixel_sums(3, frames.dtype)
    for _ in range(30):
        join_pixels(joined, added(frames, good)[0])
    low, high = squares_of(joined)
    assert int(low[0]) + (int(high[0]) << 64) == 1200 * (2**32 - 2) ** 2
    assert moments_of(joined, 1200).variance.tolist() == [0, 0, 0]


def test_sums_just_below_64_bits_carry_when_they_are_joined():
    # Each count is below the bound of the fast loop, their squares together are not below 2**64.
    frames = np.full((4, 2), 2**23 - 1, np.uint32)
    good = GoodRange(0, 2**32 - 2, 2**32)
    part = added(frames, good)[0]
    joined, expected = pixel_sums(2, frames.dtype), 0
    for _ in range(20):  # doubling
        join_pixels(joined, part)
        expected += 4 * (2**23 - 1) ** 2
    for _ in range(16):
        twin = deepcopy(trim_pixels(joined))
        join_pixels(joined, twin)
        expected *= 2
    low, high = squares_of(joined)
    assert int(low[1]) + (int(high[1]) << 64) == expected > 2**64


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_regions_may_overlap(dtype):
    frames = np.arange(24).reshape(2, 12).astype(dtype)
    frames[1, 3] = np.iinfo(dtype).max
    pixels, starts = np.array([0, 1, 3, 3, 11]), np.array([0, 3, 3, 5])
    sums, counts = sum_regions(frames, pixels, starts, GoodRange(0, 1000, 2000))
    assert sums.tolist() == [[4, 0, 14], [25, 0, 23]]
    assert counts.tolist() == [[3, 0, 2], [2, 0, 1]]
