"""An ingest that is killed or stopped goes on where it was: same PID, same root, nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr

ARRAYS = 14
_PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def many_arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file whose arrays become objects of more than 1 MiB: each gets a journal's line."""
    path = tmp_path_factory.mktemp("many") / "many.h5"
    draw = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        for number in range(ARRAYS):
            values = draw.integers(0, 2**32, (8, 600, 600), dtype="u4")
            file.create_dataset(f"stack_{number:02d}", data=values, chunks=(1, 600, 600))
    return path


@pytest.fixture(scope="module")
def undisturbed(shared, many_arrays: Path) -> dict[str, Any]:
    """Ingest it into a store of its own, undisturbed."""
    made: dict[str, Any] = shared.json("ingest", many_arrays, "--verify", "none")["datasets"][0]
    return made


def _begin(hsc, path: Path, *options: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "hsc.cli.main", "ingest", str(path), "--json", "--workers", "1"]
    words += options
    return subprocess.Popen(
        words, env=hsc.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _shards(hsc) -> dict[str, os.stat_result]:
    store = hsc.home / "store"
    return {key: (store / key).stat() for key in hsc.objects() if "/c/" in key}


def _wait_for_shards(hsc, running: subprocess.Popen[str], count: int) -> None:
    """Wait until so many objects are there; with none, until the claim is."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        there = hsc.objects()
        enough = len([key for key in there if "/c/" in key]) >= count
        if enough and any(key.startswith(".claims/") for key in there):
            return
        assert running.poll() is None, "the ingest ended before it could be stopped"
        time.sleep(0.002)
    pytest.fail("the ingest wrote nothing")


def _wait_for_claims(hsc, running: subprocess.Popen[str], count: int) -> None:
    end = time.monotonic() + _PATIENCE_S
    while len([key for key in hsc.objects() if key.startswith(".claims/")]) < count:
        assert running.poll() is None, "the ingest ended before it could be stopped"
        assert time.monotonic() < end, "the ingest took nothing over"
        time.sleep(0.002)


def _attempts(hsc) -> list[Path]:
    return [path for path in (hsc.home / "store").glob("local/*/*/*/*") if path.is_dir()]


@pytest.mark.parametrize("written", [0, 3, 9])
def test_killed_at_any_point_the_next_run_finishes_the_same(
    hsc, many_arrays: Path, undisturbed, written: int
) -> None:
    with _begin(hsc, many_arrays) as running:
        _wait_for_shards(hsc, running, written)
        running.send_signal(signal.SIGKILL)
        running.wait()
    journal = [k for k in hsc.objects() if "/.journal/" in k and not k.endswith("/plan")]
    before = _shards(hsc)
    assert hsc.json("search")["total"] == 0
    assert len(before) < ARRAYS
    assert len(journal) >= max(0, written - 1)
    (lost,) = hsc.json("activities", "--failed")["activities"]
    assert lost["failure"]["error"] == "ProcessDied"
    assert lost["failure"]["where"] == str(many_arrays)

    made = hsc.json("ingest", many_arrays, "--verify", "full")["datasets"][0]
    assert made["root"] == undisturbed["root"]
    assert made["existing"] is False
    after = _shards(hsc)
    assert len(after) == ARRAYS
    kept = [key for key, state in before.items() if after[key].st_ino == state.st_ino]
    assert len(kept) >= len(journal), "a journalled object was written twice"
    assert not [key for key in hsc.objects() if "/.journal/" in key]
    assert len(_attempts(hsc)) == 1
    assert hsc.json("ingest", many_arrays)["datasets"][0]["pid"] == made["pid"]


def test_killed_twice_the_pid_is_that_of_the_first_attempt(hsc, many_arrays, undisturbed) -> None:
    folders = set()
    for written in (2, 6):
        with _begin(hsc, many_arrays) as running:
            _wait_for_shards(hsc, running, written)
            running.send_signal(signal.SIGKILL)
        folders |= {path.name for path in _attempts(hsc)}
    made = hsc.json("ingest", many_arrays)["datasets"][0]
    assert folders == {made["pid"].partition("/")[2]}
    assert made["root"] == undisturbed["root"]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_ends_quietly_with_130_and_the_same_command_goes_on(
    hsc, many_arrays, undisturbed, sign: signal.Signals
) -> None:
    with _begin(hsc, many_arrays) as running:
        _wait_for_shards(hsc, running, 3)
        running.send_signal(sign)
        stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in stderr, stderr
    assert '"KeyboardInterrupt"' in stdout
    stopped = hsc.json("activities", "--failed")["activities"]
    assert [each["failure"]["error"] for each in stopped] == ["KeyboardInterrupt"]
    before = _shards(hsc)
    assert 0 < len(before) < ARRAYS
    made = hsc.json("ingest", many_arrays)["datasets"][0]
    assert made["root"] == undisturbed["root"]
    after = _shards(hsc)
    assert sum(after[key].st_ino == state.st_ino for key, state in before.items()) >= 3


def test_stopped_while_it_waits_for_its_rate_it_ends_at_once(hsc, many_arrays) -> None:
    with _begin(hsc, many_arrays, "--max-rate", "100kB") as running:
        _wait_for_claims(hsc, running, 1)
        time.sleep(2)
        running.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        stdout, _ = running.communicate(timeout=110)
    assert running.returncode == 130
    assert '"KeyboardInterrupt"' in stdout
    assert time.monotonic() - stopped < 60


@pytest.mark.parametrize("killed_before", [False, True])
def test_two_at_once_make_one_dataset(hsc, many_arrays, undisturbed, killed_before: bool) -> None:
    if killed_before:  # then both would go on where it died
        with _begin(hsc, many_arrays) as lost:
            _wait_for_shards(hsc, lost, 2)
            lost.send_signal(signal.SIGKILL)
    with _begin(hsc, many_arrays) as first:
        if killed_before:
            _wait_for_claims(hsc, first, 2)
        _wait_for_shards(hsc, first, 1)
        # Held where it is, so that the second surely comes while the first is at it.
        first.send_signal(signal.SIGSTOP)
        refused = hsc.json("ingest", many_arrays, "--max-wait", "0", code=1)
        first.send_signal(signal.SIGCONT)
        stdout, _ = first.communicate(timeout=60)
    told = refused["errors"][0]
    assert told["error"] == "IngestInProgressError"
    assert str(first.pid) in told["message"]
    assert "wait" in told["next"]
    assert first.returncode == 0, stdout
    assert hsc.json("ingest", many_arrays)["datasets"][0]["root"] == undisturbed["root"]
    assert len(_attempts(hsc)) == 1


def test_what_was_written_before_the_source_changed_counts_no_more(hsc, tmp_path: Path) -> None:
    """Large files are sampled: a byte between the samples changes no source id."""
    path = tmp_path / "large.h5"
    draw = np.random.default_rng(2)
    with h5py.File(path, "w") as file:
        for number in range(10):
            file[f"stack_{number}"] = draw.integers(0, 2**32, (8, 500, 500), dtype="u4")
        starts = {name: file[name].id.get_offset() for name in file}
    with _begin(hsc, path) as running:
        _wait_for_shards(hsc, running, 4)
        running.send_signal(signal.SIGKILL)
    shards = _shards(hsc)
    oldest = min(shards, key=lambda key: shards[key].st_mtime_ns)
    start = starts[oldest.split("/data.zarr/")[1].split("/")[0]]
    before = hsc.json("inspect", path)["source_id"]
    with path.open("r+b") as raw:  # some place between two samples
        for offset in range(start + 5_000_000, start + 5_400_000, 10_000):
            raw.seek(offset)
            old = raw.read(4)
            raw.seek(offset)
            raw.write(bytes(255 - byte for byte in old))
            raw.flush()
            if hsc.json("inspect", path)["source_id"] == before:
                break
            raw.seek(offset)
            raw.write(old)
        else:
            pytest.fail("every place is sampled")
    made = hsc.json("ingest", path, "--verify", "none")["datasets"][0]
    location = hsc.json("show", made["pid"])["location"]
    tree = zarr.open_group(location + "/data.zarr", mode="r")
    with h5py.File(path) as file:
        for number in range(10):
            name = f"stack_{number}"
            np.testing.assert_array_equal(tree[name][:], file[name][:])
