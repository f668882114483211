"""Runs in memory and their constants, and what the correction makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.reductions.xfel.reduction import XFEL_CORRECT
from hsc.workers import Silent, ThreadWorkers

DATA = "/entry/data/"


@pytest.fixture
def correct():
    """Give what makes all blocks of a correction, cut anywhere: arrays by name, and results."""

    def run(sample, constants, parameters, cut=None):
        given = {"sample": sample, "constants": constants}
        outputs = XFEL_CORRECT.run(given, parameters, ThreadWorkers(2), Silent())
        (stream,) = outputs.streams
        step = cut or stream.rows
        blocks = [stream.make(n, min(n + step, stream.rows)) for n in range(0, stream.rows, step)]
        made = {
            array.path.removeprefix(DATA): np.concatenate([b[array.path] for b, _ in blocks])
            for array in stream.arrays
        }
        for array in stream.arrays:
            values = made[array.path.removeprefix(DATA)]
            assert (array.shape, array.dtype) == (values.shape, values.dtype)
        more, results = stream.finish([note for _, note in blocks])
        for array in (*outputs.tree.arrays, *more):
            made[array.path.removeprefix(DATA)] = array.values
        return made, {**outputs.results, **results}

    return run
