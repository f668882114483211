"""Sums per bin against plain NumPy and against pyFAI, bit for bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyFAI.containers import ErrorModel
from pyFAI.ext.splitBBoxCSR import HistoBBox1d

from hsc.kernels import (
    RunningSums,
    bin_normalization,
    bin_table,
    pixel_order,
    renormalize,
    sum_frames,
)

DTYPES = [np.uint8, np.uint16, np.uint32, np.int32]


def pyfai_engine(labels, bins, bad):
    """Give pyFAI's own no-split integrator with exactly our bins."""
    outside = (labels < 0) | bad
    position = np.where(labels < 0, 0, labels).astype(np.float64).ravel() + 0.5
    return HistoBBox1d(
        position, None, bins=bins, pos0_range=(0, bins), mask=outside.astype(np.int8).ravel()
    )


def by_numpy(frame, labels, bins, good):
    use = (labels >= 0) & good
    values = frame[use].astype(object)
    signal = np.zeros(bins, dtype=object)
    variance = np.zeros(bins, dtype=object)
    np.add.at(signal, labels[use], values)
    np.add.at(variance, labels[use], np.array([max(1, int(v)) for v in values], dtype=object))
    return signal, variance


@st.composite
def stacks(draw):
    """Draw frames of any counting dtype with static and dynamic bad pixels."""
    dtype = draw(st.sampled_from(DTYPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 9)), draw(st.integers(1, 30)), draw(st.integers(1, 30)))
    bins = draw(st.integers(1, 12))
    labels = rng.integers(-1, bins, shape[1:])
    top = np.iinfo(dtype).max
    frames = rng.poisson(draw(st.sampled_from([0.2, 3.0, 60.0])), shape).astype(dtype)
    frames[rng.random(shape) < draw(st.sampled_from([0.0, 0.02, 0.4]))] = top
    if dtype == np.int32:
        frames[rng.random(shape) < 0.05] = -2
    return frames, labels, bins


# The first call of a kernel compiles it.
@settings(deadline=None)
@given(stacks(), st.booleans())
def test_sums_are_those_of_exact_integers_whatever_the_bounds(stack, everything):
    frames, labels, bins = stack
    limits = np.iinfo(frames.dtype)
    lowest, highest = (int(limits.min), int(limits.max)) if everything else (0, 50)
    sums = sum_frames(frames, bin_table(labels, bins), lowest=lowest, highest=highest)
    for index, frame in enumerate(frames):
        good = (frame.astype(np.int64) >= lowest) & (frame.astype(np.int64) <= highest)
        signal, variance = by_numpy(frame, labels, bins, good)
        assert sums.signal[index].tolist() == signal.tolist()
        assert sums.variance[index].tolist() == variance.tolist()
        bad = np.flatnonzero(~good & (labels >= 0))
        assert sums.bad_pixel[sums.bad_frame == index].tolist() == bad.tolist()


@settings(max_examples=60, deadline=None)
@given(stacks(), st.integers(0, 2**32 - 1))
def test_signal_variance_intensity_and_error_are_pyfais_bit_for_bit(stack, seed):
    frames, labels, bins = stack
    highest = 2000 if frames.dtype.itemsize > 1 else 254
    weights = np.random.default_rng(seed).uniform(0.3, 1.0, labels.shape).astype(np.float32)
    table = bin_table(labels, bins)
    order = pixel_order(table)
    sums = sum_frames(frames, table, lowest=0, highest=highest)
    factors = weights.reshape(1, -1)
    norm, norm_squared, number = bin_normalization(order, factors)
    assert number.tolist() == table.count.tolist()
    normalization = np.tile(norm, (len(frames), 1))
    squared = np.tile(norm_squared, (len(frames), 1))
    count = np.tile(number, (len(frames), 1))
    scales = np.ones(len(frames), dtype=np.float32)
    bad_places = (sums.bad_frame, sums.bad_pixel)
    changed = renormalize(table, order, factors, scales, bad_places)
    squared[changed.frame, changed.bin] = changed.normalization_squared
    normalization[changed.frame, changed.bin] = changed.normalization
    count[changed.frame, changed.bin] = changed.count
    for index, frame in enumerate(frames):
        bad = (frame.astype(np.int64) < 0) | (frame.astype(np.int64) > highest)
        theirs = pyfai_engine(labels, bins, bad).integrate_ng(
            frame, error_model=ErrorModel.POISSON, solidangle=weights
        )
        assert np.array_equal(sums.signal[index], theirs.signal)
        assert np.array_equal(sums.variance[index], theirs.variance)
        assert np.array_equal(normalization[index], theirs.normalization)
        assert np.array_equal(squared[index], theirs.norm_sq)
        assert np.array_equal(count[index], theirs.count)
        filled = count[index] > 0
        intensity = (sums.signal[index] / np.where(filled, normalization[index], 1))[filled]
        error = np.sqrt(sums.variance[index]) / np.where(filled, normalization[index], 1)
        assert np.array_equal(intensity.astype(np.float32), theirs.intensity[filled])
        assert np.array_equal(error[filled].astype(np.float32), theirs.sem[filled])


def test_counts_beyond_float32_stay_exact():
    frames = np.full((4, 1, 2**10 + 1), 2**24 + 1, dtype=np.uint32)
    table = bin_table(np.zeros(frames.shape[1:], dtype=int), 1)
    sums = sum_frames(frames, table, lowest=0, highest=2**32 - 2)
    assert sums.signal.tolist() == [[(2**24 + 1) * (2**10 + 1)]] * 4


