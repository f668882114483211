"""A run that was taken in, to be copied, fetched and looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import hsc as python
from hsc import jobs
from hsc.model import Pid, ReplicaState
from hsc.testing.contracts import example_activity

FRAMES = np.random.default_rng(8).integers(0, 2**16, (6, 300, 300), dtype="u2")
COMMAND = [sys.executable, "-m", "hsc.cli.main"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state directory that the tests of one file share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test work there."""
    monkeypatch.setenv("HSC_HOME", str(home))


@dataclass(frozen=True)
class Made:
    """A run that was taken in."""

    pid: Pid
    source: Path
    folder: Path
    frames: np.ndarray

    def replicate(self, store: str, **facts: Any) -> jobs.Replication:
        request = jobs.ReplicateRequest(pid=self.pid, store=store, workers=2, **facts)
        return jobs.replicate(request)

    def fetch(self, folder: Path, *select: str) -> jobs.Fetched:
        request = jobs.FetchRequest(pid=self.pid, folder=str(folder), select=select, workers=2)
        return jobs.fetch(request)

    def paths(self) -> list[str]:
        """List its arrays."""
        with python.connect() as catalog:
            return [array.path for array in catalog.get(self.pid).arrays]

    def forget_replicas(self) -> None:
        """Let the catalog know of no other place than the first."""
        with python.connect() as catalog:
            for number, each in enumerate(catalog.replicas(self.pid)):
                state = ReplicaState.GONE if number else ReplicaState.ONLINE
                stands = each.model_copy(update={"state": state})
                catalog.register_replica(self.pid, stands, example_activity())

    def files(self, folder: Path | None = None) -> dict[str, bytes]:
        """Give all files of its folder or of a copy, but those that only a copy has."""
        root = folder or self.folder
        found = {str(p.relative_to(root)): p for p in root.rglob("*") if p.is_file()}
        only = ("manifest.b3", ".fetched.json")
        return {name: path.read_bytes() for name, path in found.items() if name not in only}

    def stacks(self, tree: Any) -> list[Any]:
        """Give the stacks of an opened tree."""
        every = (array for node in tree.subtree for array in node.data_vars.values())
        return [array for array in every if array.ndim == 3]


@pytest.fixture(scope="module")
def run_in(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Take in a run's folder: two stacks, a scalar, an odd name, a script."""
    run = tmp_path_factory.mktemp("source") / "run"
    (run / "notes").mkdir(parents=True)
    with h5py.File(run / "a.h5", "w") as file:
        for name in ("first", "second"):
            file.create_dataset(
                f"entry/{name}/data", data=FRAMES, chunks=(1, 300, 300), compression="gzip"
            )
        file["entry/title"] = "a title"
        file["entry/..odd"] = np.arange(5)
    (run / "notes/script.py").write_text("print(1)\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSC_HOME", str(home))
        done = python.ingest(run, verify="none")
        with python.connect() as catalog:
            location = catalog.get(done.pid).location
    return Made(done.pid, run, Path(location.removeprefix("file://")), FRAMES)


@pytest.fixture
def made(run_in: Made) -> Made:
    """Give the run; the catalog knows of no other place than the first."""
    run_in.forget_replicas()
    return run_in


@pytest.fixture
def command(home: Path) -> Callable[..., Any]:
    """Give a function that runs ``hsc ...``; with ``--json`` it gives the document."""

    def run(*words: object) -> Any:
        done = subprocess.run(
            [*COMMAND, *map(str, words)], env={**os.environ, "HSC_HOME": str(home)},
            capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return run


@pytest.fixture
def kill_when_begun(home: Path) -> Callable[..., None]:
    """Give a function that runs a command and kills it as soon as a shard lies in a folder."""

    def run(folder: Path, *words: object) -> None:
        with subprocess.Popen(
            [*COMMAND, *map(str, words)], env={**os.environ, "HSC_HOME": str(home)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as running:  # fmt: skip
            end = time.monotonic() + 60
            while not any(folder.rglob("c/0/0/0")) and running.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.01)
            running.kill()
        assert running.returncode < 0

    return run
