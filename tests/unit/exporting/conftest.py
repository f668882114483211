"""Files that were taken in and written back, and taken in again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hsc.exporting import ExportedRun, export_run
from hsc.ingestion import commit_plan, make_plan, write_plan
from hsc.layouts import read_run
from hsc.model import Dataset, Kind, Pid
from hsc.reading import OpenedDataset, open_dataset
from hsc.workers import Silent, ThreadWorkers


@dataclass(frozen=True)
class Back:
    """What came back of a source."""

    source: Path
    """The file or folder."""
    dataset: OpenedDataset
    """What was taken in of it."""
    exported: ExportedRun
    """What was written."""

    @property
    def path(self) -> Path:
        """The file or folder that was written."""
        return self.exported.path


Keep = Callable[..., OpenedDataset]


@pytest.fixture
def keep(tmp_path_factory: pytest.TempPathFactory) -> Keep:
    """Take a file or a folder in."""

    def run(source: Path, policy: str = "strict") -> OpenedDataset:
        store, location = tmp_path_factory.mktemp("store"), "x/v1"
        plan = make_plan(read_run(source, layout=None, time_zone="UTC"), policy=policy)
        written = write_plan(
            plan, store.as_uri(), location, workers=ThreadWorkers(2), progress=Silent(),
            resumed=False, policy=policy,
        )  # fmt: skip
        manifest = commit_plan(plan, store.as_uri(), location, written.entries, written.gaps)
        record = Dataset(
            pid=Pid.generate("hsc.local"), kind=Kind.RAW, title="a run", facility="local",
            root=manifest.root, created="2026-11-22T10:00:00Z", layout="plain",
            location=(store / location).as_uri(), bytes_in=0, bytes_out=0,
        )  # fmt: skip
        return open_dataset(record)

    return run


@pytest.fixture
def there_and_back(keep: Keep, tmp_path: Path) -> Callable[..., Back]:
    """Take a source in and write it back, under its own name in a folder ``back``."""

    def run(source: Path, policy: str = "strict", **options: object) -> Back:
        dataset = keep(source, policy)
        (tmp_path / "back").mkdir(exist_ok=True)
        out = tmp_path / "back" / source.name
        return Back(source, dataset, export_run(dataset, out, **options))

    return run
