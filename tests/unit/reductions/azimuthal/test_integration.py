"""Azimuthal integration end to end: pyFAI's numbers, and the same bytes however it is run."""

from __future__ import annotations

import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from hsc.errors import ParameterError, ReductionError, RoleMissingError, UnknownReductionError
from hsc.reductions import REDUCTIONS, find_reduction
from hsc.reductions.azimuthal.integration import block_of, cut, integrate, integrate_block
from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.reductions.azimuthal.stack import stack_of
from hsc.reductions.azimuthal.sums import join
from hsc.reductions.azimuthal.tables import pixel_table
from hsc.workers import Silent, ThreadWorkers


def arrays(outputs):
    return {one.path: one.values for one in outputs.tree.arrays}


def contents(outputs):
    return {
        one.path: (
            one.values.dtype.str,
            one.values.shape,
            one.values.tobytes(),
            one.dimension_names,
            dict(one.attributes),
        )
        for one in outputs.tree.arrays
    }


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize(
    ("distance_m", "orientation", "polarization"), [(2.0, 3, None), (0.01, 3, 0.95), (0.02, 2, 1.0)]
)
def test_it_agrees_with_pyfais_own_integration(
    in_memory, random_frames, picture, dtype, distance_m, orientation, polarization
):
    frames = random_frames(dtype=dtype)
    mask = np.random.default_rng(1).random((60, 50)) < 0.05
    dataset = in_memory(frames, pixel_mask=picture(mask.astype(np.uint32)))
    parameters = {
        "bins": 40,
        "q_max_per_nm": 0.5 / distance_m,
        "distance_m": distance_m,
        "orientation": orientation,
        "polarization_factor": polarization,
    }
    got = arrays(AZIMUTHAL.run({"": dataset}, parameters, ThreadWorkers(2)))
    detector = Detector(pixel1=172e-6, pixel2=172e-6, max_shape=(60, 50), orientation=orientation)
    integrator = AzimuthalIntegrator(
        dist=distance_m,
        poni1=60 * 0.52 * 172e-6,
        poni2=50 * 0.11 * 172e-6,
        detector=detector,
        wavelength=1e-10,
    )
    for index, frame in enumerate(frames):
        theirs = integrator.integrate1d_ng(
            frame,
            40,
            radial_range=(0, 0.5 / distance_m),
            unit="q_nm^-1",
            mask=mask | (frame == np.iinfo(dtype).max),
            error_model="poisson",
            method=("no", "csr", "cython"),
            polarization_factor=polarization,
            dummy=np.nan,
        )
        sums = {
            name: got[f"/entry/reduction/sums/{name}"][index]
            for name in ("signal", "variance", "count", "normalization")
        }
        assert np.array_equal(sums["signal"], theirs.sum_signal)
        assert np.array_equal(sums["variance"], theirs.sum_variance)
        assert np.array_equal(sums["count"], theirs.count)
        assert np.array_equal(sums["normalization"], theirs.sum_normalization)
        filled = theirs.count > 0
        assert np.array_equal(got["/entry/data/I"][index][filled], theirs.intensity[filled])
        assert np.array_equal(got["/entry/data/I_errors"][index][filled], theirs.sem[filled])
        assert np.isnan(got["/entry/data/I"][index][~filled]).all()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_any_number_of_threads_gives_the_same_bytes(in_memory, random_frames, threads):
    dataset = in_memory(random_frames(count=70, shape=(30, 20)))
    parameters = {"bins": 25, "saturation_counts": 8.0}
    one = AZIMUTHAL.run({"sample": dataset}, parameters, ThreadWorkers(1))
    many = AZIMUTHAL.run({"sample": dataset}, parameters, ThreadWorkers(threads))
    assert contents(one) == contents(many)
    assert one.results == many.results


