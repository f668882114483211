"""Killed anywhere, an ingest goes on to the same root; `hsc gc` finds what nobody goes on with."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import hsc as python
from hsc import jobs
from hsc.store import open_version

PROGRAM = Path(__file__).parent / "killed_program.py"
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


def _die_at(hsc, source: Path, point: tuple[str, str, str]) -> None:
    store = f"watched+{(hsc.home / 'store').as_uri()}"
    done = subprocess.run(
        [sys.executable, PROGRAM, "ingest", source, "--verify", "none"],
        env=hsc.environment({"HSC_STORE": store, "DIE_AT": " ".join(point)}),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, f"{point} was never reached: {done.stderr}"


def _die_in_time(hsc, source: Path, seconds: float) -> None:
    words = [sys.executable, "-m", "hsc.cli.main", "ingest", str(source), "--verify", "none"]
    with subprocess.Popen(
        words, env=hsc.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        end = time.monotonic() + 60
        while running.poll() is None and not (hsc.home / "store").exists():
            assert time.monotonic() < end
            time.sleep(0.001)
        time.sleep(seconds)
        running.kill()


def _finish(hsc, source: Path, root: str, monkeypatch) -> None:
    """Ingest again and collect: one dataset of that root and nothing beside it."""
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    made = python.ingest(source)
    assert made.root == root
    store = (hsc.home / "store").as_uri()
    jobs.collect(store, remove=True)
    assert jobs.collect(store).document() == _nothing(store)
    (dataset,) = python.search().datasets
    assert (dataset.pid, dataset.root) == (made.pid, root)
    folder = dataset.location.removeprefix(f"{store}/")
    entries = open_version(dataset.location).manifest.entries
    wanted = {f"{folder}/{e.key}" for e in entries if not e.absent and not e.packed}
    there = {key for key in hsc.objects() if not key.startswith(".claims/")}
    assert there == {*wanted, f"{folder}/manifest"}


def _nothing(store: str) -> dict[str, Any]:
    return {
        "store": store,
        "removed": False,
        "remains": [],
        "strays": [],
        "running": [],
        "skipped": [],
    }


@pytest.mark.parametrize("point", POINTS, ids=lambda point: "-".join(point[:2]) + point[2])
def test_killed_at_a_named_point_it_is_all_named_and_goes_on_to_the_same_root(
    hsc, source: Path, undisturbed, point: tuple[str, str, str], monkeypatch
) -> None:
    _die_at(hsc, source, point)
    there = set(hsc.objects())
    found = jobs.collect((hsc.home / "store").as_uri())
    named = {key for each in found.remains for key in each.keys} | set(found.strays)
    assert set(hsc.objects()) == there, "it removed what it was only to list"
    if any(key.endswith("/manifest") for key in there):
        assert named == {key for key in there if "/.journal/" in key}
    else:
        assert named == there
    _finish(hsc, source, undisturbed["root"], monkeypatch)


def test_killed_at_any_moment_it_goes_on_to_the_same_root(
    hsc, source: Path, undisturbed, moment: int, monkeypatch
) -> None:
    draw = random.Random(moment)
    for _ in range(draw.choice((1, 1, 2))):
        _die_in_time(hsc, source, draw.uniform(0, 0.25))
    _finish(hsc, source, undisturbed["root"], monkeypatch)


@pytest.mark.parametrize("point", POINTS[3:12:2], ids=lambda point: "-".join(point[:2]) + point[2])
def test_what_nobody_goes_on_with_is_removed(
    hsc, source: Path, point: tuple[str, str, str], monkeypatch
) -> None:
    _die_at(hsc, source, point)
    assert hsc.objects()
    removed = hsc.json("gc", "--remove")
    assert removed["removed"] is True
    assert [each["committed"] for each in removed["remains"]] == [False]
    assert hsc.objects() == []
    listed = hsc.json("gc")
    assert listed == _nothing(listed["store"])
