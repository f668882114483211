"""Each reduction of the table once more: the same bytes, however and wherever it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsc import jobs
from hsc.ingestion import write_tree
from hsc.jobs import ReproduceRequest, open_catalog
from hsc.jobs.inputs import locate_inputs
from hsc.reductions import Outputs, find_reduction
from hsc.testing.reductions import EXAMPLES, resharded
from hsc.workers import ThreadWorkers, Workers, open_workers

EVERY = os.environ.get("HSC_REDUCTIONS") == "all"
OVER_S3 = sorted(EXAMPLES) if EVERY else ["azimuthal"]


class Shuffled(ThreadWorkers):
    """Does tasks in another order than they are given, and gives their results in that."""

    def map(self, function, tasks, *, progress=None, weights=None, needs=None, waiting=False):
        order = np.random.default_rng(7).permutation(len(tasks)).tolist()
        done = super().map(function, [tasks[n] for n in order])
        return [done[order.index(n)] for n in range(len(tasks))]

    def fold(self, function, tasks, take, *, progress=None, weights=None):
        for result in self.map(function, tasks):
            take(result)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Workers]:
    with open_workers("processes", 2) as workers:
        yield workers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "raw"
    made.mkdir()
    return made


def outputs_of(request: jobs.ReduceRequest, workers: Workers) -> Outputs:
    with open_catalog() as catalog:
        inputs = locate_inputs(request, find_reduction(request.name), catalog)
    return find_reduction(request.name).run(inputs.open(), request.given, workers)


def root_of(request: jobs.ReduceRequest, workers: Workers, place: Path) -> str:
    made = outputs_of(request, workers)
    where = (place.as_uri(), f"v{len(list(place.iterdir())) if place.exists() else 0}")
    parts: dict[str, Any] = {"files": made.files, "streams": made.streams, "workers": workers}
    return write_tree(made.tree, *where, **parts).manifest.root


def cut_otherwise(request: jobs.ReduceRequest, rows: int) -> jobs.ReduceRequest:
    """Word a request for copies of its inputs whose shards have so many rows."""
    copies = {pid: resharded(pid, rows) for _, pid in request.inputs}
    again = tuple((role, copies[pid]) for role, pid in request.inputs)
    return request.model_copy(update={"inputs": again})


def without_report(request: jobs.ReduceRequest) -> jobs.ReduceRequest:
    if "report" not in find_reduction(request.name).parameters.model_fields:
        return request
    parameters = {**request.parameters, "report": False}
    return request.model_copy(update={"parameters": parameters})


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_reduction_gives_the_same_bytes_however_it_runs(name, folder, tmp_path, cluster):
    request = EXAMPLES[name](folder)
    reduced = jobs.reduce(request)
    place, otherwise = tmp_path / "again", cut_otherwise(request, 2)
    ways: dict[str, tuple[jobs.ReduceRequest, Workers]] = {
        "1 thread": (request, ThreadWorkers(1)),
        "8 threads, shuffled": (request, Shuffled(8)),
        "2 processes, shards of 2 rows": (otherwise, cluster),
    }
    if EVERY:
        ways |= {
            "2 threads": (request, ThreadWorkers(2)),
            "8 threads": (request, ThreadWorkers(8)),
            "2 threads, shuffled": (request, Shuffled(2)),
            "2 processes": (request, cluster),
            "shards of 2 rows": (otherwise, ThreadWorkers(2)),
        }
    roots = {
        way: root_of(without_report(asked), workers, place)
        for way, (asked, workers) in ways.items()
    }
    assert roots == dict.fromkeys(ways, roots["1 thread"])
    # With a report, which names its inputs: so from the same ones alone.
    assert root_of(request, Shuffled(8), place) == reduced.root
    found = jobs.reproduce(ReproduceRequest(pid=reduced.pid))
    assert (found.verdict, found.first_difference, found.versions) == ("identical", None, ())
    assert found.root_now == reduced.root
    # What people see first, and what no root holds: plain values that JSON can hold.
    assert found.results == reduced.results


@pytest.mark.parametrize("name", OVER_S3)
def test_a_reduction_gives_the_same_bytes_from_an_object_store(name, folder, bucket, monkeypatch):
    here = jobs.reduce(EXAMPLES[name](folder))
    monkeypatch.setenv("HSC_STORE", bucket.url)
    there = folder / "there"
    there.mkdir()
    reduced = jobs.reduce(EXAMPLES[name](there))
    assert reduced.root == here.root
    assert jobs.reproduce(ReproduceRequest(pid=reduced.pid)).verdict == "identical"
