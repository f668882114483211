"""The correction of a module: bit for bit what a slow, literal version in numpy gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hsc.kernels import (
    CellConstants,
    CorrectionRule,
    PixelFlag,
    correct_frame,
    count_photons,
    spread_of,
)

LEAST = 20


def literal(analog, digital, constants, rule):
    """Correct a picture pixel by pixel, chip by chip, as the definition reads."""
    rows, columns = analog.shape
    gain = np.zeros((rows, columns), np.uint8)
    values = np.zeros((rows, columns), np.float32)
    mask = np.zeros((rows, columns), np.uint32)
    with np.errstate(all="ignore"):
        for y, x in np.ndindex(rows, columns):
            low, high = constants.thresholds[:, y, x]
            word = np.float32(digital[y, x])
            stage = 0 if word <= low else 1 if word <= high else 2
            value = np.float32(analog[y, x]) - constants.offset[stage, y, x]
            worth = constants.relative_gain[stage, y, x]
            value = value / worth if constants.divided else value * worth
            why = int(constants.bad_pixels[stage, y, x])
            why |= PixelFlag.VALUE_IS_NAN if np.isnan(value) else 0
            why |= PixelFlag.VALUE_OUT_OF_RANGE if np.isinf(value) or worth == 0 else 0
            unordered = np.isnan(low) or np.isnan(high) or low > high
            why |= PixelFlag.GAIN_THRESHOLDING_ERROR if unordered else 0
            why |= PixelFlag.WRONG_GAIN_VALUE if word == np.float32(rule.wrong_word) else 0
            gain[y, x], values[y, x], mask[y, x] = stage, value, why
        bad = (mask & rule.bad_bits) != 0
        side = rule.chip_pixels
        for top in range(0, rows if rule.common_mode else 0, side):
            for left in range(0, columns, side):
                chip = np.s_[top : top + side, left : left + side]
                dark = (gain[chip] == 0) & ~bad[chip]
                dark &= values[chip] < np.float32(rule.photon_adu / 2)
                if dark.sum() >= max(rule.least_dark_pixels, 1):
                    values[chip] -= np.median(values[chip][dark]) + np.float32(0)
    values[bad] = np.nan
    total = 0.0
    for column in np.where(bad, 0, values).astype(np.float64).T:
        part = 0.0
        for value in column:
            part += value
        total += part
    return values, gain, mask, total, bad


def draw(seed, shape, *, kind="f4"):
    """Draw a picture with all stages, bad pixels, and constants that are no numbers."""
    rng = np.random.default_rng(seed)
    pixels = (3, *shape)
    thresholds = np.sort(rng.normal([[[5000]], [[7000]]], 200, (2, *shape)), axis=0)
    bad = np.where(rng.random(pixels) < 0.01, 1 << rng.integers(0, 23, pixels), 0)
    constants = CellConstants(
        rng.normal(4000, 100, pixels).astype(np.float32),
        (rng.normal(1, 0.05, pixels) * [[[1]], [[40]], [[200]]]).astype(np.float32),
        thresholds.astype(np.float32),
        bad.astype(np.uint32),
        rng.normal(8, 1, pixels).astype(np.float32),
    )
    for array, odd in ((constants.offset, np.nan), (constants.relative_gain, np.inf),
                       (constants.relative_gain, 0), (constants.thresholds, np.nan),
                       (constants.thresholds, 0)):  # fmt: skip
        array[rng.random(array.shape) < 0.002] = odd
    stage = rng.choice(3, shape, p=[0.9, 0.08, 0.02])
    digital = np.choose(stage, [3000, 6000, 9000]) + rng.integers(-500, 500, shape)
    photons = rng.poisson(0.3, shape)
    first = np.nan_to_num(constants.offset[0], nan=4000)
    analog = first + rng.normal(17, 8, shape) + 60 * photons
    return analog.astype("u2"), digital.astype("u2"), constants


@settings(max_examples=8, deadline=None)
@example(seed=0, shape=(128, 64), common_mode=True)
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from([(1, 1), (7, 5), (64, 64), (70, 66), (65, 130)]),
    common_mode=st.booleans(),
)
def test_it_is_the_literal_version_bit_for_bit(seed, shape, common_mode):
    analog, digital, constants = draw(seed, shape)
    rule = CorrectionRule(60.0, common_mode, LEAST)
    found = correct_frame(analog, digital, constants, rule)
    values, gain, mask, total, bad = literal(analog, digital, constants, rule)
    assert np.array_equal(found.values[~bad].view("u4"), values[~bad].view("u4"))
    assert np.isnan(found.values[bad]).all()
    assert np.array_equal(found.gain, gain)
    assert np.array_equal(found.mask, mask)
    assert found.pixels.tolist() == [*np.bincount(gain.ravel(), minlength=3), bad.sum()]
    assert found.total == total
    counts = count_photons(found.values, 60.0)
    expected = np.clip(np.floor(values / np.float32(60) + np.float32(0.5)), 0, 65534)
    assert np.array_equal(counts, np.where(bad, 65535, np.nan_to_num(expected)).astype("u2"))


def draw_bits(seed, shape):
    """Draw a picture of JUNGFRAU: bits of all stages and wrong ones, gains of 0 and none."""
    analog, _, known = draw(seed, shape)
    rng = np.random.default_rng(seed)
    bits = rng.choice(4, shape, p=[0.9, 0.06, 0.01, 0.03])
    gain = rng.normal([[[41]], [[-1.4]], [[-0.1]]], 0.01, (3, *shape)).astype(np.float32)
    gain[rng.random(gain.shape) < 0.002] = 0
    parts = np.broadcast_to(np.array([0, 1], np.float32)[:, None, None], (2, *shape))
    constants = CellConstants(
        known.offset, gain, parts.copy(), known.bad_pixels, known.noise, divided=True
    )
    return (analog % 16384).astype("u2"), bits.astype("u2"), constants


@settings(max_examples=6, deadline=None)
@example(seed=0, shape=(130, 70), side=64)
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from([(1, 1), (7, 5), (70, 66), (65, 130)]),
    side=st.sampled_from([32, 64, 256]),
)
def test_two_bits_and_units_per_kev_are_the_literal_version_bit_for_bit(seed, shape, side):
    analog, digital, constants = draw_bits(seed, shape)
    rule = CorrectionRule(9.3, True, LEAST, chip_pixels=side, wrong_word=2.0)
    found = correct_frame(analog, digital, constants, rule)
    values, gain, mask, total, bad = literal(analog, digital, constants, rule)
    assert np.array_equal(found.values[~bad].view("u4"), values[~bad].view("u4"))
    assert np.isnan(found.values[bad]).all()
    assert np.array_equal(found.gain, gain)
    assert np.array_equal(found.mask, mask)
    assert found.total == total
    assert (mask[digital == 2] & PixelFlag.WRONG_GAIN_VALUE != 0).all()
    noise, worth = (
        np.take_along_axis(each, gain[None].astype(np.intp), axis=0)[0]
        for each in (constants.noise, constants.relative_gain)
    )
    with np.errstate(all="ignore"):
        readout = noise / worth
        expected = np.sqrt(readout * readout + np.maximum(values, 0) * np.float32(9.3))
    assert np.array_equal(spread_of(found, constants, 9.3), expected, equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([0.0, -0.0, 1.0, 1.0000001, -3.5, 1e-40, -1e30])
        | st.floats(-100, 29, width=32),
        min_size=1,
        max_size=90,
    )
)
def test_the_common_mode_is_the_median_of_any_values(dark):
    shape = (1, len(dark))
    zeros = np.zeros((3, *shape), np.float32)
    offset = zeros - np.array(dark, np.float32)
    constants = CellConstants(
        offset, zeros + 1, np.full((2, *shape), 9.0, np.float32), zeros.astype(np.uint32)
    )
    nothing, rule = np.zeros(shape, "u2"), CorrectionRule(60.0, least_dark_pixels=1)
    found = correct_frame(nothing, nothing, constants, rule)
    values, *_ = literal(nothing, nothing, constants, rule)
    assert found.values.tobytes() == values.tobytes()


@pytest.mark.parametrize("infinite", [1, 2, 20])
def test_infinite_values_that_are_let_pass_count_as_least(infinite):
    dark = np.arange(60, dtype=np.float32)[None] - 31
    dark[0, :infinite] = -np.inf
    zeros = np.zeros((3, *dark.shape), np.float32)
    constants = CellConstants(
        zeros - dark, zeros + 1, np.full((2, *dark.shape), 9.0, np.float32), zeros.astype(np.uint32)
    )
    rule = CorrectionRule(100.0, least_dark_pixels=1, bad_bits=1)
    nothing = np.zeros(dark.shape, "u2")
    found = correct_frame(nothing, nothing, constants, rule)
    assert np.array_equal(found.values, dark - np.median(dark))


def test_the_spread_is_that_of_readout_and_photons():
    analog, digital, constants = draw(5, (70, 66))
    found = correct_frame(analog, digital, constants, CorrectionRule(60.0, True, LEAST))
    stage = found.gain[None].astype(np.intp)
    noise, gain = (
        np.take_along_axis(each, stage, axis=0)[0]
        for each in (constants.noise, constants.relative_gain)
    )
    with np.errstate(all="ignore"):
        expected = np.sqrt((noise * gain) ** 2 + np.maximum(found.values, 0) * np.float32(60))
    assert np.array_equal(spread_of(found, constants, 60.0), expected, equal_nan=True)


@pytest.mark.parametrize("offset", [-40.0, 3.25, 0.0])
def test_a_planted_common_mode_goes_and_photons_stay(offset):
    shape = (128, 128)
    rng = np.random.default_rng(3)
    photons = rng.poisson(0.05, shape)
    dark = np.full((3, *shape), 4000.0, np.float32)
    constants = CellConstants(
        dark, np.ones_like(dark), np.full((2, *shape), 5000.0, np.float32),
        np.zeros((3, *shape), np.uint32),
    )  # fmt: skip
    shifted = np.where(np.arange(128)[:, None] < 64, offset, -offset)
    analog = np.rint(4100 + shifted + 100 * photons).astype("u2")
    constants.offset[...] += np.rint(shifted) - shifted + 100
    rule = CorrectionRule(100.0)
    found = correct_frame(analog, np.full(shape, 4000, "u2"), constants, rule)
    assert np.array_equal(count_photons(found.values, 100.0), photons)
