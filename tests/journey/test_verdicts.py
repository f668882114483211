"""What ``hsc reproduce`` says: of last digits, of differences, of inputs, of other versions."""

from __future__ import annotations

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
from hsc.jobs import ReproduceRequest, open_catalog
from hsc.jobs.derived import Derived, DerivedPlace
from hsc.jobs.inputs import locate_inputs
from hsc.jobs.reducing import begin, register, write_derived
from hsc.model import Activity, Pid
from hsc.provenance import recorded
from hsc.reductions import Outputs, find_reduction
from hsc.store import open_version, pack_key
from hsc.testing.reductions import EXAMPLES
from hsc.workers import Silent, ThreadWorkers

Made = tuple[jobs.ReduceRequest, jobs.ReducedDataset]


@pytest.fixture(scope="module")
def made_once(shared) -> Made:
    folder = shared.home / "raw"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as place:
        place.setenv("HSC_HOME", str(shared.home))
        request = EXAMPLES["azimuthal"](folder)
        return request, jobs.reduce(request)


@pytest.fixture
def made(made_once: Made, in_place) -> Made:
    """Give a request for an azimuthal integration, and what came of it, where all tests look."""
    return made_once


def done(pid: Pid) -> Activity:
    """Give the activity that a dataset came of."""
    with open_catalog() as catalog:
        return next(each for each in catalog.activities(limit=99) if pid.at(1) in each.generated)


def altered(made: Made, change: Any = None, **told: Any) -> Pid:
    """Register what comes of a request as if something else had come of it, or been told of it."""
    request, reduced = made
    reduction = find_reduction(request.name)
    before = done(reduced.pid).model_copy(update=told)
    with open_catalog() as catalog:
        inputs = locate_inputs(request, reduction, catalog)
        outputs = reduction.run(inputs.open(), request.given, ThreadWorkers(1))
        place = DerivedPlace(inputs, settings.store_url())
        derived = Derived(request.name, place, change(outputs) if change else outputs)
        with recorded(catalog, "reduce", before.parameters) as activity:
            facts = {"used": before.used, "input_roots": before.input_roots}
            activity.note(**facts, environment=before.environment)
            begin(place, activity, ThreadWorkers(1))
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
    path = "/entry/data/I"
    near = altered(made, with_values(path, nudged(1)))
    found = jobs.reproduce(ReproduceRequest(pid=near))
    assert found.verdict == "within_1_ulp"
    assert found.largest_difference.path == path
    assert found.largest_difference.index == (3, 17)
    assert found.largest_difference.ulps == 1
    far = altered(made, with_values(path, nudged(2)))
    found = jobs.reproduce(ReproduceRequest(pid=far))
    assert found.verdict == "different"
    first = found.first_difference
    assert (first.path, first.index, first.ulps) == (path, (3, 17), 2)
    assert first.recorded > first.now


def test_another_file_or_another_count_is_a_difference(made):
    with_file = altered(made, lambda outputs: replace(outputs, files={"a.dat": b"1 2\n"}))
    found = jobs.reproduce(ReproduceRequest(pid=with_file))
    assert (found.verdict, found.first_difference.file) == ("different", "a.dat")
    path = "/entry/reduction/sums/signal"
    with_count = altered(made, with_values(path, lambda values: values + 1))
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
    whole = path.read_bytes()
    data = bytearray(whole)
    data[frames.pack_offset + 1000] ^= 1
    path.write_bytes(data)
    try:
        with pytest.raises(CorruptShardError) as caught:
            jobs.reproduce(ReproduceRequest(pid=reduced.pid))
    finally:
        path.write_bytes(whole)
    assert record.location in caught.value.where
    assert frames.key in caught.value.where


def test_an_input_with_another_root_is_named_with_both(made):
    request, reduced = made
    other = "blake3:" + "0" * 64
    pid = altered(made, input_roots=(other,))
    with pytest.raises(InputChangedError, match=other) as caught:
        jobs.reproduce(ReproduceRequest(pid=pid))
    assert done(reduced.pid).input_roots[0] in caught.value.message
    assert str(request.inputs[0][1]) in caught.value.where


def test_other_versions_are_told_beside_the_verdict(made):
    before = done(made[1].pid)
    packages = {**before.environment.packages, "numpy": "1.0.1"}
    then = before.environment.model_copy(update={"packages": packages, "python": "3.9.9"})
    parameters = {**before.parameters, "cpu": "pdp-11"}
    found = jobs.reproduce(
        ReproduceRequest(pid=altered(made, environment=then, parameters=parameters))
    )
    assert found.verdict == "identical"
    assert {each.name: each.recorded for each in found.versions} == {
        "cpu": "pdp-11", "numpy": "1.0.1", "python": "3.9.9",
    }  # fmt: skip
    assert all(each.now for each in found.versions)


def test_the_reductions_own_version_hides_no_number(made):
    path, own = "/entry/data/I", "/entry/reduction/version"
    older = with_values(own, lambda _: np.asarray("0"))
    parameters = {**done(made[1].pid).parameters, "version": "0"}
    found = jobs.reproduce(ReproduceRequest(pid=altered(made, older, parameters=parameters)))
    assert (found.verdict, found.left_out) == ("within_1_ulp", (own,))
    assert (found.first_difference, found.largest_difference) == (None, None)
    (version,) = found.versions
    assert (version.name, version.recorded) == ("reduction azimuthal", "0")

    def far(outputs: Outputs) -> Outputs:
        return with_values(path, nudged(2))(older(outputs))

    found = jobs.reproduce(ReproduceRequest(pid=altered(made, far, parameters=parameters)))
    assert (found.verdict, found.left_out) == ("different", (own,))
    assert found.first_difference.path == path


def test_an_ingest_is_not_replayed_and_says_so(made):
    request, _ = made
    with pytest.raises(NotReproducibleError, match="only reductions") as caught:
        jobs.reproduce(ReproduceRequest(pid=request.inputs[0][1]))
    assert "hsc verify" in caught.value.next_step
    with pytest.raises(DatasetNotFoundError):
        jobs.reproduce(ReproduceRequest(pid=Pid.generate("hsc.local")))


def test_nothing_is_left_unless_it_is_to_be_kept(made, shared, tmp_path):
    _, reduced = made
    before = {path for path in (shared.home / "store").rglob("*") if path.is_file()}
    with open_catalog() as catalog:
        known = catalog.search(make_query("", (), 9, None, {})).total
    jobs.reproduce(ReproduceRequest(pid=reduced.pid))
    kept = tmp_path / "kept"
    found = jobs.reproduce(ReproduceRequest(pid=reduced.pid, keep=str(kept)))
    assert open_version(Path(found.kept).as_uri()).manifest.root == reduced.root
    with open_catalog() as catalog:
        assert catalog.search(make_query("", (), 9, None, {})).total == known
    assert {path for path in (shared.home / "store").rglob("*") if path.is_file()} == before
    with pytest.raises(ConfigurationError, match="not empty"):
        jobs.reproduce(ReproduceRequest(pid=reduced.pid, keep=str(kept)))
