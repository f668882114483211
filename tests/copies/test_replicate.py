"""Replicas in other stores: whole, checked, registered, resumable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hsc as python
from hsc import jobs
from hsc.errors import (
    ArchivedError,
    ConflictError,
    CorruptShardError,
)
from hsc.model import Replica, ReplicaState, now
from hsc.store import CopiesFrom, Manifest, open_objects
from hsc.testing.contracts import example_activity


@pytest.fixture(params=["directory", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def store(request, tmp_path: Path) -> str:
    """Give an empty store of each kind."""
    if request.param == "s3":
        return str(request.getfixturevalue("bucket").url)
    if request.param == "memory":
        return f"memory://{tmp_path.name}"
    return (tmp_path / "far").as_uri()


def test_a_replica_is_the_same_bytes_registered_and_made_once(made, store: str) -> None:
    done = made.replicate(store, verify=True)
    assert (done.pid, done.existing, done.kept) == (made.pid, False, 0)
    original = made.files()
    there = open_objects(done.location)
    assert {key: there.get(key) for key in original} == original
    assert there.size(".journal/plan") is None
    with python.connect() as catalog:
        stands = {each.location: each for each in catalog.replicas(made.pid)}
        assert stands[done.location].state is ReplicaState.ONLINE
        assert stands[done.location].verified is not None
        assert stands[done.location].activity == catalog.activities(limit=1)[0].id
    again = made.replicate(store)
    assert (again.existing, again.objects, again.bytes) == (True, 0, 0)
    assert not jobs.verify(jobs.VerifyRequest(pid=made.pid, replica=done.location)).damaged
    assert not jobs.collect(store).remains


def test_a_lost_catalog_is_told_of_replicas_by_their_stores(made, tmp_path: Path) -> None:
    far = made.replicate((tmp_path / "far").as_uri()).location
    with python.connect(f"sqlite:///{tmp_path}/new.sqlite") as catalog:
        for store in (str(made.folder.parents[5].as_uri()), (tmp_path / "far").as_uri()):
            assert not jobs.rebuild(store, catalog).skipped
        here = [each.location for each in catalog.replicas(made.pid)]
    assert here == [made.folder.as_uri(), far]


def test_the_same_source_ingested_where_a_replica_lies_is_that_dataset(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = (tmp_path / "far").as_uri()
    made.replicate(store)
    monkeypatch.setenv("HSC_HOME", str(tmp_path / "another home"))
    monkeypatch.setenv("HSC_STORE", store)
    found = python.ingest(made.source)
    assert (found.pid, found.existing) == (made.pid, True)


def test_what_is_damaged_at_one_place_comes_from_another(made, tmp_path: Path) -> None:
    first = made.replicate((tmp_path / "one").as_uri())
    shard = next(p for p in made.folder.rglob("c/0/0/0"))
    kept = shard.read_bytes()
    shard.write_bytes(kept[::-1])
    try:
        second = made.replicate((tmp_path / "two").as_uri())
        name = shard.relative_to(made.folder)
        assert (Path(second.location.removeprefix("file://")) / name).read_bytes() == kept
        assert made.fetch(tmp_path / "home").bytes > len(kept)
        tree = python.open(made.pid)
        values = [node.values for node in made.stacks(tree)]
        assert all(np.array_equal(each, made.frames) for each in values)
        made.forget_replicas()
        with pytest.raises(CorruptShardError, match="not the"):
            made.replicate((tmp_path / "three").as_uri())
        assert not list((tmp_path / "three").rglob("manifest"))
    finally:
        shard.write_bytes(kept)
    assert first.root == second.root


def test_another_version_in_its_place_is_left_alone(made, tmp_path: Path) -> None:
    done = made.replicate((tmp_path / "far").as_uri())
    path = Path(done.location.removeprefix("file://")) / "manifest"
    other = Manifest(root="blake3:" + "0" * 64, entries=()).encode()
    path.unlink()
    path.write_bytes(other)
    with pytest.raises(ConflictError, match="another version"):
        made.replicate((tmp_path / "far").as_uri())
    assert path.read_bytes() == other


def test_killed_a_replicate_is_named_by_gc_and_goes_on(
    made, kill_when_begun, tmp_path: Path
) -> None:
    far = tmp_path / "far"
    kill_when_begun(far, "replicate", made.pid, far, "--max-rate", "400kB/s")
    (left,) = jobs.collect(far.as_uri()).remains
    assert (left.kind, left.committed) == ("replicate", False)
    there = {str(p.relative_to(far)) for p in far.rglob("*") if p.is_file()}
    assert there == {*left.keys, ".attempts/0"} | {k for k in there if k.startswith(".tmp/")}
    done = made.replicate(far.as_uri())
    assert done.kept >= 1
    assert made.files(Path(done.location.removeprefix("file://"))) == made.files()
    jobs.collect(far.as_uri(), remove=True)
    assert not jobs.collect(far.as_uri()).remains


def test_an_archived_replica_is_passed_over_and_alone_says_how_to_ask(made) -> None:
    with python.connect() as catalog:
        (first, *_) = catalog.replicas(made.pid)
        cold = first.model_copy(update={"state": ReplicaState.ARCHIVED})
        catalog.register_replica(made.pid, cold, example_activity())
        with pytest.raises(ArchivedError, match="ask the operators"):
            jobs.locate(catalog, made.pid)
        warm = Replica(location="file:///far/away/v1", since=now())
        catalog.register_replica(made.pid, warm, example_activity())
        assert jobs.locate(catalog, made.pid).locations == (warm.location,)
        catalog.register_replica(made.pid, first, example_activity())


@pytest.mark.s3
def test_one_server_copies_by_itself_and_what_it_copied_is_looked_at(
    made, bucket, tmp_path: Path
) -> None:
    far = made.replicate(f"{bucket.url}/one").location
    one, two = open_objects(far), open_objects(f"{bucket.url}/two")
    key = next(key for key in made.files() if key.endswith("c/0/0/0"))
    data = one.get(key)
    assert isinstance(two, CopiesFrom)
    assert two.copy_from(one, key, "copy", len(data))
    assert two.get("copy") == data
    assert not two.copy_from(open_objects(tmp_path.as_uri()), key, "other", len(data))
    _prefer(made, far)
    done = made.replicate(f"{bucket.url}/three")
    there = open_objects(done.location)
    assert {name: there.get(name) for name in made.files()} == made.files()
    one.delete(key)
    one.put_new(key, data[::-1])
    mended = open_objects(made.replicate(f"{bucket.url}/four").location)
    assert mended.get(key) == data
    made.forget_replicas()


def _prefer(made, location: str) -> None:
    """Let the catalog hold the first replica for damaged, so that another is read before it."""
    with python.connect() as catalog:
        first, *_ = catalog.replicas(made.pid)
        damaged = first.model_copy(update={"state": ReplicaState.DAMAGED})
        catalog.register_replica(made.pid, damaged, example_activity())
        assert jobs.locate(catalog, made.pid).locations[0] == location
