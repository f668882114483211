"""The doctor tries out what a store can do, says what that allows, and leaves nothing behind."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from servers.fixtures import Bucket
from servers.recording import RecordingServer

from hsc.errors import ConfigurationError
from hsc.jobs import StoreReport, examine_store
from hsc.store import add_scheme, open_objects
from hsc.testing.stores import WriteOnceObjects, open_write_once


class Careless(WriteOnceObjects):
    """A store that overwrites, as servers do that take no notice of If-None-Match."""

    def put_new(self, key: str, data: bytes | bytearray | memoryview) -> None:
        self.delete(key)
        super().put_new(key, data)

    def delete(self, key: str) -> None:
        self._inner.delete(key)


def able(report: StoreReport) -> dict[str, bool | None]:
    return {each.name: each.able for each in report.checks}


def test_a_directory_takes_ingests_and_is_left_as_it_was(tmp_path: Path) -> None:
    url = (tmp_path / "deep" / "store").as_uri()
    report = examine_store(url)
    assert report.ingest
    assert "several ingests at once" in report.allows[0]
    assert able(report)["refuses to overwrite"]
    assert able(report)["has room"]
    assert not list(tmp_path.iterdir())
    open_objects(url).put_new("a", b"1")
    examine_store(url)
    assert open_objects(url).keys("") == ["a"]
    assert not (tmp_path / "deep" / "store" / ".doctor").exists()


def test_memory_is_no_place_for_an_ingest() -> None:
    url = f"memory://{secrets.token_hex(6)}"
    report = examine_store(url)
    assert not report.ingest
    assert "stays" in report.next
    assert open_objects(url).keys("") == []


def test_a_bucket_of_ceph_is_told_as_it_is(bucket: Bucket) -> None:
    report = examine_store(f"{bucket.url}/store")
    assert report.ingest
    told = able(report)
    for name in ("of many writers one wins", "keeps `dir` beside `dir/file`", "gives ranges",
                 "copies inside", "has the right time", "removes"):  # fmt: skip
        assert told[name], name
    found = {each.name: each.found for each in report.checks}
    assert "without quotes" in found["overwrites only what is known (If-Match)"]
    assert "Content-MD5" in found["refuses bytes with another checksum"]
    assert "SHA-256" not in found["refuses bytes with another checksum"]
    assert bucket.keys() == []


def test_a_store_that_overwrites_takes_no_ingest(tmp_path: Path) -> None:
    add_scheme("careless+file", lambda url: Careless(open_objects(url.partition("+")[2])))
    report = examine_store(f"careless+{tmp_path.as_uri()}")
    assert not report.ingest
    assert able(report)["refuses to overwrite"] is False
    assert "If-None-Match" in report.next


def test_a_write_once_store_takes_ingests_and_keeps_the_rest(tmp_path: Path) -> None:
    add_scheme("writeonce+file", open_write_once)
    report = examine_store(f"writeonce+{tmp_path.as_uri()}")
    assert report.ingest
    assert able(report)["removes"] is False
    assert "write-once" in " ".join(report.allows)


def test_what_can_only_be_read_is_a_finding_and_no_error() -> None:
    with RecordingServer() as web:
        report = examine_store(f"{web.origin}/x")
    assert not report.ingest
    assert "read only" in report.checks[0].found
    assert report.next


def test_an_unknown_scheme_is_an_error() -> None:
    with pytest.raises(ConfigurationError):
        examine_store("nosuch://x")
