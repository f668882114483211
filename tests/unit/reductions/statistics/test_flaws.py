"""Planted hot, dead and flickering pixels are found, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import ReductionError
from hsc.reductions.statistics.flaws import Flaw
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
