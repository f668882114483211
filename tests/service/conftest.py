"""One local deployment for the session, and programs that use it as a user's own would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import httpx
import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent
LOCAL = FOLDER.parents[1] / "deploy" / "local" / "local.py"

Finished = subprocess.CompletedProcess[str]


def _run(*command: str | Path, environment: dict[str, str]) -> Finished:
    # What a program leaves open shows on its stderr.
    return subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=environment,
    )


@dataclass(frozen=True)
class Local:
    """The program ``local.py`` on one state folder."""

    state: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def __call__(self, command: str, *options: str) -> Finished:
        return _run(LOCAL, command, "--state", self.state, *options, environment=self.environment)

    def answer(self, command: str, *options: str) -> dict[str, Any]:
        return json.loads(self(command, "--json", *options).stdout)


@dataclass(frozen=True)
class Served:
    """The session's deployment."""

    local: Local
    home: Path
    api_url: str
    first_answer: dict[str, Any]

    def run(self, program: str, *arguments: str | Path, **changes: str) -> Finished:
        """Run one of ``programs/`` as somebody who exported PREFECT_API_URL."""
        environment = {**self.local.environment, "PREFECT_API_URL": self.api_url, **changes}
        return _run(FOLDER / "programs" / program, *arguments, environment=environment)

    def get(self, path: str) -> Any:
        """Ask the server."""
        return httpx.get(f"{self.api_url}{path}", trust_env=False).raise_for_status().json()

    def find(self, what: str, query: dict[str, Any]) -> Any:
        """Ask the server for all that matches."""
        answer = httpx.post(f"{self.api_url}/{what}/filter", json=query, trust_env=False)
        return answer.raise_for_status().json()

    @property
    def catalog(self) -> str:
        """URL of the catalog that its flows write to."""
        return f"sqlite:///{self.home / 'catalog.sqlite'}"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a running server with both flows served; it ends with the session."""
    folder = tmp_path_factory.mktemp("served")
    home = folder / "home"
    local = Local(folder / "state", {**os.environ, "HSC_HOME": str(home)})
    up = local("up", "--json")
    assert up.returncode == 0, up.stdout + up.stderr
    answer = json.loads(up.stdout)
    yield Served(local, home, answer["api_url"], answer)
    down = local("down")
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """Give ``local.py`` on a state folder of the test's own; what it started ends with the test."""
    own = Local(tmp_path / "state")
    yield own
    own("down")


@pytest.fixture(scope="session")
def program() -> Callable[..., Finished]:
    """Give a way to run one of ``programs/`` in a given environment."""

    def run_program(name: str, *arguments: str, environment: dict[str, str]) -> Finished:
        return _run(FOLDER / "programs" / name, *arguments, environment=environment)

    return run_program


@pytest.fixture
def plain_file(tmp_path: Path) -> Path:
    """Give a small HDF5 file of no layout in particular, unlike any other test's."""
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["entry/counts"] = np.arange(600, dtype="u4").reshape(3, 10, 20)
        file.attrs["written_by"] = str(tmp_path)
    return path
