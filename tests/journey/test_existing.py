"""What is there already is found without reading more than it takes to be sure."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from hsc import jobs


class Heard:
    """Hears which stages of work there were."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def start(self, stage: str, total: int, unit: str) -> None:
        """Begin a stage."""
        self.stages.append(stage)

    def advance(self, amount: int) -> None:
        """Go on."""

    def finish(self) -> None:
        """End a stage."""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Give a file that is too large to be hashed whole."""
    path = tmp_path / "large.h5"
    with h5py.File(path, "w") as file:
        draw = np.random.default_rng(4)
        for number in range(9):
            file[f"stack_{number}"] = draw.integers(0, 2**32, (8, 500, 500), dtype="u4")
    assert path.stat().st_size > 64 * 2**20
    return path


def _ingest(path: Path) -> tuple[jobs.IngestedDataset, list[str]]:
    heard = Heard()
    report = jobs.ingest(jobs.IngestRequest(paths=(str(path),), verify="none"), progress=heard)
    assert report.errors == ()
    return report.datasets[0], heard.stages


def test_a_large_file_that_nobody_wrote_to_is_not_read_again(large: Path) -> None:
    made, stages = _ingest(large)
    assert "write" in stages
    again, stages = _ingest(large)
    assert (again.pid, again.existing, stages) == (made.pid, True, [])
    os.utime(large)  # now nobody can know without looking
    again, stages = _ingest(large)
    assert (again.pid, again.existing) == (made.pid, True)
    assert stages
    assert "write" not in stages
