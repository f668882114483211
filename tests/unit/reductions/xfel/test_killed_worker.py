"""A worker that is killed while it corrects costs its tasks: others do them, to the same bytes."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hsc.client import connect
from hsc.ingestion import write_tree
from hsc.reading import open_dataset
from hsc.reductions import Inputs, find_reduction
from hsc.store import Make
from hsc.testing.reductions import EXAMPLES
from hsc.workers import ThreadWorkers, open_workers


@dataclass(frozen=True)
class Struck:
    """Corrects frames, but kills the process that is the first to begin in the middle."""

    make: Make
    marker: Path

    def __call__(self, start, stop):
        if start and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.make(start, stop)


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX has it")
def test_a_killed_worker_costs_its_tasks_only(tmp_path: Path) -> None:
    request, reduction = EXAMPLES["xfel_correct"](tmp_path), find_reduction("xfel_correct")
    with connect() as catalog:
        given = Inputs(
            tuple((name, open_dataset(catalog.get(pid))) for name, pid in request.inputs)
        )
    outputs = reduction.run(given, request.parameters, ThreadWorkers(1))
    # Two frames a block, so that there are several.
    (whole,) = (replace(each, rows_per_block=2) for each in outputs.streams)
    marker = tmp_path / "killed"
    store = (tmp_path / "made").as_uri()
    quiet = write_tree(outputs.tree, store, "quiet", streams=[whole])
    with open_workers("processes", 2) as workers:
        stream = replace(whole, make=Struck(whole.make, marker))
        killed = write_tree(outputs.tree, store, "killed", streams=[stream], workers=workers)
    assert marker.exists()
    assert (killed.manifest.root, killed.results) == (quiet.manifest.root, quiet.results)
    assert killed.results["pixels_high_gain"] > 0
