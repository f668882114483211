"""Claims of long ingests are renewed; what somebody may still be at is never collected."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest

from hsc.errors import IngestInProgressError
from hsc.jobs import collect
from hsc.jobs.placing import Target
from hsc.jobs.renewing import Renewing
from hsc.jobs.waiting import Waiting
from hsc.model import Pid, canonical_json, now
from hsc.store import (
    ObjectStore,
    VersionWriter,
    digest_entry,
    give_up,
    holding,
    make_claim,
    open_objects,
    place_attempt,
    place_claim,
    read_attempt,
    read_claim,
)
from hsc.workers import Silent

SOURCE, LOCATION = "blake3:" + "ab" * 32, "a/b/v1"
PID = Pid.generate("hsc.local")


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return open_objects((tmp_path / "store").as_uri())


@pytest.fixture
def target(objects: ObjectStore) -> Target:
    claim = place_claim(objects, make_claim(SOURCE, PID, LOCATION, "one", "blake3:state"))
    assert claim is not None
    return Target(PID, 1, objects.url, LOCATION, claim)


def test_a_long_ingest_renews_its_claim_as_it_goes_on(objects: ObjectStore, target: Target):
    progress = Renewing(Silent(), target, every_s=0)
    progress.start("write", 3, "bytes")
    for _ in range(3):
        progress.advance(1)
    progress.finish()
    last = read_claim(objects, SOURCE)
    assert last is not None
    assert (last.turn, last.attempt, last.location) == (3, "one", LOCATION)
    assert last.made >= target.claim.made


def test_a_short_ingest_renews_nothing(objects: ObjectStore, target: Target):
    Renewing(Silent(), target).advance(1)
    assert read_claim(objects, SOURCE) == target.claim


def test_who_lost_its_claim_does_not_take_it_back(objects: ObjectStore, target: Target):
    given_up = give_up(objects, target.claim, "two")
    Renewing(Silent(), target, every_s=0).advance(1)
    assert read_claim(objects, SOURCE) == given_up


def test_waiting_has_an_end_and_says_who_is_waited_for(target: Target, caplog):
    waiting = Waiting("/data/a.h5", 0.1)
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        waiting.wait(target.claim)
    with pytest.raises(IngestInProgressError, match=str(PID)):
        waiting.wait(target.claim)
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"process {target.claim.process}" in said


def _left(objects: ObjectStore, activity: str) -> None:
    place_attempt(objects, "reduce", PID, 1, LOCATION, activity=activity)
    writer = VersionWriter(objects, LOCATION)
    writer.begin(["data.zarr/c"], ["data.zarr/zarr.json"])
    writer.put(digest_entry("data.zarr/c", b"x" * 2**20), b"x" * 2**20)
    writer.put_metadata({"data.zarr/zarr.json": b"{}"})


def test_what_is_being_made_is_shown_and_left_alone(objects: ObjectStore):
    with holding("one"):
        _left(objects, "one")
        there = objects.keys("")
        found = collect(objects.url, remove=True)
        assert (found.remains, len(found.running)) == ((), 1)
        assert objects.keys("") == there
    found = collect(objects.url, remove=True)
    assert found.running == ()
    (left,) = found.remains
    assert {*left.keys, ".attempts/0"} == set(there)
    assert left.bytes > 2**20
    assert objects.keys("") == [".attempts/0"]
    assert collect(objects.url).remains == ()


@pytest.mark.parametrize(("hours", "left"), [(11, 0), (13, 1)])
def test_the_attempt_of_another_machine_is_left_for_the_length_of_its_lease(
    objects: ObjectStore, hours: int, left: int
):
    _left(objects, "one")
    attempt = read_attempt(objects, 0)
    assert attempt is not None
    facts = {"host": "another machine", "made": now() - timedelta(hours=hours)}
    objects.delete(".attempts/0")
    objects.put_new(".attempts/0", canonical_json(attempt.model_copy(update=facts).document()))
    assert len(collect(objects.url).remains) == left


def test_a_line_that_cannot_be_read_is_named_and_the_rest_is_collected(objects: ObjectStore):
    objects.put_new(".attempts/0", b"{}")
    _left(objects, "one")
    found = collect(objects.url, remove=True)
    assert [each.path for each in found.skipped] == [".attempts/0"]
    assert len(found.remains) == 1
    assert json.loads(json.dumps(found.document()))["removed"] is False


def test_a_lost_line_of_the_log_is_named(objects):
    for name in ("a", "b", "c"):
        place_attempt(objects, "ingest", Pid.generate("hsc.local"), 1, f"{name}/v1", activity=name)
    objects.delete(".attempts/1")
    found = collect(objects.url)
    assert [each.path for each in found.skipped] == [".attempts/1"]
    assert found.attempts == 2
