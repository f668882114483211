"""The court judges many groups at a time: to the bit as each by itself, by NumPy's functions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hsc.kernels import Moments
from hsc.reductions.statistics.court import Bounds, Court, Flaw
from hsc.reductions.statistics.members import Members

GROUPS = 60
BOUNDS = Bounds(hot_deviations=3.0, dead_counts=4.0, flicker_rate=0.02, least_pixels=9)
COLUMNS = ("pixels", "median", "spread", "mean_sum", "dispersion", "dispersion_spread")


def scores_by_numpy(found, freedom, deviation, shape):
    drawn = np.maximum(1 + (found - freedom) / deviation / np.sqrt(shape), 0.0)
    return 3 * np.sqrt(shape) * (np.cbrt(drawn) - 1 + 1 / (9 * shape))


def dispersion_by_numpy(n, mean, variance, counts):
    """Give scores, factor and spread of one group as dispersion.py says, one formula a line."""
    freedom = (n - 1).astype(np.float64)
    deviation, shape, found = np.sqrt(2 * freedom), freedom / 2, freedom * variance
    if counts:
        total = np.maximum(mean * n, 4.0)
        found = found / mean
        deviation = deviation * np.sqrt((total - 1) / total)
        third = 4 * freedom * (total - 1) * (2 * total + n - 6) / total**2
        shape = 4 * deviation**6 / third**2
    middle = freedom + deviation * np.sqrt(shape) * ((1 - 1 / (9 * shape)) ** 3 - 1)
    factor = np.median(found / middle)
    if factor > 0:
        beam = counts and factor > 1
        found = found / (1 + (factor - 1) * mean / np.median(mean) if beam else factor)
    scores = scores_by_numpy(found, freedom, deviation, shape)
    if counts:
        stepped = scores_by_numpy(found + 2 / mean, freedom, deviation, shape)
        scores = np.where(scores < 0, np.minimum(stepped, 0), scores)
    low, high = np.quantile(scores, (0.25, 0.75))
    return scores, factor, max(1.0, (high - low) / 1.3489795003921634)


def judge_by_numpy(moments, pixels, counts, frames, flaws):
    """Judge one group; give its row of the table."""
    row = [len(pixels), *[np.nan] * 5]
    if len(pixels) < BOUNDS.least_pixels:
        return row
    n, mean = moments.n[pixels].astype(np.int64), moments.mean[pixels]
    variance = moments.variance[pixels]
    row[1] = np.median(mean)
    row[2] = 1.4826 * np.median(np.abs(mean - row[1]))
    if counts:
        row[2] = max(row[2], np.sqrt(max(1.0, row[1] * frames)) / frames)
    elif (n > 1).any():
        row[2] = max(row[2], np.sqrt(np.median(variance[n > 1]) / frames))
    flaws[pixels[mean > row[1] + BOUNDS.hot_deviations * row[2]]] |= np.uint32(Flaw.HOT)
    row[3] = np.mean(mean * n)
    if counts:
        if not row[3] > BOUNDS.dead_counts:
            return row
        flaws[pixels[mean == 0]] |= np.uint32(Flaw.DEAD)
    used = (n > 1) & (mean * n > BOUNDS.dead_counts if counts else True)
    if used.sum() < BOUNDS.least_pixels:
        return row
    given = (each[used] for each in (n, mean, variance))
    scores, row[4], row[5] = dispersion_by_numpy(*given, counts)
    odd, pixels = np.abs(scores) > BOUNDS.deviations * row[5], pixels[used]
    none = (variance[used] == 0) & (not counts)
    flaws[pixels[odd & none]] |= np.uint32(Flaw.DEAD)
    flaws[pixels[odd & ~none]] |= np.uint32(Flaw.FLICKERING)
    return row


def drawn_moments(rng, counts, frames):
    """Draw pixels of groups from one to a few hundred pixels, some without a good value."""
    sizes = rng.integers(1, 300, GROUPS)
    sizes[:5] = 0, 1, 8, 9, 10
    labels = rng.permutation(np.repeat(np.arange(GROUPS), sizes))
    light = rng.normal(1, 0.2, frames)[:, None]
    expected = rng.choice([0.3, 4.0, 60.0], GROUPS)[labels] * np.maximum(light, 0.1)
    values = rng.poisson(expected) * (1.0 if counts else 7.25)
    values = values + (0 if counts else rng.normal(0, 0.5, values.shape))
    values[:, rng.random(len(labels)) < 0.01] = 0
    good = rng.random(values.shape) > rng.choice([0.0, 0.2, 0.9], len(labels))
    values[~good] = np.nan
    found = np.ma.masked_invalid(values)
    with np.errstate(invalid="ignore"):
        mean, variance = found.mean(axis=0).filled(np.nan), found.var(axis=0, ddof=1).filled(np.nan)
    return Moments(good.sum(axis=0).astype(np.uint32), mean, variance), labels


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("frames", [2, 3, 20])
def test_groups_are_judged_together_as_by_numpy_one_by_one(counts, frames):
    moments, labels = drawn_moments(np.random.default_rng(frames), counts, frames)
    order = np.argsort(labels, kind="stable")
    order = order[moments.n[order] > 0].astype(np.uint32)
    starts = np.searchsorted(labels[order], np.arange(GROUPS + 1))
    flaws, expected = np.zeros((2, len(labels)), np.uint32)
    table = {name: np.full(GROUPS, np.nan) for name in COLUMNS}
    court = Court(moments, counts, frames, Members(order, starts), BOUNDS, flaws, table)
    for share in Members(order, starts).shares(2000):
        court.judge(share)
    rows = [
        judge_by_numpy(moments, order[low:high], counts, frames, expected)
        for low, high in pairwise(starts)
    ]
    for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        np.testing.assert_array_equal(table[name], column, err_msg=name)
    assert np.array_equal(flaws, expected)
    assert np.count_nonzero(flaws) > 20
    assert np.isfinite(table["dispersion"]).sum() > 10
