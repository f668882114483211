"""Hits of a run: views of its frames, and frames of hits that are reduced by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hsc
from hsc.jobs import ReduceRequest, reduce
from hsc.testing import CrystalModel
from hsc.testing.reductions import EXAMPLES

HITS = "entry/hits/frame_number"


@pytest.fixture
def request_of_hits(tmp_path: Path) -> ReduceRequest:
    folder = tmp_path / "raw"
    folder.mkdir()
    return EXAMPLES["hits"](folder)


def test_hits_are_seen_in_the_run_and_reduced_by_themselves(request_of_hits):
    ((_, run_pid),) = request_of_hits.inputs
    found_pid = reduce(request_of_hits).pid
    run, found = hsc.open(run_pid), hsc.open(found_pid)
    hits = run["entry/data/data"][found[HITS].values]
    assert hits.chunks is not None  # lazy: nothing was read
    model = CrystalModel(frames=7)
    assert found[HITS].values.tolist() == [0, 3, 6]
    assert np.array_equal(hits[1], model.frame(3))
    assert np.array_equal(found["entry/hits/frames"], hits)
    curves = [
        hsc.open(reduce(ReduceRequest(name="azimuthal", inputs=(("sample", pid),))).pid)
        for pid in (run_pid, found_pid)
    ]
    whole, alone = (one["entry/data/I"].values for one in curves)
    assert np.array_equal(alone, whole[[0, 3, 6]], equal_nan=True)
    assert np.isfinite(alone).any()
    none = request_of_hits.model_copy(update={"parameters": {"min_peaks": 500}})
    found = hsc.open(reduce(none).pid)
    assert run["entry/data/data"][found[HITS].values].shape == (0, 260, 250)
    assert found["entry/result_1/peakXPosRaw"].shape == (0, 0)
