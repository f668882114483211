"""Credentials are asked for where they are used, renewed in time, and never shown or sent along."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers.fixtures import Bucket
from servers.recording import Answer, RecordingServer, Request, error

from hsc.errors import ConfigurationError, StoreError
from hsc.store import (
    Credentials,
    ObjectStore,
    Patience,
    bind_credentials,
    open_objects,
    unbind_credentials,
)

QUICK = Patience(total_s=0.3, first_s=0.05, longest_s=0.1)


class Wallet:
    """A provider that is watched."""

    def __init__(self, *keys: str, lasts_s: float | None = None) -> None:
        self.keys = list(keys)
        self.lasts_s = lasts_s
        self.asked = 0

    def __call__(self) -> Credentials:
        self.asked += 1
        key = self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]
        lasts = None if self.lasts_s is None else timedelta(seconds=self.lasts_s)
        expires = None if lasts is None else datetime.now(UTC) + lasts
        return Credentials(key, f"secret-{key}", f"token-{key}", expires)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer({"/bucket/a": b"0123456789"}) as running:
        yield running
        unbind_credentials(running.origin)


def refusing(
    key: str, *, after: int = 0, code: str = "ExpiredToken"
) -> Callable[..., Answer | None]:
    """Refuse a key, from its request number ``after`` on."""
    met = []

    def answer(asked: Request) -> Answer | None:
        if f"Credential={key}/" not in asked:
            return None
        met.append(asked)
        return error(403, code) if len(met) > after else None

    return answer


def objects_of(server: RecordingServer) -> ObjectStore:
    return open_objects(f"s3+http://{server.host}/bucket", QUICK)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "InvalidToken"])
def test_credentials_that_expire_in_the_middle_of_a_read_are_renewed(
    server: RecordingServer, code: str
) -> None:
    wallet = Wallet("OLD", "NEW")
    bind_credentials(server.origin, wallet)
    server.answer = refusing("OLD", after=2, code=code)
    objects = objects_of(server)
    parts = [objects.get("a", n, n + 1) for n in range(10)]
    assert b"".join(parts) == b"0123456789"
    assert objects.size("a") == 10
    assert wallet.asked == 2
    assert len(server.seen) == 12


def test_a_head_that_is_refused_without_a_word_renews_them_too(server: RecordingServer) -> None:
    bind_credentials(server.origin, Wallet("OLD", "NEW"))
    server.answer = refusing("OLD")
    assert objects_of(server).size("a") == 10


def test_credentials_that_are_refused_for_good_end_in_an_error(server: RecordingServer) -> None:
    wallet = Wallet("OLD")
    bind_credentials(server.origin, wallet)
    server.answer = refusing("OLD")
    with pytest.raises(StoreError, match="ExpiredToken"):
        objects_of(server).get("a")
    assert wallet.asked == 2


def test_they_are_asked_for_before_they_expire(server: RecordingServer) -> None:
    lasting, ending = Wallet("A", lasts_s=3600), Wallet("B", "C", lasts_s=0.5)
    bind_credentials(server.origin, lasting)
    objects = objects_of(server)
    assert [objects.get("a", 0, 1) for _ in range(5)] == [b"0"] * 5
    assert lasting.asked == 1
    bind_credentials(server.origin, ending)
    assert objects.get("a", 0, 1) == b"0"
    time.sleep(0.6)
    assert objects.get("a", 0, 1) == b"0"
    assert ending.asked > 1
    assert "Credential=C/" in server.seen[-1]


def test_expired_credentials_are_never_sent(server: RecordingServer) -> None:
    bind_credentials(server.origin, Wallet("A", lasts_s=-1))
    with pytest.raises(StoreError, match="expired at"):
        objects_of(server).get("a")
    assert not server.seen


def test_a_provider_that_fails_is_named_without_its_words(server: RecordingServer) -> None:
    def broken() -> Credentials:
        raise KeyError("my-secret")

    bind_credentials(server.origin, broken)
    with pytest.raises(StoreError, match="KeyError") as caught:
        objects_of(server).get("a")
    assert "my-secret" not in str(caught.value)


def test_a_key_that_was_exchanged_on_a_real_server_is_renewed(bucket: Bucket) -> None:
    ceph = bucket.ceph
    first, second = ceph.draw_key("hsc"), ceph.draw_key("hsc")
    keys = [first, second]
    bind_credentials(ceph.endpoint, lambda: Credentials(keys[0].access_key, keys[0].secret_key))
    try:
        objects = open_objects(bucket.url)
        objects.put_new("a", b"1")
        ceph.drop_key(keys.pop(0))
        assert objects.get("a") == b"1"
        assert objects.size("a") == 1
        objects.put_new("b", b"2")
    finally:
        unbind_credentials(ceph.endpoint)
        ceph.drop_key(second)
    assert bucket.keys() == ["a", "b"]


def test_keys_in_a_file_that_was_written_anew_are_read_anew(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(key: str) -> None:
        text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n"
        (tmp_path / "credentials").write_text(text)

    write("OLD")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.origin)
    objects = open_objects("s3://bucket", QUICK)
    assert objects.get("a", 0, 1) == b"0"
    server.answer = refusing("OLD")
    write("NEW")
    assert objects.get("a", 1, 2) == b"1"
    server.answer = lambda _: error(403, "ExpiredToken")
    with pytest.raises(StoreError, match="ExpiredToken"):
        objects.get("a")


def test_secrets_are_in_no_repr_pickle_or_log(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bind_credentials(server.origin, Wallet("OLD", "NEW"))
    server.answer = refusing("OLD", after=1)
    objects = objects_of(server)
    assert objects.get("a") == objects.get("a")
    given = Wallet("OLD")()
    texts = [repr(given), str(vars(objects)), caplog.text, pickle.dumps(objects).decode("latin-1")]
    for text in texts:
        assert "secret-" not in text
        assert "token-" not in text
    with pytest.raises(ConfigurationError, match="not pickled"):
        pickle.dumps(given)


def test_an_expiry_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="time zone"):
        Credentials("a", "b", None, datetime(2030, 1, 1))  # noqa: DTZ001 (that is the point)


VAULT = """
from hsc.store import Credentials
def for_origin(origin):
    return (lambda: Credentials("AKOFTHEPACKAGE", "s", "t")) if origin == {origin!r} else None
"""


def test_a_worker_gets_them_from_an_installed_package(
    server: RecordingServer, tmp_path: Path
) -> None:
    (tmp_path / "lab_vault.py").write_text(VAULT.format(origin=server.origin))
    (tmp_path / "lab_vault-1.dist-info").mkdir()
    (tmp_path / "lab_vault-1.dist-info" / "METADATA").write_text("Name: lab-vault\nVersion: 1\n")
    (tmp_path / "lab_vault-1.dist-info" / "entry_points.txt").write_text(
        "[hsc.credentials]\nlab = lab_vault:for_origin\n"
    )
    objects = objects_of(server)
    program = (
        "import pickle, sys\n"
        "objects = pickle.load(sys.stdin.buffer)\n"
        "print(objects.get('a').decode())\n"
    )
    worker = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(objects),
        capture_output=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert worker.stdout.decode().strip() == "0123456789"
    assert "AKOFTHEPACKAGE" in server.seen[-1]
    assert objects.get("a") == b"0123456789"
    assert "AKOFTHEPACKAGE" not in server.seen[-1]