@pytest.mark.parametrize(("length", "batch"), [(1, 1), (3, 2), (5, 4), (64, 64), (13, 1)])
def test_any_cut_into_blocks_gives_the_same_bytes(in_memory, random_frames, length, batch):
    dataset = in_memory(random_frames())
    parameters = AZIMUTHAL.parse({"bins": 25, "saturation_counts": 8.0})
    stack = stack_of(dataset, parameters)
    whole = integrate(stack, ThreadWorkers(2), Silent())
    parts = [
        integrate_block(block_of(stack, start, min(start + length, 13), batch))
        for start in range(0, 13, length)
    ]
    joined = join(parts)
    for name in ("signal", "variance", "normalization", "count", "left_out"):
        assert getattr(joined, name).tobytes() == getattr(whole, name).tobytes()


@pytest.mark.parametrize("chunk", [1, 3, 16])
@pytest.mark.parametrize("workers", [1, 2, 40])
def test_blocks_cover_all_frames_once_and_hold_whole_chunks(
    in_memory, random_frames, chunk, workers
):
    dataset = in_memory(random_frames(count=101, shape=(4, 4)))
    frames = replace(dataset.role("frames"), chunks=(chunk, 4, 4))
    blocks = cut(stack_of(dataset.having(frames=frames), AZIMUTHAL.parse()), workers)
    assert [block.start for block in blocks[1:]] == [block.stop for block in blocks[:-1]]
    assert (blocks[0].start, blocks[-1].stop) == (0, 101)
    assert all(block.start % chunk == 0 and block.batch > 0 for block in blocks)


def test_a_task_is_small_and_its_table_is_built_once_per_worker(in_memory, random_frames):
    dataset = in_memory(random_frames())
    stack = stack_of(dataset, AZIMUTHAL.parse({"bins": 30}))
    copied = pickle.loads(pickle.dumps(stack.binning))  # noqa: S301
    assert copied.key() == stack.binning.key()
    assert pixel_table(copied) is pixel_table(stack.binning)
    assert len(pickle.dumps(stack.binning)) < 1000


def test_threads_that_want_the_same_table_wait_for_the_one_that_builds_it(
    in_memory, random_frames, picture
):
    reads = []

    class Counted:
        path = "/entry/mask"
        values = np.eye(60, 50, dtype=np.uint8)

        def read(self, start=0, stop=None):
            reads.append(start)
            return self.values

        def unwritten(self):
            return ()

    dataset = in_memory(random_frames(), pixel_mask=Counted())
    binning = stack_of(dataset, AZIMUTHAL.parse({"bins": 33})).binning
    reads.clear()
    together = threading.Barrier(8)

    def want(_):
        together.wait()
        return pixel_table(binning)

    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(want, range(8)))
    assert len(reads) == 1
    assert all(table is tables[0] for table in tables)


def test_a_mask_that_changed_since_the_work_was_planned_stops_it(in_memory, random_frames, picture):
    mask = np.zeros((60, 50), dtype=np.uint8)
    stack = stack_of(
        in_memory(random_frames(), pixel_mask=picture(mask)), AZIMUTHAL.parse({"bins": 31})
    )
    mask[3, 4] = 1
    with pytest.raises(ReductionError, match="not the one that the work was planned with"):
        pixel_table(stack.binning)