def test_the_largest_counts_do_not_run_into_the_count_of_zeros():
    frames = np.full((5, 3, 100), 2**32 - 2, dtype=np.uint32)
    frames[:, 0, 0] = 0
    table = bin_table(np.zeros(frames.shape[1:], dtype=int), 1)
    sums = sum_frames(frames, table, lowest=0, highest=2**32 - 2)
    assert sums.signal.tolist() == [[(2**32 - 2) * 299]] * 5
    assert sums.variance.tolist() == [[(2**32 - 2) * 299 + 1]] * 5


def test_more_bad_pixels_than_room_at_first_are_all_listed():
    frames = np.full((6, 100, 100), 65535, dtype=np.uint16)
    table = bin_table(np.zeros((100, 100), dtype=int), 1)
    sums = sum_frames(frames, table, lowest=0, highest=65534)
    assert len(sums.bad_pixel) == 60_000
    assert sums.bad_pixel[sums.bad_frame == 5].tolist() == list(range(10_000))
    assert not sums.signal.any()


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 8])
def test_any_cut_into_batches_gives_the_same_sums(batch):
    rng = np.random.default_rng(5)
    frames = rng.poisson(2, (17, 40, 30)).astype(np.uint16)
    table = bin_table(rng.integers(-1, 40_000, (40, 30)), 40_000)
    whole = sum_frames(frames, table, lowest=0, highest=6)
    parts = [
        sum_frames(frames[i : i + batch], table, lowest=0, highest=6)
        for i in range(0, len(frames), batch)
    ]
    assert np.concatenate([p.signal for p in parts]).tobytes() == whole.signal.tobytes()
    assert np.concatenate([p.variance for p in parts]).tobytes() == whole.variance.tobytes()
    assert np.concatenate([p.bad_pixel for p in parts]).tolist() == whole.bad_pixel.tolist()


@settings(deadline=None)
@given(stacks(), st.lists(st.integers(0, 900), max_size=6), st.randoms(use_true_random=False))
def test_pixels_that_come_piece_by_piece_give_the_same_sums(stack, cuts, order):
    frames, labels, bins = stack
    flat = frames[:8].reshape(len(frames[:8]), -1)
    table = bin_table(labels, bins)
    bounds = {"lowest": 0, "highest": 50}
    whole = sum_frames(flat, table, **bounds)
    running = RunningSums(table, len(flat), **bounds)
    edges = sorted({0, flat.shape[1], *(cut for cut in cuts if cut < flat.shape[1])})
    pieces = list(pairwise(edges))
    order.shuffle(pieces)
    for first, last in pieces:
        running.add(flat[:, first:last], first)
    assert_same(running.sums(), whole)


def assert_same(sums, whole):
    assert sums.signal.tobytes() == whole.signal.tobytes()
    assert sums.variance.tobytes() == whole.variance.tobytes()
    assert sums.bad_frame.tobytes() == whole.bad_frame.tobytes()
    assert sums.bad_pixel.tobytes() == whole.bad_pixel.tobytes()


@pytest.mark.parametrize(("pixels", "dtype"), [(200_003, "u2"), (200_003, "u1"), (9001, "u4")])
def test_words_of_32_bits_never_overflow_however_full_a_bin_is(pixels, dtype):
    # 2^32 - 1 over the pixels of the fullest bin decides which way a count goes.
    top = min(np.iinfo(dtype).max, (2**32 - 1) // pixels + (1 if dtype == "u4" else 2**32))
    for value in (top - 1, top):
        frames = np.full((9, pixels), value, dtype=dtype)
        frames[3, 77] = 0
        table = bin_table(np.zeros(pixels, dtype=int), 1)
        sums = sum_frames(frames, table, lowest=0, highest=2**40)
        less = [value if frame == 3 else 0 for frame in range(9)]
        assert sums.signal.ravel().tolist() == [pixels * int(value) - one for one in less]
        variance = [pixels * int(value) - max(0, one - 1) for one in less]
        assert sums.variance.ravel().tolist() == variance


def test_marks_in_pixels_of_no_bin_change_nothing_and_are_not_listed():
    rng = np.random.default_rng(8)
    labels = rng.integers(-1, 70_000, 100_001)
    frames = rng.poisson(3, (8, labels.size)).astype(np.uint16)
    table = bin_table(labels, 70_000)
    plain = sum_frames(frames, table, lowest=0, highest=65534)
    frames[:, labels < 0] = 65535
    marked = sum_frames(frames, table, lowest=0, highest=65534)
    assert_same(marked, plain)
    assert not len(marked.bad_pixel)


def test_pieces_that_do_not_fit_the_table_are_refused():
    running = RunningSums(bin_table(np.zeros(9, dtype=int), 1), 2, lowest=0, highest=254)
    for shape, first in (((2, 4), 6), ((1, 4), 0)):
        with pytest.raises(ValueError, match="do not fit"):
            running.add(np.zeros(shape, dtype=np.uint8), first)


def test_frames_that_do_not_fit_the_table_are_refused():
    table = bin_table(np.zeros((3, 3), dtype=int), 1)
    with pytest.raises(ValueError, match="12 pixels in a frame, 9 in the table"):
        sum_frames(np.zeros((1, 3, 4), dtype=np.uint8), table, lowest=0, highest=254)


def test_a_label_beyond_the_bins_is_refused():
    with pytest.raises(ValueError, match="label 7 in a table of 7 bins"):
        bin_table(np.array([7]), 7)
