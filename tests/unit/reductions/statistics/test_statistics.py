"""Statistics end to end: NumPy's numbers, the same bytes however it is run, a mask others take."""

from __future__ import annotations

import random
from dataclasses import fields

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import GoodRange
from hsc.reductions import find_reduction
from hsc.reductions.statistics.reduction import STATISTICS
from hsc.reductions.statistics.regions import parse_regions
from hsc.reductions.statistics.summing import Block, bands, join_frames, sum_block
from hsc.workers import Silent, ThreadWorkers


class Shuffled(ThreadWorkers):
    """Workers that take their tasks in an order of their own."""

    def fold(self, function, tasks, take, *, progress=None, weights=None):
        for task in random.Random(4).sample(list(tasks), len(tasks)):
            take(function(task))


class Elsewhere:
    """Workers whose results come back as from another process: for reading alone."""

    count = 3
    processes = 3

    def fold(self, function, tasks, take, *, progress=None, weights=None):
        for task in reversed(tasks):
            result = function(task)
            for each in fields(result.pixels):
                getattr(result.pixels, each.name).flags.writeable = False
            take(result)


def run(dataset, parameters=None, workers=None, **inputs):
    given = {"sample": dataset, **inputs}
    return STATISTICS.run(given, parameters or {}, workers or ThreadWorkers(2), Silent())


def arrays(outputs):
    return {one.path.removeprefix("/entry/"): one.values for one in outputs.tree.arrays}


def contents(outputs):
    return {
        one.path: (one.values.dtype.str, one.values.shape, one.values.tobytes(),
                   one.dimension_names, dict(one.attributes))
        for one in outputs.tree.arrays
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int32])
def test_it_gives_numpys_numbers(in_memory, random_frames, scalar_array, dtype):
    frames = random_frames(dtype=dtype)
    found = arrays(run(in_memory(frames, saturation=scalar_array("saturation", 7.0, "counts"))))
    top = np.iinfo(dtype).max
    masked = np.ma.masked_array(frames.astype(np.float64), frames == top if top != 2**31 - 1 else 0)
    n = masked.count(axis=0)
    assert np.array_equal(found["data/n"], n)
    assert np.array_equal(found["data/sum"], masked.sum(axis=0).filled(0))
    assert np.array_equal(found["data/sum_of_squares"], (masked**2).sum(axis=0).filled(0))
    assert np.array_equal(found["data/minimum"], masked.min(axis=0).filled(0))
    assert np.array_equal(found["data/maximum"], masked.max(axis=0).filled(0))
    assert np.array_equal(found["data/saturated"], (masked >= 7).sum(axis=0).filled(0))
    np.testing.assert_allclose(found["data/mean"], masked.mean(axis=0).filled(np.nan), rtol=1e-15)
    variance = masked.var(axis=0, ddof=1).filled(np.nan)
    np.testing.assert_allclose(found["data/variance"], variance, rtol=1e-9)
    by_frame = masked.reshape(len(frames), -1)
    assert np.array_equal(found["frames/total"], by_frame.sum(axis=1))
    assert np.array_equal(found["frames/maximum"], by_frame.max(axis=1))
    assert np.array_equal(found["frames/bad"], by_frame.mask.sum(axis=1) if by_frame.mask.any()
                          else np.zeros(len(frames)))  # fmt: skip
    assert np.array_equal(found["frames/zero"], (by_frame == 0).sum(axis=1))
    assert np.array_equal(found["frames/saturated"], (by_frame >= 7).sum(axis=1))


@pytest.mark.parametrize("workers", [ThreadWorkers(1), ThreadWorkers(8), Shuffled(5), Elsewhere()])
def test_any_workers_and_order_give_the_same_bytes(in_memory, random_frames, workers):
    dataset = in_memory(random_frames())
    parameters = {"regions": "all=0:60,0:50; one=3:4,5:6"}
    assert contents(run(dataset, parameters, workers)) == contents(run(dataset, parameters))


@pytest.mark.parametrize("workers", [ThreadWorkers(1), ThreadWorkers(3)])
def test_more_frames_than_fit_one_sum_are_added_to_several(in_memory, workers):
    frames = np.full((70_000, 2, 2), 254, np.uint8)
    found = arrays(run(in_memory(frames), workers=workers))
    assert found["data/sum"].tolist() == [[70_000 * 254] * 2] * 2
    assert found["data/sum_of_squares"].tolist() == [[70_000 * 254**2] * 2] * 2
    assert found["data/n"].tolist() == [[70_000] * 2] * 2


@pytest.mark.parametrize("rows", [60, 1030, 4371])
def test_large_frames_are_cut_into_bands_of_whole_rows(in_memory, rows):
    frames = in_memory(np.broadcast_to(np.uint8(1), (1, rows, 4150))).role("frames")
    found = bands(frames)
    assert [row for low, high in found for row in range(low, high)] == list(range(rows))
    assert (len(found) == 1) == (rows < 4371)
    assert all(4 * (high - low) <= rows for low, high in found) or len(found) == 1


