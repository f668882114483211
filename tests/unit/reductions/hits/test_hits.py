"""Hits end to end: planted peaks and hits, rates by pulse, the powder, the frames of hits."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hsc.errors import ParameterError, ReductionError
from hsc.reductions import find_reduction
from hsc.reductions.hits.finding import HIT_FRAMES
from hsc.reductions.hits.rates import wilson
from hsc.reductions.hits.reduction import HITS
from hsc.reductions.poni import GeometryParameters, geometry_of
from hsc.testing import CrystalModel
from hsc.workers import Silent, ThreadWorkers

MODEL = CrystalModel()


class Shuffled(ThreadWorkers):
    """Workers that take their tasks in an order of their own."""

    def fold(self, function, tasks, take, *, progress=None, weights=None):
        for task in random.Random(4).sample(list(tasks), len(tasks)):
            take(function(task))


@pytest.fixture(scope="module")
def frames():
    return np.stack([MODEL.frame(n) for n in range(MODEL.frames)])


@pytest.fixture
def dataset(in_memory, frames, scalar_array, picture):
    x, y = MODEL.beam_center
    return in_memory(
        frames,
        beam_center_x=scalar_array("beam_center_x", x, "pixel"),
        beam_center_y=scalar_array("beam_center_y", y, "pixel"),
        pixel_mask=picture(MODEL.detector.gap_mask()),
    )


def run(dataset, parameters=None, workers=None, **inputs):
    given = {"min_peaks": 5, **(parameters or {})}
    return HITS.run({"sample": dataset, **inputs}, given, workers or ThreadWorkers(2), Silent())


def arrays(outputs):
    return {one.path.removeprefix("/entry/"): one.values for one in outputs.tree.arrays}


@pytest.mark.parametrize("centre", ["known", "not known"])
def test_planted_peaks_are_all_found_and_no_others(dataset, centre):
    if centre == "not known":
        dataset = dataset.without("beam_center_x", "beam_center_y")
    outputs = run(dataset)
    found = arrays(outputs)
    assert outputs.results["compared_in"] == ("rings" if centre == "known" else "tiles")
    offsets = found["peaks/offsets"]
    for index in range(MODEL.frames):
        own = slice(offsets[index], offsets[index + 1])
        places = MODEL.places(index)
        x, y = found["peaks/peakXPosRaw"][own], found["peaks/peakYPosRaw"][own]
        assert found["peaks/nPeaks"][index] == len(places)
        assert all(np.hypot(x - column, y - row).min() < 0.5 for row, column in places)
    hits = [n for n in range(MODEL.frames) if MODEL.is_hit(n)]
    assert found["hits/frame_number"].tolist() == hits
    assert outputs.results["hits"] == 4
    low, high = wilson(np.array([4]), np.array([12]))
    assert (outputs.results["hit_rate_low"], outputs.results["hit_rate_high"]) == (low[0], high[0])


def test_the_powder_is_the_sum_of_peaks_and_the_maximum_of_hits(dataset, frames):
    found = arrays(run(dataset))
    powder, hits = found["data/powder"], frames[:: MODEL.every]
    total = np.where(hits == 65535, 0, hits).astype(np.int64)
    assert np.array_equal(found["data/maximum"], total.max(axis=0))
    assert (powder <= total.sum(axis=0)).all()
    near = np.zeros(frames.shape[1:], bool)
    for index in range(0, MODEL.frames, MODEL.every):
        for row, column in MODEL.places(index):
            assert powder[row, column] >= frames[index, row, column]
            near[row - 3 : row + 4, column - 3 : column + 4] = True
    assert not powder[~near].any()


@pytest.mark.parametrize("workers", [ThreadWorkers(1), ThreadWorkers(8), Shuffled(3)])
def test_any_workers_and_order_give_the_same_bytes(dataset, frames, picture, workers):
    floats = dataset.having(frames=picture(frames.astype(np.float32) * np.float32(1.37)))
    for each in (dataset, floats):
        found, expected = arrays(run(each, workers=workers)), arrays(run(each))
        assert {name: one.tobytes() for name, one in found.items()} == {
            name: one.tobytes() for name, one in expected.items()
        }


def test_rates_by_pulse_and_train(dataset, picture):
    pulse, train = np.arange(12, dtype=np.uint64) % 3, np.arange(12, dtype=np.uint64) // 4 + 100
    outputs = run(dataset.having(pulse_id=picture(pulse), train_id=picture(train[:, None])))
    found = arrays(outputs)
    assert found["rates/pulse_id/pulse_id"].tolist() == [0, 1, 2]
    assert found["rates/pulse_id/hits"].tolist() == [4, 0, 0]
    assert found["rates/train_id/rate"].tolist() == [0.5, 0.25, 0.25]
    assert found["hits/train_id"].tolist() == [100, 100, 101, 102]
    low, high = found["rates/pulse_id/rate_low"], found["rates/pulse_id/rate_high"]
    assert ((low <= [1, 0, 0]) & (high >= [1, 0, 0])).all()


def test_only_the_frames_of_hits_are_kept_where_that_is_asked_for(dataset, frames):
    assert not run(dataset).streams
    outputs = run(dataset, {"hits_only_frames": True})
    (stream,) = outputs.streams
    made = np.concatenate([stream.make(n, n + 1)[0][HIT_FRAMES] for n in range(stream.rows)])
    assert np.array_equal(made, frames[:: MODEL.every])
    assert outputs.tree.roles["frames"] == HIT_FRAMES
    nothing = run(dataset, {"hits_only_frames": True, "min_peaks": 99})
    assert nothing.streams == ()
    assert "frames" not in nothing.tree.roles


def test_peaks_of_hits_stand_as_cxi_files_have_them(dataset):
    found = arrays(run(dataset))
    hits, counts = found["hits/frame_number"], found["result_1/nPeaks"]
    assert counts.tolist() == found["peaks/nPeaks"][hits].tolist()
    for name in ("peakXPosRaw", "peakYPosRaw", "peakTotalIntensity"):
        padded = found[f"result_1/{name}"]
        assert padded.shape == (len(hits), counts.max())
        for hit, frame in enumerate(hits):
            own = found[f"peaks/{name}"][slice(*found["peaks/offsets"][frame : frame + 2])]
            assert np.array_equal(padded[hit, : counts[hit]], own.astype(np.float32))
            assert not padded[hit, counts[hit] :].any()
    assert arrays(run(dataset, {"min_peaks": 99}))["result_1/peakXPosRaw"].shape == (0, 0)


def test_frames_of_hits_keep_what_they_are_reduced_with(dataset, scalar_array, picture, in_memory):
    monitor = picture(np.arange(12) * 0.5)
    bad = np.zeros((260, 250), np.uint8)
    bad[3, 4] = 1
    outputs = run(
        dataset.having(monitor=monitor, saturation=scalar_array("saturation", 60000)),
        {"hits_only_frames": True, "beam_center_x_pixels": 119.5},
        mask=in_memory(np.zeros((1, 260, 250), np.uint16), pixel_mask=picture(bad)),
    )
    by_path = {one.path: one for one in outputs.tree.arrays}
    kept = {role: by_path[path] for role, path in outputs.tree.roles.items() if path in by_path}
    assert kept["monitor"].values.tolist() == [0, 1.5, 3, 4.5]
    assert (kept["wavelength"].values.item(), kept["distance"].values.item()) == (1.0, 2.0)
    assert kept["beam_center_x"].values.item() == 119.5  # what was given goes before
    assert kept["beam_center_y"].values.item() == MODEL.beam_center[1]
    assert kept["saturation"].values.item() == 60000
    assert np.array_equal(kept["pixel_mask"].values != 0, MODEL.detector.gap_mask() | bad != 0)
    assert not {"wavelength", "pixel_mask"} & set(run(dataset).tree.roles)


def test_numbers_that_stand_once_for_each_frame_go_with_the_frames_of_hits(dataset, picture):
    each = {
        "saturation": np.full(12, 60000),
        "count_time": np.full(12, 0.25),
        "transmission": np.linspace(0.5, 0.6, 12),
    }
    outputs = run(
        dataset.having(**{role: picture(values) for role, values in each.items()}),
        {"hits_only_frames": True},
    )
    by_path = {one.path: one.values for one in outputs.tree.arrays}
    kept = {role: by_path[path] for role, path in outputs.tree.roles.items() if path in by_path}
    assert kept["saturation"].item() == 60000
    assert kept["count_time"].item() == 0.25
    assert kept["transmission"].tolist() == each["transmission"][:: MODEL.every].tolist()


def test_frames_of_hits_keep_the_geometry_that_was_given(dataset, memory_array):
    given = {"poni1_m": 0.02, "poni2_m": 0.03, "rot1_rad": 0.3, "rot3_rad": 0.1, "orientation": 2}
    outputs = run(dataset, {"hits_only_frames": True, "min_peaks": 2, **given})
    by_path = {one.path: one for one in outputs.tree.arrays}
    kept = dataset.without(*dataset.arrays).having(
        **{
            role: memory_array(path, by_path[path].values, by_path[path].attributes)
            for role, path in outputs.tree.roles.items()
            if path in by_path
        }
    )
    alone = geometry_of(kept, (260, 250), GeometryParameters())
    assert alone == geometry_of(dataset, (260, 250), GeometryParameters(**given))


def test_channels_are_no_modules(dataset, frames, picture):
    channels = np.stack([frames, frames // 2], axis=1)
    sample = dataset.without("pixel_mask").having(frames=picture(channels), channel=picture(["a"]))
    with pytest.raises(ReductionError, match="channels of one detector"):
        run(sample)


def test_rings_whose_squares_no_sum_holds_are_refused(in_memory):
    sample = in_memory(np.zeros((1, 2900, 2900), np.uint16)).without("beam_center_x")
    with pytest.raises(ParameterError, match="8410000 pixels are compared") as error:
        run(sample, {"tile_pixels": 3000})
    assert "tile_pixels" in error.value.next_step


def test_modules_are_panels_and_what_has_no_value_is_no_peak(in_memory, frames, picture):
    modules = np.stack([frames[:, :128], frames[:, 132:]], axis=1).astype(np.float32)
    modules[modules == 65535] = np.nan
    sample = in_memory(frames).having(frames=picture(modules))
    found = arrays(run(sample.without("beam_center_x", "beam_center_y")))
    assert found["hits/frame_number"].tolist() == [0, 3, 6, 9]
    assert found["data/powder"].shape == (2, 128, 250)
    second = [row - 4 for row, _ in MODEL.places(0) if row >= 132]
    y = found["peaks/peakYPosRaw"][: found["peaks/nPeaks"][0]]
    assert np.allclose(np.sort(y[y > 127.5]), sorted(second), atol=0.5)


def test_floats_that_no_sum_holds_are_no_values(dataset, frames, picture):
    floats = frames.astype(np.float32)
    row, column = MODEL.places(0)[0]
    floats[0, row, column : column + 2] = 3e30
    floats[frames == 65535] = np.nan
    found = arrays(run(dataset.having(frames=picture(floats))))
    assert found["hits/frame_number"].tolist() == [0, 3, 6, 9]
    assert found["data/powder"].min() == 0
    assert np.nanmax(found["data/maximum"]) < 1e4


def test_a_mask_beside_it_leaves_peaks_out(dataset, in_memory, frames, picture):
    bad = np.zeros(frames.shape[1:], np.uint8)
    row, column = MODEL.places(0)[0]
    bad[row - 6 : row + 7, column - 6 : column + 7] = 1
    found = arrays(run(dataset, mask=in_memory(frames, pixel_mask=picture(bad))))
    assert found["peaks/nPeaks"][0] == MODEL.peaks - 1
    wrong = in_memory(frames, pixel_mask=picture(bad[1:]))
    with pytest.raises(ReductionError, match="a mask of shape"):
        run(dataset, mask=wrong)


@pytest.mark.parametrize(
    "odd", [np.zeros((2, 4, 4)), np.zeros((2, 4, 4), np.uint64), np.zeros((4, 4), np.uint16)]
)
def test_what_is_no_stack_of_counts_is_refused(dataset, picture, odd):
    sample = dataset.having(frames=picture(odd))
    with pytest.raises(ReductionError, match=r"(is|are) needed"):
        run(sample)


def test_it_stands_in_the_table():
    assert find_reduction("hits") is HITS
