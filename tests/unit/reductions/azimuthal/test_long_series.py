"""Series too long for memory: the same arrays block by block, and tables whose making is told."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from hsc.reductions.azimuthal.integration import integrate
from hsc.reductions.azimuthal.reduction import AZIMUTHAL, reduce_azimuthal
from hsc.reductions.azimuthal.stack import stack_of
from hsc.workers import Silent, ThreadWorkers


def values_of(arrays):
    return {one.path: (one.values.dtype, one.values.tobytes(), one.values.shape) for one in arrays}


def run(dataset, parameters, most_numbers):
    inputs = AZIMUTHAL.bind({"": dataset})
    asked = AZIMUTHAL.parse(parameters)
    return reduce_azimuthal(inputs, asked, ThreadWorkers(1), Silent(), most_numbers)


@pytest.mark.parametrize(
    "parameters",
    [
        {"bins": 9},
        {"bins": 5, "azimuthal_bins": 3, "splitting": "bbox"},
        {"bins": 9, "error_model": "azimuthal", "monitor": True},
    ],
)
@pytest.mark.parametrize("rows", [1, 4, 13])
def test_blocks_of_a_long_series_hold_what_one_run_of_it_holds(
    in_memory, random_frames, picture, parameters, rows
):
    frames = random_frames()
    frames[2, 5, 6] = np.iinfo(frames.dtype).max
    dataset = in_memory(frames, monitor=picture(np.linspace(1, 2, 13)))
    whole = run(dataset, parameters, 13 * 15)
    outputs = run(dataset, parameters, 13 * 9 - 1)
    assert not whole.streams
    (stream,) = outputs.streams
    make = pickle.loads(pickle.dumps(stream.make))  # noqa: S301
    blocks = [make(start, min(start + rows, 13)) for start in range(0, 13, rows)]
    last, totals = stream.finish([note for _, note in blocks])
    streamed = {
        one.path: np.concatenate([made[one.path] for made, _ in blocks]) for one in stream.arrays
    }
    for one in stream.arrays:
        assert one.shape == streamed[one.path].shape
        assert one.dtype == streamed[one.path].dtype
        assert one.dimension_names[0] == "frame"
    found = values_of([*outputs.tree.arrays, *last])
    found |= {path: (one.dtype, one.tobytes(), one.shape) for path, one in streamed.items()}
    assert found == values_of(whole.tree.arrays)
    assert {**outputs.results, **totals} == whole.results
    assert outputs.tree.roles == whole.tree.roles
    assert (outputs.title, outputs.quantities) == (whole.title, whole.quantities)


def test_a_million_frames_of_a_thousand_bins_are_cut_into_small_blocks(in_memory, picture):
    # One frame, read again and again: nothing of the series is in memory.
    frames = np.broadcast_to(np.ones((1, 6, 5), dtype=np.uint16), (1_000_000, 6, 5))
    outputs = AZIMUTHAL.run({"": in_memory(frames)}, {"bins": 1000}, ThreadWorkers(1))
    (stream,) = outputs.streams
    assert stream.rows == 1_000_000
    row = sum(one.dtype.itemsize * int(np.prod(one.shape[1:])) for one in stream.arrays)
    assert row * stream.rows_per_block < 2e8
    made, _ = stream.make(999_990, 1_000_000)
    assert made["/entry/data/I"].shape == (10, 1000)


class Heard:
    """Keeps what it is told."""

    def __init__(self):
        self.told = []

    def start(self, stage, total, unit):
        self.told.append((stage, total, unit))

    def advance(self, amount):
        self.told.append(amount)

    def finish(self):
        self.told.append("done")


def test_that_a_large_table_is_made_is_told_once(in_memory):
    frames = np.ones((1, 1000, 600), dtype=np.uint8)
    stack = stack_of(in_memory(frames), AZIMUTHAL.parse({"bins": 7}))
    first, second = Heard(), Heard()
    integrate(stack, ThreadWorkers(1), first)
    integrate(stack, ThreadWorkers(1), second)
    steps = [("integrate", 1, "frames"), 1, "done"]
    assert first.told == [("pixel table", 1, "table"), 1, "done", *steps]
    assert second.told == steps
