"""Corrected detectors' floating-point frames: exact sums, however they are cut."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.statistics.court import Flaw
from hsc.reductions.statistics.fixed import FixedPoint
from hsc.reductions.statistics.reduction import STATISTICS
from hsc.reductions.statistics.time_bins import TIME_BINS
from hsc.workers import Silent, ThreadWorkers

SHAPE = (90, 80)
DEAD, HOT, NOISY, SILENT = (10, 10), (40, 50), (70, 20), (5, 70)


@pytest.fixture(scope="module")
def frames():
    """Photons of 8.04 keV with an offset's noise, as a corrected JUNGFRAU has them."""
    rng = np.random.default_rng(6)
    drawn = rng.poisson(2.0, (30, *SHAPE)) * 8.04 + rng.normal(0, 0.6, (30, *SHAPE))
    drawn[(slice(None), *DEAD)] = 0.37
    drawn[(slice(None), *HOT)] += 90
    drawn[(slice(None), *NOISY)] += rng.normal(0, 60, 30)
    drawn[(slice(None), *SILENT)] = np.nan
    drawn[rng.random(drawn.shape) < 0.002] = np.nan
    return drawn.astype(np.float32)


def run(dataset, parameters=None, workers=1):
    return STATISTICS.run({"sample": dataset}, parameters or {}, ThreadWorkers(workers), Silent())


def arrays(outputs):
    return {one.path.removeprefix("/entry/"): one.values for one in outputs.tree.arrays}


def test_they_are_summed_in_whole_units_exactly(in_memory, frames):
    given = {"regions": "a=3:9,4:8", "saturation_counts": 30.0}
    found = arrays(run(in_memory(frames), given))
    whole = np.rint(frames.astype(np.float64) * 1024)
    good = np.isfinite(frames)
    for place in [(0, 0), HOT, NOISY, DEAD, (33, 44)]:
        values = [
            Fraction(int(each), 1024) for each in whole[(slice(None), *place)] if each == each
        ]
        total, squares, n = sum(values), sum(each**2 for each in values), len(values)
        assert found["data/sum"][place] == float(total)
        assert found["data/sum_of_squares"][place] == float(squares)
        assert found["data/n"][place] == n
        assert found["data/minimum"][place] == float(min(values))
        assert found["data/maximum"][place] == float(max(values))
        assert found["data/mean"][place] == pytest.approx(float(total / n), rel=1e-15)
        variance = float((squares - total**2 / n) / (n - 1))
        assert found["data/variance"][place] == pytest.approx(variance, rel=1e-14, abs=1e-30)
    values = np.where(good, whole, 0) / 1024
    assert np.isnan(found["data/maximum"][SILENT])
    assert np.array_equal(found["frames/total"], values.sum(axis=(1, 2)))
    assert np.array_equal(found["frames/bad"], (~good).sum(axis=(1, 2)))
    assert np.array_equal(found["regions/sum"][:, 0], values[:, 3:9, 4:8].sum(axis=(1, 2)))
    assert np.array_equal(found["data/saturated"], (whole >= 30 * 1024).sum(axis=0))
    means = np.where(good, frames, 0).sum(axis=0) / np.maximum(good.sum(axis=0), 1)
    seen = good.any(axis=0)
    np.testing.assert_allclose(found["data/mean"][seen], means[seen], atol=1e-3)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_any_workers_and_cut_give_the_same_bytes(in_memory, frames, dtype):
    one, eight = (run(in_memory(frames.astype(dtype)), {"regions": "a=3:9,4:8"}, n) for n in (1, 8))
    assert {path: each.tobytes() for path, each in arrays(one).items()} == {
        path: each.tobytes() for path, each in arrays(eight).items()
    }


def test_planted_pixels_are_found_and_no_others(in_memory, frames):
    mask = arrays(run(in_memory(frames)))["flaws/pixel_mask"]
    found = {tuple(map(int, at)): int(mask[tuple(at)]) for at in np.argwhere(mask)}
    assert found == {DEAD: Flaw.DEAD, SILENT: Flaw.DEAD, HOT: Flaw.HOT, NOISY: Flaw.FLICKERING}


def test_time_bins_are_sums_and_what_has_no_value_stays_without(in_memory, frames):
    outputs = run(in_memory(frames), {"bin_frames": 7})
    (stream,) = outputs.streams
    made = np.concatenate([stream.make(n, n + 1)[0][TIME_BINS] for n in range(stream.rows)])
    assert made.dtype == stream.arrays[0].dtype == np.float64
    whole = np.rint(frames.astype(np.float64) * 1024) / 1024
    for number, found in enumerate(made):
        expected = whole[7 * number : 7 * number + 7].sum(axis=0)
        assert np.array_equal(found, expected, equal_nan=True)


def test_what_whole_units_can_not_hold_is_refused(in_memory, frames):
    large = in_memory(np.where(np.arange(30)[:, None, None] == 1, np.float32(3e9), frames))
    with pytest.raises(ReductionError, match=r"frame 2 is beyond ±2.097e\+06") as error:
        run(large)
    assert "float_step" in error.value.next_step
    with pytest.raises(ReductionError, match="only 123 of"):
        run(in_memory(np.full((3, *SHAPE), 0.12, np.float32)))
    with pytest.raises(ReductionError, match="no frame has a finite value"):
        run(in_memory(np.full((3, *SHAPE), np.nan, np.float32)))
    fine = run(in_memory(np.full((3, *SHAPE), 0.12, np.float32)), {"float_step": 2.0**-30})
    assert fine.results["largest_value"] == pytest.approx(0.12, rel=1e-7)
    with pytest.raises(ParameterError, match="no power of two") as wrong:
        run(in_memory(frames), {"float_step": 0.001})
    assert "0.0009765625" in wrong.value.next_step


def test_whole_numbers_are_read_as_the_stack_is(in_memory, frames):
    fixed = FixedPoint(in_memory(frames).role("frames"), 2.0**-10)
    batches = [each.copy() for each in fixed.batches(5, 11, rows=4, band=(2, 7))]
    assert np.array_equal(np.concatenate(batches), fixed.read(5, 11)[:, 2:7])
    assert np.array_equal(fixed.read(3, 4)[0] == 2**32 - 1, np.isnan(frames[3]))
