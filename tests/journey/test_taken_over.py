"""Whoever is overtaken in the midst of an ingest, no catalog is told of what is not whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import h5py
import numpy as np
import pytest

import hsc as python
from hsc.errors import IngestInProgressError
from hsc.model import Pid
from hsc.store import (
    CRATE_KEY,
    DirectoryObjects,
    abandon_version,
    add_scheme,
    drop_claims,
    give_up,
    open_objects,
    open_version,
    read_claim,
    take_over,
)
from hsc.testing import WatchedObjects

OTHER = "01JG000000000000000000000B"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a file with a stack of images, which becomes an object with a line in the journal."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        values = np.random.default_rng(1).integers(0, 2**16, (8, 300, 300), dtype="u2")
        file.create_dataset("stack", data=values, chunks=(1, 300, 300))
    return path


class Watched:
    """A store on which something happens, once, just before an object is put."""

    def __init__(self, folder: Path) -> None:
        self.objects = open_objects(folder.as_uri())
        self.put: list[str] = []
        self._due: list[tuple[str, Callable[[], None]]] = []

    def before(self, pattern: str, happens: Callable[[], None]) -> None:
        self._due.append((pattern, happens))

    def hear(self, when: str, what: str, key: str) -> None:
        if (when, what) != ("before", "put"):
            return
        for each in [due for due in self._due if fnmatchcase(key, due[0])]:
            self._due.remove(each)
            each[1]()
        self.put.append(key)


@pytest.fixture
def watched(hsc, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Let everything go to a watched store."""
    made = Watched(hsc.home / "store")

    def opened(url: str) -> WatchedObjects:
        return WatchedObjects(open_objects(url.partition("+")[2]), made.hear)

    add_scheme("watched+file", opened)
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    monkeypatch.setenv("HSC_STORE", f"watched+{(hsc.home / 'store').as_uri()}")
    return made


def _claim(watched: Watched):
    (key,) = watched.objects.keys(".claims")
    claim = read_claim(watched.objects, f"blake3:{key.removeprefix('.claims/')}")
    assert claim is not None
    return claim


def test_what_was_collected_under_an_ingest_is_not_committed(watched: Watched, source) -> None:
    def collected() -> None:
        claim = _claim(watched)
        given_up = give_up(watched.objects, claim, OTHER)
        assert given_up is not None
        assert abandon_version(watched.objects, claim.location)
        assert drop_claims(watched.objects, given_up, OTHER)

    watched.before("*/manifest", collected)
    with pytest.raises(IngestInProgressError):
        python.ingest(source)
    assert not [key for key in watched.objects.keys("") if key.endswith("/manifest")]
    assert python.search().total == 0
    made = python.ingest(source)
    assert made.existing is False
    assert [str(each.pid) for each in python.search().datasets] == [str(made.pid)]


def test_what_was_taken_over_and_is_whole_is_found_by_the_next(watched: Watched, source) -> None:
    def taken_over() -> None:
        claim = _claim(watched)
        assert take_over(watched.objects, claim, OTHER, claim.files_state)

    watched.before("*/manifest", taken_over)
    with pytest.raises(IngestInProgressError):
        python.ingest(source)
    assert python.search().total == 0
    assert python.ingest(source).existing is True
    assert python.search().total == 1


def test_who_takes_over_what_was_just_committed_writes_nothing(
    hsc, watched: Watched, source: Path
) -> None:
    url = (hsc.home / "store").as_uri()
    hsc.killed(("after", "put", "*/manifest"), "ingest", source, store=url)
    (key,) = [each for each in watched.objects.keys("") if each.endswith("/manifest")]
    manifest = watched.objects.get(key)
    watched.objects.delete(key)
    watched.before(".claims/*.1", lambda: watched.objects.put_new(key, manifest))
    assert python.ingest(source).existing is True
    assert {each.split("/")[0] for each in watched.put} == {".attempts", ".claims"}
    assert watched.objects.get(key) == manifest


def test_shards_that_another_release_made_count_no_more(hsc, source, monkeypatch) -> None:
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    hsc.killed(("before", "put", "*/manifest"), "ingest", source)
    (claim,) = (hsc.home / "store" / ".claims").iterdir()
    told = json.loads(claim.read_text(encoding="utf-8"))
    assert "numcodecs" in told["made_with"]
    claim.write_text(json.dumps({**told, "made_with": "hsc 0"}), encoding="utf-8")
    made = python.ingest(source)
    assert str(made.pid) != told["pid"]
    objects = DirectoryObjects(hsc.home / "store")
    assert not [key for key in objects.keys("") if key.startswith(told["location"])]


def test_the_crate_tells_the_bytes_of_what_was_committed(hsc, source, monkeypatch) -> None:
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    hsc.killed(("before", "put", "*/manifest"), "ingest", source, "--preview")
    made = python.ingest(source)
    with python.connect() as catalog:
        record = catalog.get(Pid.parse(str(made.pid)))
    entries = open_version(record.location).manifest.entries
    assert not [entry.key for entry in entries if entry.key.startswith("preview/")]
    assert record.bytes_out == sum(e.nbytes for e in entries if e.key != CRATE_KEY)