def test_the_tree_is_arranged_like_nxazint1d(in_memory, random_frames):
    outputs = AZIMUTHAL.run({"": in_memory(random_frames())}, {"bins": 20}, ThreadWorkers(1))
    groups = {one.path: one.attributes for one in outputs.tree.groups}
    found = {one.path: one for one in outputs.tree.arrays}
    assert groups["/entry"] == {"NX_class": "NXentry", "default": "data"}
    assert groups["/entry/data"]["signal"] == "I"
    assert groups["/entry/data"]["axes"] == [".", "radial_axis"]
    assert groups["/entry/reduction"]["NX_class"] == "NXprocess"
    assert groups["/entry/reduction/input"]["NX_class"] == "NXparameters"
    assert found["/entry/definition"].values.item() == "NXazint1d"
    assert found["/entry/data/I"].values.shape == (13, 20)
    assert found["/entry/data/I"].dimension_names == ("frame", "radial_axis")
    assert found["/entry/data/radial_axis"].attributes["units"] == "1/nm"
    edges = found["/entry/data/radial_axis_edges"].values
    assert np.allclose(found["/entry/data/radial_axis"].values, (edges[1:] + edges[:-1]) / 2)
    assert found["/entry/reduction/input/distance_m"].values == 2.0
    assert found["/entry/reduction/input/orientation"].values == 3
    assert found["/entry/instrument/monochromator/wavelength"].values == 1.0
    assert all(len(a.dimension_names) == a.values.ndim for a in outputs.tree.arrays)
    assert all(path in found for path in outputs.tree.roles.values())
    assert len(found) == len(outputs.tree.arrays)
    assert outputs.technique == "SAXS"
    json.dumps([outputs.results, *(dict(one.attributes) for one in outputs.tree.arrays)])


def test_saturated_pixels_are_left_out_where_the_dataset_says_so(in_memory, scalar_array):
    frames = np.full((5, 8, 8), 10, dtype=np.uint16)
    frames[2, 3, 3] = 4000
    dataset = in_memory(frames, saturation=scalar_array("saturation", 4000))
    outputs = AZIMUTHAL.run({"": dataset}, {"bins": 1}, ThreadWorkers(1))
    got = arrays(outputs)
    assert got["/entry/reduction/sums/left_out"].tolist() == [0, 0, 1, 0, 0]
    assert got["/entry/reduction/sums/signal"][:, 0].tolist() == [640, 640, 630, 640, 640]
    assert got["/entry/reduction/sums/count"][:, 0].tolist() == [64, 64, 63, 64, 64]
    assert outputs.results["pixels_left_out"] == 1
    flat = AZIMUTHAL.run({"": dataset}, {"bins": 1, "solid_angle": "no"}, ThreadWorkers(1))
    assert arrays(flat)["/entry/data/I"][:, 0].tolist() == [10.0] * 5


def test_negative_counts_are_marks_of_bad_pixels(in_memory):
    frames = np.full((1, 4, 4), 7, dtype=np.int32)
    frames[0, 0, 0] = -1
    got = arrays(AZIMUTHAL.run({"": in_memory(frames)}, {"bins": 1}, ThreadWorkers(1)))
    assert got["/entry/reduction/sums/signal"].tolist() == [[105]]
    assert got["/entry/reduction/sums/count"].tolist() == [[15]]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((3, 4), dtype=np.uint16), "a stack"),
        (np.zeros((2, 3, 4), dtype=np.complex64), "complex64"),
        (np.zeros((2, 3, 4), dtype=np.uint64), "uint64"),
        (np.zeros((0, 3, 4), dtype=np.uint16), "a stack"),
        (np.zeros((2, 0, 4), dtype=np.uint16), "a stack"),
        (np.zeros((2, 3, 4), dtype=np.float16), "of 32 or 64 bits"),
        (np.zeros((2, 3, 4, 5), np.uint16), r"(?s)a stack.*hits takes the frames"),
    ],
)
def test_what_is_no_stack_of_counts_is_refused(in_memory, random_frames, picture, frames, message):
    dataset = in_memory(random_frames()).having(frames=picture(frames))
    with pytest.raises(ReductionError, match=message):
        AZIMUTHAL.run({"": dataset}, None, ThreadWorkers(1))


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ((3,), "1 of 13 frames were never written, by number 4; a frame"),
        (tuple(range(2, 13)), "11 of 13 .*, by number 3, 4, 5, 6, 7 and 6 more; a frame"),
    ],
)
def test_frames_that_were_never_written_are_refused(in_memory, random_frames, absent, message):
    dataset = in_memory(random_frames())
    dataset = dataset.having(frames=replace(dataset.arrays["frames"], absent=absent))
    with pytest.raises(ReductionError, match=message):
        stack_of(dataset, AZIMUTHAL.parse())
    with pytest.raises(ReductionError, match=message):
        AZIMUTHAL.run({"": dataset}, None, ThreadWorkers(1))


