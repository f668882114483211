"""Each reduction of the table once more: the same bytes, or what differs and where."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest

from hsc import jobs, settings
from hsc.client import make_query
from hsc.errors import (
    ConfigurationError,
    CorruptShardError,
    DatasetNotFoundError,
    InputChangedError,
    NotReproducibleError,
)
from hsc.ingestion import write_tree
from hsc.jobs import ReproduceRequest, open_catalog
from hsc.jobs.derived import Derived
from hsc.jobs.inputs import locate_inputs
from hsc.jobs.reducing import register, write_derived
from hsc.model import Pid
from hsc.provenance import recorded
from hsc.reductions import Outputs, find_reduction
from hsc.store import open_version, pack_key
from hsc.testing.reductions import EXAMPLES, resharded
from hsc.workers import Silent, ThreadWorkers, Workers, open_workers

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


@pytest.fixture
def made(folder: Path) -> tuple[jobs.ReduceRequest, jobs.ReducedDataset]:
    """Give a request for an azimuthal integration, and what came of it."""
    request = EXAMPLES["azimuthal"](folder)
    return request, jobs.reduce(request)


def altered(request: jobs.ReduceRequest, like: Pid, change: Any) -> Pid:
    """Register what comes of a request with something changed, as if it had come of it so."""
    reduction = find_reduction(request.name)
    with open_catalog() as catalog:
        before = next(each for each in catalog.activities(limit=50) if like.at(1) in each.generated)
        inputs = locate_inputs(request, reduction, catalog)
        outputs = change(outputs_of(request, ThreadWorkers(1)))
        derived = Derived(request.name, inputs, outputs, settings.store_url())
        with recorded(catalog, "reduce", before.parameters) as activity:
            activity.note(used=before.used, input_roots=before.input_roots)
            write_derived(derived, activity, ThreadWorkers(1), Silent())
            return register(derived, catalog, activity).pid


def with_values(path: str, values: Any) -> Any:
    """Give what changes an array of a tree."""

    def change(outputs: Outputs) -> Outputs:
        arrays = tuple(
            replace(each, values=values(each.values)) if each.path == path else each
            for each in outputs.tree.arrays
        )
        return replace(outputs, tree=replace(outputs.tree, arrays=arrays))

    return change


def nudged(steps: int) -> Any:
    """Give what moves one value by so many floating-point numbers."""

    def change(values: np.ndarray) -> np.ndarray:
        moved = values.copy()
        for _ in range(steps):
            moved[3, 17] = np.nextafter(moved[3, 17], np.float32(np.inf))
        return moved

    return change


def test_a_last_digit_is_told_from_a_difference(made):
    request, reduced = made
    path = "/entry/data/I"
    near = altered(request, reduced.pid, with_values(path, nudged(1)))
    found = jobs.reproduce(ReproduceRequest(pid=near))
    assert found.verdict == "within_1_ulp"
    assert found.largest_difference.path == path
    assert found.largest_difference.index == (3, 17)
    assert found.largest_difference.ulps == 1
    far = altered(request, reduced.pid, with_values(path, nudged(2)))
    found = jobs.reproduce(ReproduceRequest(pid=far))
    assert found.verdict == "different"
    first = found.first_difference
    assert (first.path, first.index, first.ulps) == (path, (3, 17), 2)
    assert first.recorded > first.now


def test_another_file_or_another_count_is_a_difference(made):
    request, reduced = made
    with_file = altered(
        request, reduced.pid, lambda outputs: replace(outputs, files={"a.dat": b"1 2\n"})
    )
    found = jobs.reproduce(ReproduceRequest(pid=with_file))
    assert (found.verdict, found.first_difference.file) == ("different", "a.dat")
    path = "/entry/reduction/sums/signal"
    with_count = altered(request, reduced.pid, with_values(path, lambda values: values + 1))
    found = jobs.reproduce(ReproduceRequest(pid=with_count))
    assert found.first_difference.path == path
    assert found.first_difference.recorded == found.first_difference.now + 1


def test_an_input_byte_that_changed_is_damage_and_is_named(made):
    request, reduced = made
    (_, pid), *_ = request.inputs
    with open_catalog() as catalog:
        record = catalog.get(pid)
    entries = open_version(record.location).manifest.entries
    frames = max((each for each in entries if len(each.chunks)), key=lambda each: each.nbytes)
    name = pack_key(frames.pack) if frames.packed else frames.key
    path = Path(url2pathname(urlsplit(record.location).path)) / name
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[frames.pack_offset + 1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptShardError) as caught:
        jobs.reproduce(ReproduceRequest(pid=reduced.pid))
    assert frames.key in caught.value.where


def test_an_input_with_another_root_is_named_with_both(made):
    request, reduced = made
    other = "blake3:" + "0" * 64
    with open_catalog() as catalog:
        before = next(a for a in catalog.activities(limit=9) if reduced.pid.at(1) in a.generated)
    pid = altered_activity(request, before.model_copy(update={"input_roots": (other,)}))
    with pytest.raises(InputChangedError, match=other) as caught:
        jobs.reproduce(ReproduceRequest(pid=pid))
    assert before.input_roots[0] in caught.value.message
    assert str(request.inputs[0][1]) in caught.value.where


def altered_activity(request: jobs.ReduceRequest, told: Any) -> Pid:
    """Register what comes of a request as if the activity had been told so."""
    with open_catalog() as catalog:
        inputs = locate_inputs(request, find_reduction(request.name), catalog)
        outputs = outputs_of(request, ThreadWorkers(1))
        derived = Derived(request.name, inputs, outputs, settings.store_url())
        with recorded(catalog, told.type, told.parameters) as activity:
            facts = {"used": told.used, "input_roots": told.input_roots}
            activity.note(**facts, environment=told.environment)
            write_derived(derived, activity, ThreadWorkers(1), Silent())
            return register(derived, catalog, activity).pid


def test_other_versions_are_told_beside_the_verdict(made):
    request, reduced = made
    with open_catalog() as catalog:
        before = next(a for a in catalog.activities(limit=9) if reduced.pid.at(1) in a.generated)
    packages = {**before.environment.packages, "numpy": "1.0.1"}
    then = before.environment.model_copy(update={"packages": packages, "python": "3.9.9"})
    parameters = {**before.parameters, "cpu": "pdp-11", "version": "0"}
    told = before.model_copy(update={"environment": then, "parameters": parameters})
    found = jobs.reproduce(ReproduceRequest(pid=altered_activity(request, told)))
    assert found.verdict == "identical"
    assert {each.name: each.recorded for each in found.versions} == {
        "cpu": "pdp-11", "numpy": "1.0.1", "python": "3.9.9", "reduction azimuthal": "0",
    }  # fmt: skip
    assert all(each.now for each in found.versions)


def test_an_ingest_is_not_replayed_and_says_so(made):
    request, _ = made
    with pytest.raises(NotReproducibleError, match="only reductions") as caught:
        jobs.reproduce(ReproduceRequest(pid=request.inputs[0][1]))
    assert "hsc verify" in caught.value.next_step
    with pytest.raises(DatasetNotFoundError):
        jobs.reproduce(ReproduceRequest(pid=Pid.generate("hsc.local")))


def test_nothing_is_left_unless_it_is_to_be_kept(made, tmp_path):
    _, reduced = made
    before = {path for path in (tmp_path / "store").rglob("*") if path.is_file()}
    with open_catalog() as catalog:
        known = catalog.search(make_query("", (), 9, None, {})).total
    jobs.reproduce(ReproduceRequest(pid=reduced.pid))
    kept = tmp_path / "kept"
    found = jobs.reproduce(ReproduceRequest(pid=reduced.pid, keep=str(kept)))
    assert open_version(Path(found.kept).as_uri()).manifest.root == reduced.root
    with open_catalog() as catalog:
        assert catalog.search(make_query("", (), 9, None, {})).total == known
    assert {path for path in (tmp_path / "store").rglob("*") if path.is_file()} == before
    with pytest.raises(ConfigurationError, match="not empty"):
        jobs.reproduce(ReproduceRequest(pid=reduced.pid, keep=str(kept)))
