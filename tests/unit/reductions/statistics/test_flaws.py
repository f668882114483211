"""Planted hot, dead and flickering pixels are found, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ReductionError
from hsc.kernels import Moments
from hsc.reductions.statistics.court import Bounds, Flaw
from hsc.reductions.statistics.dispersion import disperse
from hsc.reductions.statistics.reduction import STATISTICS
from hsc.workers import Silent, ThreadWorkers

SHAPE = (180, 150)
HOT, DEAD, FLICKER = (20, 30), (100, 77), (90, 120)
SILENT, GAP = (5, 5), (60, 60)


@pytest.fixture(scope="module")
def frames():
    """Scattering that falls off steeply, Poisson noise, and one pixel of each flaw."""
    y, x = np.indices(SHAPE)
    expectation = 400 / (1 + (np.hypot(y - 90, x - 70) / 20) ** 2)
    drawn = np.random.default_rng(8).poisson(expectation, (60, *SHAPE)).astype(np.uint16)
    drawn[(slice(None), *HOT)] = 500
    drawn[(slice(None), *DEAD)] = 0
    mean = int(expectation[FLICKER])
    drawn[(slice(None), *FLICKER)] = np.where(np.arange(60) % 2, 0, 2 * mean)
    drawn[(slice(None), *SILENT)] = drawn[(slice(None), *GAP)] = 65535
    return drawn


def flaws(dataset, parameters=None, **inputs):
    outputs = STATISTICS.run(
        {"sample": dataset, **inputs}, parameters or {}, ThreadWorkers(1), Silent()
    )
    found = {one.path: one.values for one in outputs.tree.arrays}
    return found["/entry/flaws/pixel_mask"], outputs


def places(mask, flaw):
    return {(int(y), int(x)) for y, x in np.argwhere(mask & np.uint32(flaw))}


@pytest.mark.parametrize("centre", ["known", "not known"])
def test_planted_pixels_are_found_and_no_others(in_memory, picture, frames, centre):
    gap = np.zeros(SHAPE, np.uint32)
    gap[GAP] = 1
    dataset = in_memory(frames, pixel_mask=picture(gap))
    parameters = {"beam_center_x_pixels": 70.5, "beam_center_y_pixels": 90.5}
    if centre == "not known":
        dataset, parameters = dataset.without("beam_center_x", "beam_center_y"), {"tile_pixels": 12}
    mask, outputs = flaws(dataset, parameters)
    assert outputs.results["compared_in"] == ("rings" if centre == "known" else "tiles")
    assert HOT in places(mask, Flaw.HOT)
    assert places(mask, Flaw.DEAD) == {DEAD, SILENT}
    assert FLICKER in places(mask, Flaw.FLICKERING)
    # HOT is a constant number: it varies too little as well.
    assert {tuple(map(int, each)) for each in np.argwhere(mask)} == {
        HOT,
        DEAD,
        FLICKER,
        SILENT,
        GAP,
    }
    assert mask[GAP] == 1
    assert outputs.tree.roles["pixel_mask"] == "/entry/flaws/pixel_mask"
    assert outputs.results["hot_pixels"] == 1
    assert outputs.results["dead_pixels"] == 2


def test_few_counts_make_no_pixel_hot_or_dead(in_memory):
    frames = np.random.default_rng(1).poisson(0.002, (50, *SHAPE)).astype(np.uint16)
    mask, _ = flaws(in_memory(frames))
    assert not mask.any()


def test_a_mask_beside_it_is_not_judged_and_stays_in_the_mask(in_memory, picture, frames):
    known = np.zeros(SHAPE, np.int64)
    known[HOT] = -(2**40)  # not 0, whatever bits fit
    beside = in_memory(frames, pixel_mask=picture(known))
    mask, outputs = flaws(in_memory(frames), mask=beside)
    assert outputs.results["hot_pixels"] == 0
    assert mask[HOT] != 0
    with pytest.raises(ReductionError, match="a mask of shape"):
        flaws(in_memory(frames), mask=in_memory(frames, pixel_mask=picture(known[1:])))


def test_groups_that_are_too_small_are_not_judged(in_memory):
    frames = np.ones((3, 4, 4), np.uint16)
    frames[:, 0, 0] = 60000
    assert not flaws(in_memory(frames))[0].any()
    assert flaws(in_memory(frames), {"least_pixels": 4, "ring_width_pixels": 99})[0][0, 0]


BEAM = {"beam_center_x_pixels": 70.5, "beam_center_y_pixels": 90.5}


def unsteady(rng, most, count, beam):
    """Scattering that falls off steeply, under a beam whose light differs from frame to frame."""
    y, x = np.indices(SHAPE)
    expected = most / (1 + (np.hypot(y - 90, x - 70) / 20) ** 2)
    light = np.maximum(rng.normal(1, beam, count), 0.05)[:, None, None]
    return rng.poisson(expected * light)


@pytest.mark.parametrize("count", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("beam", [0.0, 0.4])
def test_good_pixels_of_few_frames_and_of_an_unsteady_beam_are_not_flagged(in_memory, count, beam):
    rng = np.random.default_rng(count)
    frames = unsteady(rng, 400, count, beam).astype(np.uint16)
    mask, _ = flaws(in_memory(frames), BEAM)
    assert not mask.any()


@pytest.mark.parametrize("count", [12, 60])
@pytest.mark.parametrize("beam", [0.0, 0.2])
def test_planted_flickers_are_found_where_the_beam_flickers_too(in_memory, count, beam):
    rng = np.random.default_rng(count)
    frames = unsteady(rng, 4000, count, beam).astype(np.uint32)
    planted = [(int(row), int(column)) for row, column in rng.integers((5, 5), (175, 145), (25, 2))]
    for row, column in planted:  # now and then it counts twice as much, or nothing
        on = rng.permutation(np.arange(count) % 2 == 0)
        frames[:, row, column] = np.where(on, 2 * frames[:, row, column], 0)
    mask, outputs = flaws(in_memory(frames), BEAM)
    assert places(mask, Flaw.FLICKERING) == set(planted)
    assert outputs.results["flickering_pixels"] == len(set(planted))


def test_dead_and_hot_pixels_are_found_on_rings_near_the_beam_and_far(in_memory, frames):
    planted = np.random.default_rng(3).poisson(30, (20, *SHAPE)).astype(np.uint16)
    dead, hot = [(90, 80), (90, 100), (30, 70)], [(95, 70), (140, 70), (90, 20)]
    for at in dead:
        planted[(slice(None), *at)] = 0
    for at in hot:  # 3 times as much as others, 44 deviations of their mean
        planted[(slice(None), *at)] *= 3
    mask, _ = flaws(in_memory(planted), BEAM | {"ring_width_pixels": 4})
    assert places(mask, Flaw.DEAD) == set(dead)
    assert places(mask, Flaw.HOT) == set(hot)


@pytest.mark.parametrize(("count", "mean"), [(3, 30.0), (10, 5.0), (60, 1.0), (20, 300.0)])
def test_no_more_good_pixels_are_taken_for_flickering_than_the_stated_rate(count, mean):
    rng, rate, found, pixels = np.random.default_rng(8), 1e-3, 0, 0
    limit = Bounds(10, 25, rate, 32).deviations
    for _ in range(20):
        frames = rng.poisson(mean * (1 + 0.3 * rng.random(5000)), (count, 5000))
        n, means = np.full(5000, count, np.uint32), frames.mean(axis=0)
        some = Moments(n, means, frames.var(axis=0, ddof=1))
        score = disperse(some, np.array([0, 5000]), counts=True)
        found += np.count_nonzero(np.abs(score.scores) > limit * score.spread[0])
        pixels += 5000
    # Twice the rate: 100 are expected at the most, 200 are 10 deviations away.
    assert found <= 2 * rate * pixels


def test_values_that_are_no_single_photons_are_compared_with_each_other(in_memory):
    rng = np.random.default_rng(2)
    frames = np.rint(rng.normal(1000, 5, (40, *SHAPE))).astype(np.uint16)  # a charge's offset
    frames[:, 50, 60] = np.rint(rng.normal(1000, 50, 40))
    mask, outputs = flaws(in_memory(frames), BEAM)
    assert places(mask, Flaw.FLICKERING) == {(50, 60)}
    found = {one.path: one.values for one in outputs.tree.arrays}
    assert np.nanmax(found["/entry/flaws/group_dispersion"]) < 0.1
