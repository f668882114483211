"""Killed anywhere, an ingest goes on to the same root; `hsc gc` finds what nobody goes on with."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import hsc as python
from hsc import jobs
from hsc.store import open_objects, open_version
from hsc.testing import BioSaxsPair

POINTS = [
    (when, "put", pattern)
    for pattern in (
        ".attempts/*",
        ".claims/*",
        "*/.journal/plan",
        "*/stack_1/c/*",
        "*/.journal/[0-9a-f]*",
        "*/data.zarr/zarr.json",
        "*/ro-crate-metadata.json",
        "*/manifest",
    )
    for when in ("before", "after")
] + [("before", "delete", "*/.journal/[0-9a-f]*"), ("after", "delete", "*/.journal/plan")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file of three objects with a line in the journal each, and small ones."""
    path = tmp_path_factory.mktemp("source") / "source.h5"
    draw = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        for number in range(3):
            values = draw.integers(0, 2**32, (4, 300, 300), dtype="u4")
            file.create_dataset(f"stack_{number}", data=values, chunks=(1, 300, 300))
        for number in range(5):
            file[f"small/value_{number}"] = float(number)
    return path


@pytest.fixture(scope="module")
def undisturbed(shared, source: Path) -> dict[str, Any]:
    """Ingest it into a store of its own, undisturbed."""
    made: dict[str, Any] = shared.json("ingest", source)["datasets"][0]
    return made


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file of so many small arrays that they lie in packs."""
    path = tmp_path_factory.mktemp("many") / "many.h5"
    with h5py.File(path, "w") as file:
        for number in range(80):
            file[f"values/value_{number}"] = np.arange(number + 1)
    return path


@dataclass(frozen=True)
class Shelf:
    """A store, and all objects in it but its log."""

    url: str
    every: Callable[[], Iterable[str]]

    def objects(self) -> set[str]:
        return {key for key in self.every() if not key.startswith(".attempts/")}


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.s3)])
def shelf(request, hsc, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Give an empty store of each kind; commands and Python calls of this test work on it."""
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    if request.param == "s3":
        bucket = request.getfixturevalue("bucket")
        made = Shelf(bucket.url, bucket.keys)
    else:
        made = Shelf((hsc.home / "store").as_uri(), hsc.objects)
    monkeypatch.setenv("HSC_STORE", made.url)
    return made


def _die_at(hsc, shelf: Shelf, source: Path, point: tuple[str, str, str]) -> None:
    hsc.killed(point, "ingest", source, "--verify", "none", store=shelf.url)


def _die_in_time(hsc, shelf: Shelf, source: Path, seconds: float) -> None:
    words = [sys.executable, "-m", "hsc.cli.main", "ingest", str(source), "--verify", "none"]
    with subprocess.Popen(
        words, env=hsc.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        objects, end = open_objects(shelf.url), time.monotonic() + 60
        while running.poll() is None and objects.size(".attempts/0") is None:
            assert time.monotonic() < end
            time.sleep(0.002)
        time.sleep(seconds)
        running.kill()


def _finish(shelf: Shelf, source: Path, root: str) -> None:
    """Ingest again and collect: one dataset of that root and nothing beside it."""
    made = python.ingest(source)
    assert made.root == root
    jobs.collect(shelf.url, remove=True)
    assert _found(jobs.collect(shelf.url).document()) == _nothing(shelf)
    (dataset,) = python.search().datasets
    assert (dataset.pid, dataset.root) == (made.pid, root)
    folder = dataset.location.removeprefix(f"{shelf.url}/")
    entries = open_version(dataset.location).manifest.entries
    wanted = {f"{folder}/{e.key}" for e in entries if not e.absent and not e.packed}
    there = {key for key in shelf.objects() if not key.startswith(".claims/")}
    assert there == {*wanted, f"{folder}/manifest"}


def _found(document: dict[str, Any]) -> dict[str, Any]:
    """Give what was found, without how many attempts were looked at: a kill may need several."""
    assert document["attempts"] > 0
    return {name: value for name, value in document.items() if name != "attempts"}


def _nothing(shelf: Shelf) -> dict[str, Any]:
    found: dict[str, list[str]] = {name: [] for name in ("remains", "strays", "running", "skipped")}
    return {"store": shelf.url, "removed": False, **found}


def _id(point: tuple[str, str, str]) -> str:
    return "-".join(point[:2]) + point[2]


@pytest.mark.parametrize("point", POINTS, ids=_id)
def test_killed_at_a_named_point_it_is_all_named_and_goes_on_to_the_same_root(
    hsc, shelf: Shelf, source: Path, undisturbed, point: tuple[str, str, str]
) -> None:
    _die_at(hsc, shelf, source, point)
    there = shelf.objects()
    found = jobs.collect(shelf.url)
    named = {key for each in found.remains for key in each.keys} | set(found.strays)
    assert shelf.objects() == there, "it removed what it was only to list"
    if any(key.endswith("/manifest") for key in there):
        assert named == {key for key in there if "/.journal/" in key}
    else:
        assert named == there
    _finish(shelf, source, undisturbed["root"])


def test_killed_at_any_moment_it_goes_on_to_the_same_root(
    hsc, shelf: Shelf, source: Path, undisturbed, moment: int
) -> None:
    draw = random.Random(moment)
    for _ in range(draw.choice((1, 1, 2))):
        _die_in_time(hsc, shelf, source, draw.uniform(0, 0.4))
    _finish(shelf, source, undisturbed["root"])


@pytest.mark.parametrize("point", POINTS[3:12:2], ids=_id)
def test_what_nobody_goes_on_with_is_removed(
    hsc, shelf: Shelf, source: Path, point: tuple[str, str, str]
) -> None:
    _die_at(hsc, shelf, source, point)
    assert shelf.objects()
    removed = hsc.json("gc", "--remove")
    assert removed["removed"] is True
    assert [each["committed"] for each in removed["remains"]] == [False]
    assert shelf.objects() == set()
    assert _found(hsc.json("gc")) == _nothing(shelf)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("pattern", ["*/small.zip", "*/small-1.zip", "*/references.json"])
def test_killed_at_a_pack_it_is_all_named_and_goes_on_to_the_same_root(
    hsc, shared, shelf: Shelf, many: Path, when: str, pattern: str
) -> None:
    _die_at(hsc, shelf, many, (when, "put", pattern))
    found = jobs.collect(shelf.url)
    assert {key for each in found.remains for key in each.keys} == shelf.objects()
    _finish(shelf, many, shared.json("ingest", many)["datasets"][0]["root"])


@pytest.mark.parametrize("pattern", ["*/manifest"])
def test_a_reduction_that_was_killed_leaves_nothing_that_is_not_collected(
    shared, pair: BioSaxsPair, pattern: str
) -> None:
    pid = shared.json("ingest", pair.buffer)["datasets"][0]["pid"]
    made = shared.json("reduce", "azimuthal", pid)
    before = set(shared.objects())
    shared.killed(("before", "put", pattern), "reduce", "azimuthal", pid)
    (*found,) = shared.json("gc", "--remove")["remains"]
    assert {each["kind"] for each in found} <= {"reduce"}
    assert set(shared.objects()) == before
    assert shared.json("reduce", "azimuthal", pid)["root"] == made["root"]
