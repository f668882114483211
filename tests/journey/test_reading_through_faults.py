"""A dataset is read whole and right while its server fails, or the error says what is wrong."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from servers.fault_proxy import FaultProxy, Faults
from servers.fixtures import Bucket

import hsc

PASSING = {
    "answers cut": Faults(reset_after_down=100_000, only="^GET.*/c/", times=3),
    "500 to GETs": Faults(status=500, only="^GET", times=3),
    "slow down": Faults(status=503, code="SlowDown", only="^GET", times=3),
}


@pytest.fixture
def stack() -> np.ndarray:
    """Give 24 frames, about 8 MB."""
    return np.random.default_rng(5).poisson(2, (24, 400, 420)).astype("u2")


@pytest.fixture
def pid(
    bucket: Bucket, faults: FaultProxy, stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Give a dataset of the stack in the bucket, which is reached through the proxy."""
    monkeypatch.setenv("HSC_STORE", bucket.url)
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file.create_dataset("stack", data=stack, chunks=(1, 400, 420), **hdf5plugin.Bitshuffle())
    return str(hsc.ingest(tmp_path / "stack.h5", verify="none").pid)


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_waited_out(faults: FaultProxy, pid: str, stack, name: str) -> None:
    faults.set(PASSING[name])
    assert np.array_equal(hsc.open(pid)["stack"].to_numpy(), stack)
    assert faults.seen.faults > 0


def test_a_server_killed_while_it_is_read_from_is_waited_for(
    bucket: Bucket, faults: FaultProxy, pid: str, stack
) -> None:
    tree = hsc.open(pid)
    faults.set(Faults(bytes_per_s=1_000_000))
    before, read = len(faults.seen.requests), []
    reader = threading.Thread(target=lambda: read.append(tree["stack"].to_numpy()))
    reader.start()
    while len(faults.seen.requests) == before:
        time.sleep(0.02)
    bucket.ceph.gateway.kill()
    faults.set()
    time.sleep(1)
    bucket.ceph.start_gateway()
    reader.join(100)
    assert np.array_equal(read[0], stack)
