"""Several ingests of one source at once, from homes of their own: one dataset, for all of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Ground:
    """What ingests from several homes share, and what each has for itself."""

    hsc: Any
    shared: dict[str, str]
    every: Callable[[], Iterable[str]]

    def environment(self, home: str) -> dict[str, str]:
        """Give the variables of a home."""
        state = self.hsc.home / home
        state.mkdir(exist_ok=True)
        return {**self.shared, "HSC_HOME": str(state)}

    def begin(self, source: Path, home: str, *words: str) -> subprocess.Popen[str]:
        """Begin an ingest in a home of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "hsc.cli.main", "ingest", str(source), "--json", *words],
            env=self.hsc.environment(self.environment(home)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def ingesting(self, source: Path, home: str, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Ingest in a home of its own for as long as the block runs."""
        with self.begin(source, home, *words) as running:
            try:
                yield running
            finally:
                running.kill()  # one that a failed test left stopped would never end

    def wait_for(self, running: subprocess.Popen[str], part: str) -> None:
        """Wait until an object whose key has a part is there."""
        end = time.monotonic() + _PATIENCE_S
        while not any(part in key for key in self.every()):
            assert running.poll() is None, "the ingest ended before it could be stopped"
            assert time.monotonic() < end, f"nothing with {part} was written"
            time.sleep(0.002)

    def manifests(self) -> list[str]:
        """Give the manifests in the store."""
        return [key for key in self.every() if key.endswith("/manifest")]

    def left(self) -> tuple[list[Any], list[Any]]:
        """Give what `hsc gc` finds."""
        found = self.hsc.json("gc", env=self.environment("one"))
        return found["remains"], found["running"]


@pytest.fixture(
    params=[
        "a directory",
        pytest.param("s3 and postgresql", marks=[pytest.mark.s3, pytest.mark.postgresql]),
    ]
)
def ground(request, hsc) -> Ground:
    """Give a store that all share: a directory with a catalog for each, or S3 and PostgreSQL."""
    if request.param == "a directory":
        return Ground(hsc, {"HSC_STORE": (hsc.home / "store").as_uri()}, hsc.objects)
    bucket, database = map(request.getfixturevalue, ("bucket", "database"))
    return Ground(hsc, {"HSC_STORE": bucket.url, "HSC_CATALOG": database}, bucket.keys)


def _told_to_wait(running: subprocess.Popen[str]) -> str:
    assert running.stderr is not None
    return running.stderr.readline()


def _result(running: subprocess.Popen[str]) -> dict[str, Any]:
    stdout, stderr = running.communicate(timeout=100)
    assert running.returncode == 0, stdout + stderr
    (made,) = json.loads(stdout)["datasets"]
    return dict(made)


def test_the_second_waits_and_gives_the_same_dataset(ground: Ground, source: Path) -> None:
    with ground.ingesting(source, "one") as first:
        ground.wait_for(first, "/c/")
        first.send_signal(signal.SIGSTOP)
        with ground.ingesting(source, "two") as second:
            said = _told_to_wait(second)
            first.send_signal(signal.SIGCONT)
            made, found = _result(first), _result(second)
    assert f"process {first.pid}" in said
    assert "waiting" in said
    assert (made["existing"], found["existing"]) == (False, True)
    assert (made["pid"], made["root"]) == (found["pid"], found["root"])
    assert len(ground.manifests()) == 1
    records = [
        ground.hsc.json("show", made["pid"], env=ground.environment(home))["record"]
        for home in ("one", "two")
    ]
    assert records[0] == records[1]


def test_the_second_takes_over_when_the_first_dies(ground: Ground, source: Path) -> None:
    with ground.ingesting(source, "one") as first:
        ground.wait_for(first, "/c/")
        first.send_signal(signal.SIGSTOP)
        with ground.ingesting(source, "two") as second:
            _told_to_wait(second)
            first.send_signal(signal.SIGKILL)
            first.wait()
            made = _result(second)
    assert made["existing"] is False
    assert len(ground.manifests()) == 1
    assert ground.left() == ([], [])


def test_waiting_ends_with_ctrl_c_and_at_its_limit(ground: Ground, source: Path) -> None:
    with ground.ingesting(source, "one") as first:
        ground.wait_for(first, "/c/")
        first.send_signal(signal.SIGSTOP)
        with ground.ingesting(source, "two") as second:
            _told_to_wait(second)
            second.send_signal(signal.SIGINT)
            second.communicate(timeout=60)
            assert second.returncode == 130
        with ground.ingesting(source, "three", "--max-wait", "0.5") as third:
            stdout, _ = third.communicate(timeout=60)
            assert third.returncode == 1
            assert json.loads(stdout)["error"] == "IngestInProgressError"
        first.send_signal(signal.SIGCONT)
        assert _result(first)["existing"] is False


def test_of_four_at_once_one_makes_it(ground: Ground, source: Path) -> None:
    running = [ground.begin(source, f"home {number}") for number in range(4)]
    made = [_result(each) for each in running]
    assert len({(each["pid"], each["root"]) for each in made}) == 1
    assert sorted(each["existing"] for each in made) == [False, True, True, True]
    assert len(ground.manifests()) == 1
    assert ground.left() == ([], [])
    found = ground.hsc.json("search", env=ground.environment("home 0"))
    assert [each["pid"] for each in found["datasets"]] == [made[0]["pid"]]
