"""A run that grew becomes the next version; what it was before stays what it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import hsc as python
from hsc import jobs
from hsc.errors import DatasetNotFoundError
from hsc.store import open_objects, open_version


@pytest.fixture
def home(hsc, monkeypatch: pytest.MonkeyPatch):
    """Let Python calls work in the command's state directory."""
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    return hsc


@pytest.fixture
def late(make_run, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Give a run's master file, its last data file, and that file's place while it is not there."""
    master = make_run(frames=7, frames_per_file=3)
    folder = tmp_path / "run"
    shutil.copytree(master.parent, folder)
    last = sorted(folder.glob("*data*"))[-1]
    away = tmp_path / "away"
    last.rename(away)
    return folder / master.name, last, away


def _frames(pid: object) -> np.ndarray:
    values: np.ndarray = python.open(str(pid))["entry/data/data"].to_numpy()
    return values


def test_a_late_file_makes_the_next_version_and_the_earlier_stays(home, late) -> None:
    master, last, away = late
    first = python.ingest(master, policy="quarantine")
    away.rename(last)
    second = python.ingest(master)
    assert (second.pid, second.version, second.existing) == (first.pid, 2, False)
    assert second.root != first.root
    assert second.gaps == ()
    before, after = _frames(f"{first.pid}@1"), _frames(f"{first.pid}@2")
    assert (len(before), len(after)) == (6, 7)
    np.testing.assert_array_equal(before, after[:6])
    np.testing.assert_array_equal(_frames(first.pid), after)
    (shown,) = python.search().datasets
    assert (shown.pid, shown.version) == (first.pid, 2)
    assert shown.location.endswith(f"/{first.pid.ulid}/v2")
    last.rename(away)
    again = python.ingest(master, policy="quarantine")
    assert (again.pid, again.version, again.existing) == (first.pid, 1, True)
    away.rename(last)
    assert python.ingest(master).version == 2
    assert "version 2 was there already" in home("ingest", master).stdout
    with pytest.raises(DatasetNotFoundError):
        python.open(f"{first.pid}@3")


def test_a_reduction_of_the_earlier_version_tells_of_its_gaps_and_of_the_newer_one(
    home, late
) -> None:
    master, last, away = late
    first = python.ingest(master, policy="quarantine")
    away.rename(last)
    python.ingest(master)
    made = python.reduce("statistics", f"{first.pid}@1")
    gaps, newer = made.results["warnings"]
    assert gaps.startswith(f"{first.pid}@1 has gaps: /: missing in the run: 1 of 3 data files")
    assert gaps.endswith(" and 1 more")
    assert newer == f"of {first.pid}@1 there is a newer version, {first.pid}@2"
    assert made.results["frames"] == 6
    assert "warnings" not in python.reduce("statistics", f"{first.pid}@2").results


def test_the_grown_run_has_the_root_that_it_has_anywhere(home, shared, late) -> None:
    master, last, away = late
    python.ingest(master, policy="quarantine")
    away.rename(last)
    alone = shared.json("ingest", master)["datasets"][0]
    assert alone["version"] == 1
    assert python.ingest(master).root == alone["root"]


def test_a_run_with_a_changed_file_is_a_dataset_of_its_own(home, late) -> None:
    master, last, away = late
    first = python.ingest(master, policy="quarantine")
    away.rename(last)
    with sorted(master.parent.glob("*data*"))[0].open("r+b") as file:
        file.seek(-1, 2)
        byte = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([byte[0] ^ 1]))
    other = python.ingest(master, policy="quarantine", verify="none")
    assert other.pid != first.pid
    assert other.version == 1


def test_killed_while_it_grew_it_goes_on_as_the_same_version(home, late) -> None:
    master, last, away = late
    first = python.ingest(master, policy="quarantine")
    away.rename(last)
    for pattern in (".claims/run-*", "*/v2*/.journal/plan", "*/v2*/ro-crate-metadata.json"):
        home.killed(("after", "put", pattern), "ingest", master)
    assert {each.version for each in jobs.collect(_store(home)).remains} <= {1, 2}
    second = python.ingest(master)
    assert (second.pid, second.version) == (first.pid, 2)
    jobs.collect(_store(home), remove=True)
    assert jobs.collect(_store(home)).remains == ()
    version = open_version(python.search().datasets[0].location)
    version.check_present()


def test_killed_while_it_grew_and_collected_it_grows_all_the_same(home, late) -> None:
    master, last, away = late
    first = python.ingest(master, policy="quarantine")
    kept = set(home.objects())
    away.rename(last)
    home.killed(("after", "put", "*/v2/ro-crate-metadata.json"), "ingest", master)
    (left,) = jobs.collect(_store(home), remove=True).remains
    assert (left.pid, left.version) == (first.pid, 2)
    assert set(home.objects()) == kept
    second = python.ingest(master)
    assert (second.pid, second.version) == (first.pid, 2)


def test_a_rebuilt_catalog_has_both_versions(home, late, tmp_path: Path) -> None:
    master, last, away = late
    first = python.ingest(master, policy="quarantine")
    away.rename(last)
    python.ingest(master)
    with python.connect(f"sqlite:///{tmp_path / 'new.sqlite'}") as catalog:
        told = jobs.rebuild(_store(home), catalog)
        assert told.registered == (f"{first.pid}@1", f"{first.pid}@2")
        assert catalog.get(first.pid).version == 2
    assert open_objects(_store(home)).size(".attempts/2") is None


def _store(home) -> str:
    return str((home.home / "store").as_uri())
