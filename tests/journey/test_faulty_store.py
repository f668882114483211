"""An ingest to a store that fails: done after all, or a clear error; never a damaged dataset.

The store is a real Ceph behind a proxy that fails as told. What was committed is read straight
from the server and compared with its digests, without hsc's own reading.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from blake3 import blake3
from servers.fault_proxy import FaultProxy, Faults
from servers.fixtures import Bucket

from hsc.store import Manifest

ARRAYS = 3
_SHARD_BYTES = 2_000_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file of three stacks that become an object of 2.9 MB each, and small arrays."""
    path = tmp_path_factory.mktemp("source") / "source.h5"
    draw = np.random.default_rng(4)
    with h5py.File(path, "w") as file:
        for number in range(ARRAYS):
            values = draw.integers(0, 2**32, (8, 300, 300), dtype="u4")
            file.create_dataset(f"stack_{number}", data=values, chunks=(1, 300, 300))
        for number in range(5):
            file[f"small/value_{number}"] = float(number)
    return path


@pytest.fixture(scope="module")
def undisturbed(shared, source: Path) -> dict[str, Any]:
    """Ingest it into a store of its own, undisturbed."""
    made: dict[str, Any] = shared.json("ingest", source)["datasets"][0]
    return made


@pytest.fixture
def to_bucket(hsc, bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    """Give the command with its store in the bucket."""
    monkeypatch.setenv("HSC_STORE", bucket.url)
    return hsc


def manifests(bucket: Bucket) -> list[str]:
    return [key for key in sorted(bucket.keys()) if key.endswith("/manifest")]


def check_whole(bucket: Bucket, root: str) -> None:
    """Check the one committed version, byte for byte, against its manifest."""
    (key,) = manifests(bucket)
    folder = key.removesuffix("/manifest")

    def read(key: str) -> bytes:
        data: bytes = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
        return data

    manifest = Manifest.decode(read(key), key)
    assert manifest.root == root
    own = [entry for entry in manifest.entries if not entry.absent and not entry.packed]
    for entry in own:
        assert blake3(read(f"{folder}/{entry.key}")).digest() == entry.digest
    assert sum(entry.nbytes > _SHARD_BYTES for entry in own) == ARRAYS


def wait_until(happened: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(Faults(status=500, only="^PUT", times=5), id="500 to PUTs"),
        pytest.param(Faults(status=503, code="SlowDown", times=5), id="slow down"),
        pytest.param(Faults(reset_after_up=1_000_000, only="^PUT", times=5), id="PUT cut"),
        pytest.param(Faults(reset_after_down=1, only="^PUT", times=5), id="PUT unanswered"),
        pytest.param(
            Faults(reset_after_down=1, only="^PUT .*/manifest ", times=2), id="commit unanswered"
        ),
        pytest.param(Faults(reset_after_down=1, only="^(GET|HEAD)", times=5), id="reads cut"),
        pytest.param(Faults(latency_s=0.02, bytes_per_s=4_000_000), id="slow line"),
    ],
)
def test_what_passes_is_waited_out(
    to_bucket, bucket: Bucket, faults: FaultProxy, source: Path, undisturbed, wrong: Faults
) -> None:
    faults.set(wrong)
    made = to_bucket.json("ingest", source)["datasets"][0]
    assert made["root"] == undisturbed["root"]
    assert faults.seen.faults == (wrong.times or 0), "it never met the fault"
    check_whole(bucket, undisturbed["root"])
    assert to_bucket.json("ingest", source)["datasets"][0]["existing"] is True


@pytest.mark.parametrize(
    ("wrong", "seconds"),
    [
        pytest.param(Faults(blackhole=True), 5, id="blackhole"),
        pytest.param(Faults(refuse=True), 4, id="refused"),
    ],
)
def test_a_store_that_goes_away_in_the_middle_is_waited_for(
    to_bucket, bucket, faults: FaultProxy, source, undisturbed, wrong: Faults, seconds: float
) -> None:
    faults.set(Faults(bytes_per_s=4_000_000))
    with to_bucket.begun("ingest", source) as running:
        wait_until(lambda: any("/c/" in line for line in faults.seen.requests), running)
        faults.set(wrong)
        time.sleep(seconds)
        assert running.poll() is None
        faults.set()
        stdout, stderr = running.communicate(timeout=100)
    assert running.returncode == 0, stderr
    assert json.loads(stdout)["datasets"][0]["root"] == undisturbed["root"]
    check_whole(bucket, undisturbed["root"])


@pytest.mark.parametrize("which", ["gateway", "osd"])
def test_a_server_killed_in_the_middle_and_started_again_is_waited_for(
    to_bucket, bucket: Bucket, faults: FaultProxy, source: Path, undisturbed, which: str
) -> None:
    faults.set(Faults(bytes_per_s=4_000_000))
    with to_bucket.begun("ingest", source) as running:
        wait_until(lambda: any("/c/" in line for line in faults.seen.requests), running)
        if which == "gateway":
            bucket.ceph.gateway.kill()
            time.sleep(1)
            bucket.ceph.start_gateway()
        else:
            bucket.ceph.osd.kill()
            time.sleep(2)
            bucket.ceph.start_osd()
        stdout, stderr = running.communicate(timeout=100)
    assert running.returncode == 0, stderr
    assert json.loads(stdout)["datasets"][0]["root"] == undisturbed["root"]
    check_whole(bucket, undisturbed["root"])


def test_a_store_that_may_only_be_read_is_refused_before_anything_is_written(
    to_bucket, bucket: Bucket, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"],
        },
    }
    bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(allowed))
    for name, value in bucket.ceph.environment(bucket.ceph.account("reader")).items():
        monkeypatch.setenv(name, value)
    told = to_bucket.json("ingest", source, code=1)
    assert told["error"] == "StoreUnwritableError"
    assert "AccessDenied" in told["message"]
    assert told["errors"][0]["next"]
    assert bucket.keys() == []


@pytest.mark.parametrize("refused", ["/c/", "/manifest ", "/ro-crate"])
def test_a_store_that_stops_taking_writes_ends_it_and_the_next_run_goes_on(
    to_bucket, bucket: Bucket, faults: FaultProxy, source: Path, undisturbed, refused: str
) -> None:
    faults.set(Faults(status=403, code="AccessDenied", only=f"^PUT .*{refused}"))
    told = to_bucket.json("ingest", source, code=1)
    assert told["error"] == "StoreUnwritableError"
    assert manifests(bucket) == []
    assert to_bucket.json("search")["total"] == 0
    faults.set()
    made = to_bucket.json("ingest", source)["datasets"][0]
    assert made["root"] == undisturbed["root"]
    check_whole(bucket, undisturbed["root"])


def test_stopped_while_it_waits_it_ends_at_once_and_goes_on_later(
    to_bucket, bucket: Bucket, faults: FaultProxy, source: Path, undisturbed
) -> None:
    faults.set(Faults(status=503, code="SlowDown", only="^PUT .*/c/"))
    with to_bucket.begun("ingest", source) as running:
        wait_until(lambda: faults.seen.faults >= 9, running)
        stopped = time.monotonic()
        running.send_signal(signal.SIGINT)
        # Clearing up asks the store too, and that is well.
        timer = threading.Timer(1, faults.set)
        timer.start()
        _, stderr = running.communicate(timeout=100)
        timer.join()
    assert running.returncode == 130, stderr
    assert time.monotonic() - stopped < 15
    assert manifests(bucket) == []
    assert to_bucket.json("ingest", source)["datasets"][0]["root"] == undisturbed["root"]
    check_whole(bucket, undisturbed["root"])