def test_a_dataset_without_frames_says_which_roles_it_has(in_memory, random_frames):
    dataset = in_memory(random_frames()).without("frames")
    with pytest.raises(RoleMissingError, match="distance"):
        AZIMUTHAL.run({"": dataset}, None, ThreadWorkers(1))


def test_a_mask_that_was_never_written_is_refused(in_memory, random_frames, picture):
    mask = replace(picture(np.zeros((60, 50), dtype=np.uint8)), absent=(0,))
    dataset = in_memory(random_frames(), pixel_mask=mask)
    with pytest.raises(ReductionError, match="never written"):
        AZIMUTHAL.run({"": dataset}, {"bins": 31}, ThreadWorkers(1))


def test_a_mask_of_another_shape_is_refused(in_memory, random_frames, picture):
    dataset = in_memory(random_frames(), pixel_mask=picture(np.zeros((50, 60), dtype=np.uint8)))
    with pytest.raises(ReductionError, match=r"mask of shape \(50, 60\)"):
        AZIMUTHAL.run({"": dataset}, None, ThreadWorkers(1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bin": 5}, "bin: there is no such parameter; did you mean bins"),
        ({"bins": True}, "bins: it is no yes or no"),
        ({"bins": 0}, "bins: .* greater than or equal to 1"),
        ({"bins": "many"}, r"bins: .* \(given: 'many'\)"),
        ({"distance_m": -1}, "distance_m"),
        ({"q_max_per_nm": 0.1, "q_min_per_nm": 0.2}, "begins at 0.2, which is not below"),
    ],
)
def test_a_wrong_parameter_is_named(in_memory, random_frames, given, message):
    with pytest.raises(ParameterError, match=message):
        AZIMUTHAL.run({"": in_memory(random_frames())}, given, ThreadWorkers(1))


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int32])
@pytest.mark.parametrize(("limit", "every"), [(1e300, True), (-1e300, False)])
def test_a_limit_beyond_the_type_leaves_out_all_pixels_or_none(
    in_memory, random_frames, dtype, limit, every
):
    frames = np.minimum(random_frames(2, dtype=np.uint16), 9).astype(dtype)
    given = {"bins": 5, "lowest_counts": limit}
    found = AZIMUTHAL.run({"": in_memory(frames)}, given, ThreadWorkers(1)).results
    assert found["pixels_left_out"] == (frames.size if every else 0)
    assert found["counts"] == (0 if every else int(frames.sum()))


def test_variances_that_were_never_written_are_refused(in_memory, random_frames, picture):
    frames = random_frames(4)
    variances = replace(picture(frames.astype(np.float32)), absent=(2,))
    dataset = in_memory(frames).having(variance=variances)
    with pytest.raises(ReductionError, match="1 of 4 variances were never written, by number 3"):
        AZIMUTHAL.run({"": dataset}, {"error_model": "variance"}, ThreadWorkers(1))


def test_parameters_may_come_as_text_from_a_command_line():
    parsed = AZIMUTHAL.parse({"bins": "250", "distance_m": "1.5", "solid_angle": "false"})
    assert (parsed.bins, parsed.distance_m, parsed.solid_angle) == (250, 1.5, False)


def test_inputs_are_checked_by_name(in_memory, random_frames):
    dataset = in_memory(random_frames())
    with pytest.raises(ParameterError, match="no input 'sample', unknown input 'samples'"):
        AZIMUTHAL.run({"samples": dataset}, None, ThreadWorkers(1))


def test_an_unknown_reduction_lists_the_known():
    with pytest.raises(UnknownReductionError, match="azimuthal, biosaxs"):
        find_reduction("azimutal")


def test_the_table_is_keyed_by_the_reductions_own_names():
    assert all(name == reduction.name for name, reduction in REDUCTIONS.items())