def test_bands_give_the_same_as_whole_frames(in_memory, random_frames):
    frames = in_memory(random_frames()).role("frames")
    regions = parse_regions("a=10:41,5:9; b=0:60,0:50; c=0:1,0:1", (60, 50))
    good = GoodRange(0, 65534, 5)
    whole = sum_block(Block(frames, 0, 13, good, regions, (0, 60)))
    parts = [sum_block(Block(frames, 0, 13, good, regions, cut)) for cut in [(0, 23), (23, 60)]]
    for name in ("sums", "minimum", "squares"):
        joined = np.concatenate([getattr(part.pixels, name) for part in parts])
        assert np.array_equal(joined, getattr(whole.pixels, name))
    joined = join_frames([part.frames for part in parts])
    for name in ("frame", "numbers", "region_sums", "region_counts"):
        assert np.array_equal(getattr(joined, name), getattr(whole.frames, name))


def test_frames_that_were_never_written_are_left_out_and_told(in_memory, random_frames):
    frames = random_frames()
    dataset = in_memory(frames)
    lacking = type(dataset.arrays["frames"])("/entry/data/data", frames, {}, (1, 60, 50), (0, 7))
    outputs = run(dataset.having(frames=lacking))
    kept = np.delete(frames, [0, 7], axis=0)
    found, expected = contents(outputs), contents(run(in_memory(kept)))
    assert arrays(outputs)["frames/frame_number"].tolist() == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    assert {path: value for path, value in found.items() if "frame_number" not in path} == {
        path: value for path, value in expected.items() if "frame_number" not in path
    }
    assert outputs.results["frames_not_written"] == 2
    with pytest.raises(ReductionError, match="2 frames were never written"):
        run(dataset.having(frames=lacking), {"bin_frames": 2})
    nothing = type(lacking)("/entry/data/data", frames, {}, (1, 60, 50), tuple(range(13)))
    with pytest.raises(ReductionError, match="none of the frames"):
        run(dataset.having(frames=nothing))


def test_regions_are_summed_in_each_frame(in_memory, random_frames):
    frames = random_frames()
    found = arrays(run(in_memory(frames), {"regions": "a=0:10,5:9; b = 8:60,0:50"}))
    good = np.where(frames == 65535, 0, frames).astype(np.int64)
    assert found["regions/region"].tolist() == ["a", "b"]
    assert np.array_equal(found["regions/sum"][:, 0], good[:, :10, 5:9].sum(axis=(1, 2)))
    assert np.array_equal(found["regions/sum"][:, 1], good[:, 8:].sum(axis=(1, 2)))
    assert np.array_equal(found["regions/n"][:, 1], (frames[:, 8:] != 65535).sum(axis=(1, 2)))


@pytest.mark.parametrize(
    "text", ["a=0:1", "a=3:3,0:2", "a=0:61,0:2", "a=0:1,0:1;a=0:2,0:2", "0:1,0:1", "a=-1:1,0:1"]
)
def test_a_region_that_is_none_is_refused(in_memory, random_frames, text):
    with pytest.raises(ParameterError, match="region"):
        run(in_memory(random_frames(2)), {"regions": text})


@pytest.mark.parametrize("per_bin", [1, 4, 13, 20])
def test_time_bins_are_sums_of_frames_and_marks_stay_marks(in_memory, random_frames, per_bin):
    frames = random_frames()
    outputs = run(in_memory(frames), {"bin_frames": per_bin})
    (stream,) = outputs.streams
    (array,) = stream.arrays
    made = np.concatenate([stream.make(n, n + 1)[0][array.path] for n in range(stream.rows)])
    assert made.shape == array.shape
    assert made.dtype == array.dtype == np.uint32
    for number, found in enumerate(made):
        part = frames[number * per_bin : (number + 1) * per_bin].astype(np.uint32)
        bad = (part == 65535).any(axis=0)
        assert np.array_equal(found, np.where(bad, 2**32 - 1, part.sum(axis=0, dtype=np.uint32)))
    assert outputs.tree.roles["frames"] == array.path


def test_pictures_become_smaller_by_sums_and_by_the_largest(in_memory):
    frames = np.random.default_rng(0).poisson(9, (3, 301, 520)).astype(np.uint16)
    outputs = run(in_memory(frames))
    found = arrays(outputs)
    sums = found["data/sum"]
    assert found["pyramid/sum/1"].shape == (151, 260)
    assert found["pyramid/sum/2"].shape == (76, 130)
    assert all(found[f"pyramid/sum/{n}"].sum() == sums.sum() for n in (1, 2))
    assert found["pyramid/sum/1"][3, 4] == sums[6:8, 8:10].sum()
    assert found["pyramid/maximum/1"][3, 4] == found["data/maximum"][6:8, 8:10].max()
    assert found["pyramid/maximum/2"].max() == frames.max()
    (group,) = [one for one in outputs.tree.groups if one.path == "/entry/pyramid/sum"]
    (scales,) = group.attributes["multiscales"]
    assert [one["path"] for one in scales["datasets"]] == ["../../data/sum", "1", "2"]


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        (np.zeros((2, 4, 4), np.float16), "float16"),
        (np.zeros((2, 4, 4), np.uint64), "uint64"),
        (np.zeros((0, 4, 4), np.uint16), "shape"),
        (np.zeros((2, 3, 4, 5), np.uint16), r"(?s)a stack.*hits takes the frames"),
    ],
)
def test_what_is_no_stack_of_counts_is_refused(in_memory, picture, frames, complaint):
    with pytest.raises(ReductionError, match=complaint):
        run(in_memory(np.zeros((1, 2, 2), np.uint16)).having(frames=picture(frames)))


def test_it_stands_in_the_table():
    assert find_reduction("statistics") is STATISTICS
