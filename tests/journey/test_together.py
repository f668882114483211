"""Several ingests of one source at once, from homes of their own: one dataset, for all of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

_PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file of some objects that are made one after the other."""
    path = tmp_path_factory.mktemp("source") / "source.h5"
    draw = np.random.default_rng(5)
    with h5py.File(path, "w") as file:
        for number in range(10):
            values = draw.integers(0, 2**32, (8, 400, 400), dtype="u4")
            file.create_dataset(f"stack_{number}", data=values, chunks=(1, 400, 400))
    return path


@pytest.fixture
def begin(tmp_path: Path, hsc, source: Path) -> Callable[..., subprocess.Popen[str]]:
    """Give what begins an ingest in a home of its own, on the store that all share."""

    def start(home: str, *words: str) -> subprocess.Popen[str]:
        state = tmp_path / home
        state.mkdir()
        store = (hsc.home / "store").as_uri()
        return subprocess.Popen(
            [sys.executable, "-m", "hsc.cli.main", "ingest", str(source), "--json", *words],
            env=hsc.environment({"HSC_HOME": str(state), "HSC_STORE": store}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def _wait_for(hsc, running: subprocess.Popen[str], part: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not any(part in key for key in hsc.objects()):
        assert running.poll() is None, "the ingest ended before it could be stopped"
        assert time.monotonic() < end, f"nothing with {part} was written"
        time.sleep(0.002)


def _told_to_wait(running: subprocess.Popen[str]) -> str:
    assert running.stderr is not None
    return running.stderr.readline()


def _result(running: subprocess.Popen[str]) -> dict[str, Any]:
    stdout, stderr = running.communicate(timeout=100)
    assert running.returncode == 0, stdout + stderr
    (made,) = json.loads(stdout)["datasets"]
    return dict(made)


def _manifests(hsc) -> list[str]:
    return [key for key in hsc.objects() if key.endswith("/manifest")]


def test_the_second_waits_and_gives_the_same_dataset(hsc, begin, tmp_path: Path) -> None:
    with begin("one") as first:
        _wait_for(hsc, first, "/c/")
        first.send_signal(signal.SIGSTOP)
        with begin("two") as second:
            said = _told_to_wait(second)
            first.send_signal(signal.SIGCONT)
            made, found = _result(first), _result(second)
    assert f"process {first.pid}" in said
    assert "waiting" in said
    assert (made["existing"], found["existing"]) == (False, True)
    assert (made["pid"], made["root"]) == (found["pid"], found["root"])
    assert len(_manifests(hsc)) == 1
    store = {"HSC_STORE": (hsc.home / "store").as_uri()}
    records = [
        hsc.json("show", made["pid"], env={**store, "HSC_HOME": str(tmp_path / home)})["record"]
        for home in ("one", "two")
    ]
    assert records[0] == records[1]


def test_the_second_takes_over_when_the_first_dies(hsc, begin) -> None:
    with begin("one") as first:
        _wait_for(hsc, first, "/c/")
        first.send_signal(signal.SIGSTOP)
        with begin("two") as second:
            _told_to_wait(second)
            first.send_signal(signal.SIGKILL)
            first.wait()
            made = _result(second)
    assert made["existing"] is False
    assert len(_manifests(hsc)) == 1
    assert hsc.json("gc")["remains"] == []


def test_waiting_ends_with_ctrl_c_and_at_its_limit(hsc, begin) -> None:
    with begin("one") as first:
        _wait_for(hsc, first, "/c/")
        first.send_signal(signal.SIGSTOP)
        with begin("two") as second:
            _told_to_wait(second)
            second.send_signal(signal.SIGINT)
            second.communicate(timeout=60)
            assert second.returncode == 130
        with begin("three", "--max-wait", "0.5") as third:
            stdout, _ = third.communicate(timeout=60)
            assert third.returncode == 1
            assert json.loads(stdout)["error"] == "IngestInProgressError"
        first.send_signal(signal.SIGCONT)
        assert _result(first)["existing"] is False


def test_of_four_at_once_one_makes_it(hsc, begin) -> None:
    running = [begin(f"home {number}") for number in range(4)]
    made = [_result(each) for each in running]
    assert len({(each["pid"], each["root"]) for each in made}) == 1
    assert sorted(each["existing"] for each in made) == [False, True, True, True]
    assert len(_manifests(hsc)) == 1
    left = hsc.json("gc")
    assert (left["remains"], left["running"]) == ([], [])
