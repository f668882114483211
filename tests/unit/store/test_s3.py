"""A bucket on a real server: what it refuses, how it fails, and what comes of it."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers.fault_proxy import FaultProxy, Faults
from servers.fixtures import Bucket

from hsc.errors import (
    ConfigurationError,
    ObjectExistsError,
    StoreError,
    StoreUnavailableError,
    StoreUnwritableError,
)
from hsc.store import Patience, S3Objects, open_objects

LARGE = bytes(range(256)) * 40_000  # 10 MB: sent in pieces
QUICK = Patience(total_s=0.3, first_s=0.05, longest_s=0.1)


@contextmanager
def well_again_after(faults: FaultProxy, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, faults.set)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize("size", [100, len(LARGE)])
@pytest.mark.parametrize(
    "wrong",
    [
        Faults(status=500, only="^PUT", times=3),
        Faults(status=503, code="SlowDown", only="^PUT", times=3),
        Faults(status=429, code="TooManyRequests", only="^PUT", times=1),
        Faults(reset_after_up=80, only="^PUT", times=2),
        Faults(reset_after_up=5_000_000, only="^PUT", times=2),
        Faults(reset_after_down=1, only="^PUT", times=1),
        Faults(latency_s=0.001, bytes_per_s=20_000_000),
    ],
    ids=str,
)
def test_a_put_that_fails_and_then_does_not_is_written(
    bucket: Bucket, faults: FaultProxy, wrong: Faults, size: int
) -> None:
    faults.set(wrong)
    open_objects(bucket.url).put_new("a/b", LARGE[:size])
    assert bucket.client.get_object(Bucket=bucket.name, Key="a/b")["Body"].read() == LARGE[:size]


def test_a_put_that_landed_and_was_never_answered_counts_as_written(
    bucket: Bucket, faults: FaultProxy
) -> None:
    faults.set(Faults(reset_after_down=1, only="^PUT", times=1))
    open_objects(bucket.url).put_new("a", b"mine")
    assert [line.split()[0] for line in faults.seen.requests] == ["PUT", "PUT", "GET"]


def test_what_somebody_else_wrote_meanwhile_stays_theirs(
    bucket: Bucket, faults: FaultProxy
) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"theirs")
    faults.set(Faults(reset_after_down=1, only="^PUT", times=1))
    with pytest.raises(ObjectExistsError):
        open_objects(bucket.url).put_new("a", b"mine")
    assert open_objects(bucket.url).get("a") == b"theirs"


def test_the_same_bytes_put_by_another_are_there_already(bucket: Bucket) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"same")
    with pytest.raises(ObjectExistsError):
        open_objects(bucket.url).put_new("a", b"same")


@pytest.mark.parametrize(
    ("wrong", "seconds"), [(Faults(refuse=True), 4), (Faults(blackhole=True), 5)], ids=str
)
def test_a_server_that_is_away_for_seconds_is_waited_for(
    bucket: Bucket, faults: FaultProxy, wrong: Faults, seconds: float
) -> None:
    objects = open_objects(bucket.url)
    objects.put_new("before", b"1")
    faults.set(wrong, cut=wrong.refuse)
    with well_again_after(faults, seconds):
        objects.put_new("a", LARGE)
        assert objects.get("a") == LARGE


@pytest.mark.parametrize(
    "wrong",
    [
        Faults(refuse=True),
        Faults(status=500),
        Faults(status=503, code="SlowDown"),
        Faults(reset_after_up=1),
        Faults(reset_after_down=1),
    ],
    ids=str,
)
def test_a_server_that_stays_away_is_an_error_that_says_how_long(
    bucket: Bucket, faults: FaultProxy, wrong: Faults
) -> None:
    faults.set(wrong)
    objects = S3Objects(bucket.url, QUICK)
    uses: list[Callable[[], object]] = [
        lambda: objects.get("a"),
        lambda: objects.size("a"),
        lambda: objects.put_new("a", b"1"),
        lambda: objects.delete("a"),
        lambda: objects.keys(""),
    ]
    for use in uses:
        with pytest.raises(StoreUnavailableError, match="failed") as caught:
            use()
        assert bucket.ceph.owner.secret_key not in str(caught.value)


def test_an_answer_that_breaks_off_is_asked_for_again(bucket: Bucket, faults: FaultProxy) -> None:
    objects = open_objects(bucket.url)
    objects.put_new("a", LARGE)
    faults.set(Faults(reset_after_down=3_000_000, only="^GET", times=2))
    assert objects.get("a") == LARGE
    assert faults.seen.faults == 2


def test_a_gateway_that_is_killed_and_comes_back_loses_nothing(bucket: Bucket) -> None:
    objects = open_objects(bucket.url)
    with ThreadPoolExecutor(4) as threads:
        puts = [threads.submit(objects.put_new, f"k/{n}", LARGE) for n in range(12)]
        time.sleep(0.1)
        bucket.ceph.gateway.kill()
        time.sleep(1)
        bucket.ceph.start_gateway()
        for put in puts:
            put.result()
    assert len(objects.keys("k")) == 12
    assert all(objects.get(f"k/{n}") == LARGE for n in range(12))


def test_a_bucket_that_may_only_be_read_takes_no_writes(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_objects(bucket.url).put_new("a", b"1")
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"],
        },
    }
    bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(policy))
    for name, value in bucket.ceph.environment(bucket.ceph.account("reader")).items():
        monkeypatch.setenv(name, value)
    objects = open_objects(bucket.url)
    assert objects.get("a") == b"1"
    for use in (lambda: objects.put_new("b", b"2"), lambda: objects.delete("a")):
        with pytest.raises(StoreUnwritableError, match=r"takes no writes.*AccessDenied"):
            use()
    assert bucket.keys() == ["a"]


def test_a_stranger_may_not_even_read(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    open_objects(bucket.url).put_new("a", b"1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(StoreError, match="does not let us read"):
        open_objects(bucket.url).get("a")


def test_endpoint_and_keys_may_come_from_a_profile(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = bucket.environment()
    for name in given:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(
        f"[profile lab]\nregion = {given['AWS_DEFAULT_REGION']}\n"
        f"endpoint_url = {given['AWS_ENDPOINT_URL']}\n"
    )
    (tmp_path / "credentials").write_text(
        f"[lab]\naws_access_key_id = {given['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {given['AWS_SECRET_ACCESS_KEY']}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    open_objects(bucket.url).put_new("a", b"1")
    assert bucket.keys() == ["a"]


def test_a_bucket_that_is_not_there_is_named(bucket: Bucket) -> None:
    with pytest.raises(StoreUnwritableError, match="no bucket 'hsc-absent'"):
        open_objects("s3://hsc-absent/x").put_new("a", b"1")
    with pytest.raises(StoreError, match="no bucket 'hsc-absent'"):
        open_objects("s3://hsc-absent").get("a")


def test_of_many_threads_that_put_one_key_one_wins(bucket: Bucket) -> None:
    objects = open_objects(bucket.url)

    def put(number: int) -> int | None:
        try:
            objects.put_new("a", bytes([number]) * 2_000_000)
        except ObjectExistsError:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        winners = [number for number in threads.map(put, range(8)) if number is not None]
    assert len(winners) == 1
    assert objects.get("a") == bytes(winners) * 2_000_000


def test_more_than_a_page_of_keys_is_listed(bucket: Bucket) -> None:
    objects = open_objects(f"{bucket.url}/deep/er")
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda n: objects.put_new(f"k/{n:04}", b""), range(1050)))
    assert objects.keys("k") == [f"k/{n:04}" for n in range(1050)]
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(objects.delete, objects.keys("")))
    assert objects.keys("") == []


def test_a_pickled_bucket_carries_no_secret(bucket: Bucket) -> None:
    objects = open_objects(bucket.url)
    objects.put_new("a", b"1")
    pickled = pickle.dumps(objects)
    owner = bucket.ceph.owner
    assert owner.secret_key.encode() not in pickled
    assert owner.access_key.encode() not in pickled
    assert pickle.loads(pickled).get("a") == b"1"  # noqa: S301 (ours)


def test_a_url_without_a_bucket_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="names no bucket"):
        open_objects("s3:///x")
