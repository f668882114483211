"""A store without room: told before the first byte, or in the middle, and nothing left behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from hsc.errors import StoreFullError
from hsc.ingestion import make_plan, write_plan
from hsc.layouts import read_run
from hsc.store import abandon_version, open_objects
from hsc.testing import Detector
from hsc.workers import Silent, ThreadWorkers

SMALL_BYTES = 12 * 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 12 MiB and few inodes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={SMALL_BYTES},nr_inodes=400"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"a small file system can only be mounted by root: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """Give a file of 16 MB that no codec makes smaller, in chunks of 1 MB."""
    path = tmp_path / "large.h5"
    values = np.random.default_rng(7).integers(0, 2**16, (16, 512, 1024), "u2")
    with h5py.File(path, "w") as file:
        file.create_dataset("frames", data=values, chunks=(1, 512, 1024), compression="gzip")
    return path


def _files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_no_room_is_told_before_the_first_byte(hsc, small_disk: Path, large_file: Path) -> None:
    env = {"HSC_STORE": small_disk.as_uri()}
    document = hsc.json("ingest", large_file, code=1, env=env)
    (told,) = document["errors"]
    assert told["error"] == "StoreFullError"
    assert "are needed" in told["message"]
    assert "are free" in told["message"]
    assert told["next"]
    assert not [name for name in _files(small_disk) if "/data.zarr/" in name]


def test_too_few_files_are_told_too(hsc, small_disk: Path, tmp_path: Path) -> None:
    for number in range(345):
        (small_disk / f"{number}.txt").touch()
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        for number in range(20):
            file[f"group/{number}"] = number
    document = hsc.json("ingest", path, code=1, env={"HSC_STORE": small_disk.as_uri()})
    assert "files are needed" in document["errors"][0]["message"]


def test_a_disk_that_fills_up_in_the_middle_is_an_error_and_nothing_is_left(
    small_disk: Path, large_file: Path
) -> None:
    plan = make_plan(read_run(large_file, layout=None, time_zone="UTC"), policy="strict")
    location = "local/u/2026/p/x/v1"
    with pytest.raises(StoreFullError) as caught:
        write_plan(
            plan, small_disk.as_uri(), location,
            workers=ThreadWorkers(2), progress=Silent(), resumed=False,
        )  # fmt: skip
    assert "the store is full: No space left on device" in caught.value.message
    assert caught.value.where.startswith(small_disk.as_uri())
    assert caught.value.next_step
    assert abandon_version(open_objects(small_disk.as_uri()), location)
    assert _files(small_disk) == []


def test_a_rate_and_a_bound_of_memory_change_nothing_of_what_is_written(
    hsc, large_file: Path
) -> None:
    document = hsc.json("ingest", large_file, "--memory", "10MB", code=1)
    assert document["errors"][0]["error"] == "ConfigurationError"
    assert "--memory" in document["errors"][0]["next"]
    bounded = hsc.json("ingest", large_file, "--memory", "300MB", "--max-rate", "60MB/s")
    free = hsc.json("ingest", large_file, env={"HSC_HOME": str(hsc.home / "other")})
    assert bounded["datasets"][0]["root"] == free["datasets"][0]["root"]


def test_a_reduction_is_refused_before_it_writes_what_there_is_no_room_for(
    hsc, small_disk: Path, make_run
) -> None:
    small = Detector(shape=(200, 300), module_shape=(200, 300), gap_shape=(0, 0))
    master = make_run(frames=150, frames_per_file=150, detector=small)
    with h5py.File(next(master.parent.glob("*_data_000001.h5")), "r+") as file:
        shape = file["entry/data/data"].shape
        del file["entry/data/data"]
        noise = np.random.default_rng(7).integers(0, 2**16 - 1, shape, "u2")
        file["entry/data"].create_dataset("data", data=noise, chunks=(1, *shape[1:]))
    pid = hsc.json("ingest", master)["datasets"][0]["pid"]
    env = {"HSC_STORE": small_disk.as_uri()}
    asked = ("reduce", "statistics", pid, "-p")
    told = hsc.json(*asked, "bin_frames=1", code=1, env=env)
    assert told["error"] == "StoreFullError"
    assert "the store has no room: about" in told["message"]
    assert not [name for name in _files(small_disk) if "/data.zarr/" in name]
    # Sums of all frames together have room.
    assert hsc.json(*asked, "bin_frames=150", env=env)["reduction"] == "statistics"
    large = hsc.json(*asked, "bin_frames=1")["pid"]
    told = hsc.json("reproduce", large, "--keep", small_disk / "again", code=1)
    assert (told["error"], "--keep DIR" in told["next"]) == ("StoreFullError", True)
