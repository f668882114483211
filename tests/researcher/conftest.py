"""What the full installation prepared (prepare.py), for the base installation to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prepared", type=Path, required=True, help="the folder of prepare.py")


@pytest.fixture
def source(request: pytest.FixtureRequest) -> Path:
    """Give the HDF5 file that was ingested."""
    return request.config.getoption("--prepared") / "source.h5"


@pytest.fixture
def pid(request: pytest.FixtureRequest) -> str:
    """Give the PID of the dataset that was made of it."""
    answer = json.loads((request.config.getoption("--prepared") / "ingested.json").read_bytes())
    return str(answer["datasets"][0]["pid"])


@pytest.fixture(autouse=True)
def home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point hsc at the prepared state directory; these tests only read it."""
    for name in list(os.environ):
        if name.startswith(("HSC_", "AWS_", "PREFECT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HSC_HOME", str(request.config.getoption("--prepared") / "home"))


@pytest.fixture
def expected_frames() -> np.ndarray:
    """Give the frames (frame, y, x), counts, that prepare.py wrote."""
    counts = np.arange(40 * 32 * 48, dtype="<u4") * 7 % 65521
    return counts.astype("<u2").reshape(40, 32, 48)


@pytest.fixture
def hsc_command() -> Callable[..., tuple[int, Any]]:
    """Give a function that runs ``hsc ... --json`` and gives its exit code and answer."""
    command = Path(sys.executable).with_name("hsc")

    def run(*arguments: str | Path) -> tuple[int, Any]:
        answer = subprocess.run(
            [command, *arguments, "--json"], stdout=subprocess.PIPE, check=False, timeout=120
        )
        return answer.returncode, json.loads(answer.stdout)

    return run
