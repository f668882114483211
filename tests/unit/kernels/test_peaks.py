"""Peaks of frames: as a literal version with scipy finds them; planted ones all, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hsc.kernels import CLIP_DEVIATIONS, MOST_COUNTS, PeakFinder, PeakRule, RingMap

EVERY_SIDE = np.ones((3, 3), int)


def in_order(values):
    """Sum float64 one after the other, as a loop does."""
    return np.add.accumulate(np.asarray(values, np.float64))[-1] if len(values) else 0.0


def literal(frame, rings, rule):
    """Find peaks as the definition reads."""
    labels = rings.labels
    with np.errstate(invalid="ignore"):
        good = (frame >= rule.lowest) & (frame <= rule.highest) & (labels < rings.count)
    values = np.where(good, frame, 0).astype(np.float64)
    threshold = np.full(rings.count, max(MOST_COUNTS, rule.least_counts))
    clips = [min(CLIP_DEVIATIONS, rule.snr)] * (rule.cycles - 1)
    for deviations in [*clips, rule.snr]:
        for ring in range(rings.count):
            dim = values[good & (labels == ring) & (values <= rule.least_counts)]
            bright = values[good & (labels == ring) & (values > rule.least_counts)]
            used = np.concatenate([dim, bright[bright <= threshold[ring]]])
            if len(used) < rule.least_ring_pixels:
                threshold[ring] = np.inf
                continue
            mean = in_order(used) / len(used)
            spread = np.sqrt(max(in_order(used**2) / len(used) - mean * mean, 0))
            threshold[ring] = max(rule.least_counts, mean + deviations * spread)
    above = good & (values > np.append(threshold, np.inf)[labels])
    found, pixels = [], []
    for panel in range(len(frame)):
        groups, count = ndimage.label(above[panel], EVERY_SIDE)
        for number in range(1, count + 1):
            peak = _judged(values, good, above, panel, groups == number, rule)
            if peak is not None:
                rows, columns = np.nonzero(groups == number)
                flat = (panel * frame.shape[1] + rows) * frame.shape[2] + columns
                found.append((flat.min(), peak))
                pixels += flat.tolist()
    found.sort(key=lambda each: each[0])
    return np.array([peak for _, peak in found]).reshape(-1, 8), np.array(sorted(pixels), int)


def _judged(values, good, above, panel, own, rule):
    rows, columns = np.nonzero(own)
    if not rule.least_pixels <= len(rows) <= rule.most_pixels:
        return None
    reach = rule.background_pixels
    window = np.s_[panel, max(rows.min() - reach, 0) : rows.max() + reach + 1,
                   max(columns.min() - reach, 0) : columns.max() + reach + 1]  # fmt: skip
    at = good[window] & ~above[window]
    around = values[window][at]
    if len(around) < 4:
        return None
    y, x = (each[window[1:]][at] for each in np.indices(values.shape[1:]))
    mean, down, across = (in_order(each) / len(around) for each in (around, y, x))
    v, y, x = around - mean, y - down, x - across
    vv, yy, xx = (in_order(each * each) for each in (v, y, x))
    yx, vy, vx = in_order(y * x), in_order(v * y), in_order(v * x)
    determinant = yy * xx - yx * yx
    along_y, along_x, variance = 0.0, 0.0, vv / (len(around) - 1)
    if len(around) >= 12 and determinant > 1e-3 * yy * xx:
        along_y = (vy * xx - vx * yx) / determinant
        along_x = (vx * yy - vy * yx) / determinant
        variance = max(vv - along_y * vy - along_x * vx, 0) / (len(around) - 3)
    middle = in_order(rows) / len(rows) - down, in_order(columns) / len(rows) - across
    background = mean + along_y * middle[0] + along_x * middle[1]
    spread = np.sqrt(max(variance, background, 1 / len(around)))
    light = values[panel][own]
    excess = light - (mean + along_y * (rows - down) + along_x * (columns - across))
    if excess.max() / spread < rule.snr:
        return None
    share = np.maximum(excess, 0)
    y = panel * values.shape[1] + rows
    return (in_order(share * columns) / in_order(share), in_order(share * y) / in_order(share),
            in_order(excess), excess.max() / spread, len(rows), light.max(), background,
            (light >= rule.saturation).sum())  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from(["u2", "i4", "f4"]),
    shape=st.sampled_from([(1, 30, 41), (3, 17, 20), (1, 1, 150)]),
    level=st.sampled_from([0.0, 0.3, 8.0]),
    least=st.sampled_from([0.0, 3.0, 20.0]),
)
def test_it_is_the_literal_version(seed, dtype, shape, level, least):
    rng = np.random.default_rng(seed)
    frame = rng.poisson(level, shape).astype(np.float64)
    for _ in range(rng.integers(0, 9)):
        at = tuple(rng.integers(0, n) for n in shape)
        frame[at[0], at[1] : at[1] + 2, at[2] : at[2] + 3] += rng.integers(5, 240)
    frame[rng.random(shape) < 0.01] = 255
    if dtype == "f4":
        frame = frame * 1.25 + rng.normal(0, 0.5, shape)
        frame[rng.random(shape) < 0.01] = np.nan
    if dtype == "i4":
        frame[rng.random(shape) < 0.005] = 2**30
    labels = rng.integers(0, 3, shape[2])[None, None] + np.zeros(shape, np.int32)
    labels[rng.random(shape) < 0.02] = 3
    rings = RingMap(labels.astype(np.int32), 3)
    rule = PeakRule(-50, 2**31 if dtype == "i4" else 254, 200, least, 4.0, 1 + seed % 2, 12)
    frame = frame.astype(dtype)
    finder = PeakFinder(rings, rule)
    finder(np.full(shape, 9, dtype))  # what it found before does not matter
    peaks, pixels = finder(frame)
    expected, of = literal(frame, rings, rule)
    assert np.array_equal(peaks, expected)
    assert np.array_equal(pixels, of)


@pytest.fixture
def crystal():
    """Draw a frame with peaks at known places above a falling background."""

    def draw(seed, peaks=80, shape=(300, 280)):
        rng = np.random.default_rng(seed)
        y, x = np.indices(shape)
        r = np.hypot(y - 140, x - 130)
        expected = 20 / (1 + (r / 60) ** 2) + 0.3
        places = [(20 + 26 * (n // 9), 20 + 26 * (n % 9)) for n in range(peaks)]
        for row, column in places:
            spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 0.9**2))
            expected += 150 * spot * (np.hypot(y - row, x - column) < 4)
        rings = RingMap((r // 6).astype(np.int32)[None], int(r.max() // 6) + 1)
        return rng.poisson(expected).astype(np.uint16), rings, places

    return draw


RULE = PeakRule(0, 65534, 60000, 12.0, 7.0, 2, 40)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_peaks_are_all_found_and_no_others(crystal, seed):
    frame, rings, places = crystal(seed)
    peaks, _ = PeakFinder(rings, RULE)(frame[None])
    assert len(peaks) == len(places)
    for row, column in places:
        nearest = np.hypot(peaks[:, 0] - column, peaks[:, 1] - row).min()
        assert nearest < 0.25
    empty, rings, _ = crystal(seed, peaks=0)
    assert len(PeakFinder(rings, RULE)(empty[None])[0]) == 0


def test_peaks_at_edges_that_touch_or_are_masked_or_saturated(crystal):
    frame, rings, _ = crystal(4, peaks=0)
    frame[0:2, 0:2] = 400  # in a corner
    frame[100:102, 50:52] = 300  # two that touch by a corner are one
    frame[102:104, 52:54] = 300
    frame[200, 200:203] = 61000  # saturated
    frame[250:252, 100:102] = 500  # one of its pixels has no count
    frame[250, 100] = 65535
    frame[20:22, 200:202] = 500  # all of it is masked
    rings.labels[0, 20:22, 200:202] = rings.count
    frame[30:50, 30:50] = 300  # too large
    frame[270, 20] = 300  # too small
    peaks, pixels = PeakFinder(rings, RULE)(frame[None])
    found = {(x, y): (n, saturated) for x, y, _, _, n, _, _, saturated in peaks.round(1).tolist()}
    assert found == {
        (0.5, 0.5): (4, 0),
        (51.5, 101.5): (8, 0),
        (201.0, 200.0): (3, 3),
        (100.7, 250.7): (3, 0),
    }
    assert len(pixels) == 18


def test_panels_do_not_touch():
    frame = np.zeros((2, 8, 20), np.uint16)
    frame[0, 7, 5] = frame[1, 0, 5] = frame[1, 0, 6] = 50
    rings = RingMap(np.zeros(frame.shape, np.int32), 1)
    peaks, _ = PeakFinder(rings, PeakRule(0, 65534, 65535, 5, 6, 1, 2))(frame)
    assert [(y, n) for _, y, _, _, n, *_ in peaks.tolist()] == [(7, 1), (8, 2)]


def test_peaks_on_short_rings_do_not_hide_themselves():
    rng = np.random.default_rng(7)
    y, x = np.indices((90, 90))
    rings = RingMap((np.hypot(y - 45, x - 45) // 4).astype(np.int32)[None], 16)
    frame = rng.poisson(30.0, (90, 90)).astype(np.uint16)
    frame[45:47, 50:53] = 900  # six of 150 pixels: at first 5 deviations above their mean
    peaks, _ = PeakFinder(rings, PeakRule(0, 65534, 65535, 12.0, 6.0))(frame[None])
    assert peaks[:, [0, 1, 4]].round(1).tolist() == [[51.0, 45.5, 6.0]]


@pytest.mark.parametrize("level", [4.0, 40.0, 400.0])
def test_planted_peaks_are_found_in_heavy_backgrounds(level):
    rng = np.random.default_rng(int(level))
    y, x = np.indices((300, 280))
    r = np.hypot(y - 140, x - 130)
    expected = level * (0.2 + np.exp(-(((r - 70) / 60) ** 2)))  # a ring of water
    places = [(20 + 26 * (n // 9), 20 + 26 * (n % 9)) for n in range(80)]
    for row, column in places:
        spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 0.9**2))
        expected = expected + 12 * np.sqrt(expected[row, column]) * spot
    # As narrow as peakfinder8's: what the background changes within a ring counts as its spread.
    rings = RingMap(r.astype(np.int32)[None], int(r.max()) + 1)
    frame = rng.poisson(expected).astype(np.uint16)
    rule = PeakRule(0, 65534, 65535, 10.0, 5.0, 2, 40)
    peaks, _ = PeakFinder(rings, rule)(frame[None])
    far = [np.hypot(places[:, 1] - x, places[:, 0] - y).min()
           for places in [np.array(places)] for x, y in peaks[:, :2]]  # fmt: skip
    assert max(far) < 1.5  # no others
    assert len(peaks) > 72  # and of those at 12 deviations, nine in ten


@pytest.mark.parametrize("scale", [25, 60])
def test_planted_peaks_are_found_on_steep_backgrounds(scale):
    rng = np.random.default_rng(scale)
    y, x = np.indices((300, 280))
    r = np.hypot(y - 140, x - 130)
    expected = 4000 * np.exp(-r / scale) + 1
    places = np.array([(20 + 26 * (n // 9), 20 + 26 * (n % 9)) for n in range(80)])
    for row, column in places:
        spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 0.9**2))
        expected = expected + 12 * np.sqrt(expected[row, column]) * spot
    rings = RingMap(r.astype(np.int32)[None], int(r.max()) + 1)
    frame = rng.poisson(expected).astype(np.uint16)
    peaks, _ = PeakFinder(rings, PeakRule(0, 65534, 65535, 10.0, 5.0))(frame[None])
    far = [np.hypot(places[:, 1] - x, places[:, 0] - y).min() for x, y in peaks[:, :2]]
    assert max(far) < 1.5
    assert len(peaks) >= 78


def test_a_peak_on_a_plane_has_the_light_that_was_planted():
    y, x = np.indices((1, 21, 20))[1:]
    frame = 1000.0 + 4 * x - 2.5 * y
    frame[0, 10, 9:11] += 600, 300
    rings = RingMap(x.astype(np.int32), 20)
    peaks, _ = PeakFinder(rings, PeakRule(-1e9, 1e9, 1e9, 10.0, 2.0))(frame.astype(np.float32))
    assert np.allclose(peaks[0, [0, 1, 2, 4, 6]], [9 + 1 / 3, 10, 900, 2, 1013])


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("level", [0.05, 1.8, 20.0, 300.0])
def test_few_peaks_are_found_in_frames_of_none(level, width):
    rng = np.random.default_rng(3)
    y, x = np.indices((700, 700))
    r = np.hypot(y - 350, x - 350)
    rings = RingMap((r // width).astype(np.int32)[None], int(r.max() // width) + 1)
    finder = PeakFinder(rings, PeakRule(0, 65534, 65535, 10.0, 6.0, 2, 40))
    found = sum(
        len(finder(rng.poisson(level * (0.3 + np.exp(-r / 150))).astype(np.uint16)[None])[0])
        for _ in range(4)
    )
    assert found == 0  # of two million pixels
