"""A store that refuses to overwrite, to append and to delete does for everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import hsc as python
from hsc import jobs
from hsc.errors import DamagedSourceError, StoreUnwritableError
from hsc.store import add_scheme, open_objects, read_attempts
from hsc.testing import BioSaxsPair, open_write_once

KILLED = """
import os, signal, sys
import hsc
from hsc.store import add_scheme, open_objects
from hsc.testing import WatchedObjects, WriteOnceObjects

def die(when, what, key):
    if when == "after" and what == "put" and "/stack_1/c/" in key:
        os.kill(os.getpid(), signal.SIGKILL)

def opened(url):
    return WatchedObjects(WriteOnceObjects(open_objects(url.partition("+")[2])), die)

add_scheme("writeonce+file", opened)
hsc.ingest(sys.argv[1], verify="none")
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a write-once store, and let everything go there."""
    add_scheme("writeonce+file", open_write_once)
    url = f"writeonce+{(tmp_path / 'store').as_uri()}"
    monkeypatch.setenv("HSC_STORE", url)
    return url


def _file(path: Path, seed: int = 1) -> Path:
    draw = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for number in range(3):
            values = draw.integers(0, 2**32, (4, 300, 300), dtype="u4")
            file.create_dataset(f"stack_{number}", data=values, chunks=(1, 300, 300))
        file["title"] = "a source"
    return path


def test_ingest_again_reduce_and_rebuild_work(store: str, pair: BioSaxsPair, tmp_path) -> None:
    sample, buffer = (python.ingest(path) for path in (pair.sample, pair.buffer))
    assert python.ingest(pair.sample).existing is True
    made = python.reduce("azimuthal", sample.pid)
    assert python.open(made.pid).hsc.record.root == made.root
    with python.connect(f"sqlite:///{tmp_path / 'other.sqlite'}") as other:
        rebuilt = jobs.rebuild(store, other)
        assert {str(each.pid) for each in python.search().datasets} == {
            str(pid) for pid in (sample.pid, buffer.pid, made.pid)
        }
    assert (len(rebuilt.registered), rebuilt.skipped) == (3, ())


def test_killed_it_goes_on_where_it_was(store: str, tmp_path: Path) -> None:
    path = _file(tmp_path / "a.h5")
    done = subprocess.run([sys.executable, "-c", KILLED, path], timeout=100, check=False)
    assert done.returncode < 0
    made = python.ingest(path)
    (first, second) = read_attempts(open_objects(store))
    assert (first.location, first.pid) == (second.location, made.pid)
    with h5py.File(path) as file:
        got = python.open(made.pid)["stack_1"].to_numpy()
        np.testing.assert_array_equal(got, file["stack_1"])


def test_changed_after_a_kill_it_goes_to_a_folder_of_its_own(store: str, tmp_path: Path) -> None:
    path = _file(tmp_path / "a.h5")
    done = subprocess.run([sys.executable, "-c", KILLED, path], timeout=100, check=False)
    assert done.returncode < 0
    path.touch()  # the same bytes, but nobody can know
    made = python.ingest(path)
    (first, second) = read_attempts(open_objects(store))
    assert first.location != second.location
    assert second.pid == made.pid
    (left,) = [each for each in jobs.collect(store).remains if not each.committed]
    assert left.location == first.location
    with pytest.raises(StoreUnwritableError):
        raise_first(jobs.collect(store, remove=True).skipped)


def test_failed_once_the_next_attempt_is_not_in_its_way(store: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.h5"
    _file(path)
    with h5py.File(path, "r+") as file:
        bad = file.create_dataset("bad", (4, 300, 300), "u4", chunks=(1, 300, 300), compression=4)
        bad[...] = 7
        bad.id.write_direct_chunk((2, 0, 0), b"no deflate stream", 0)
    with pytest.raises(DamagedSourceError):
        python.ingest(path)
    made = python.ingest(path, policy="quarantine")
    assert [gap.path for gap in made.gaps] == ["/bad"]
    (first, second) = read_attempts(open_objects(store))
    assert first.location != second.location


def raise_first(skipped: tuple[jobs.PathFailure, ...]) -> None:
    """Raise the first failure of a report as the error that it was."""
    kinds = {"StoreUnwritableError": StoreUnwritableError}
    raise kinds[skipped[0].error](skipped[0].message)
