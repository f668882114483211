"""Parts of objects in a bucket: by obstore where it may, the same from botocore elsewhere."""

from __future__ import annotations

import secrets
import threading

import pytest
from servers.fault_proxy import FaultProxy, Faults
from servers.fixtures import Bucket
from servers.recording import RecordingServer, redirect

from hsc.errors import ObjectMissingError, RedirectRefusedError, StoreUnavailableError
from hsc.store import (
    Credentials,
    Patience,
    ReadsRanges,
    S3Objects,
    bind_credentials,
    get_ranges,
    open_objects,
    unbind_credentials,
)

DATA = secrets.token_bytes(10_000_000)
ASKED = [(n * 610_000, n * 610_000 + 500_000) for n in range(16)]
QUICK = Patience(total_s=0.5, first_s=0.05, longest_s=0.1)


@pytest.fixture(params=["auto", "botocore"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "auto":
        pytest.importorskip("obstore")
    monkeypatch.setenv("HSC_S3_ENGINE", request.param)
    return str(request.param)


def pieces(objects: S3Objects, asked: list[tuple[int, int]]) -> list[bytes]:
    assert isinstance(objects, ReadsRanges)
    return [bytes(part) for part in get_ranges(objects, "a", asked)]


def test_parts_are_what_python_slices(bucket: Bucket, engine: str) -> None:
    objects = open_objects(f"{bucket.url}/odd prefix+%20")
    objects.put_new("a", DATA)
    asked = [*ASKED, (5, 5), (9_999_990, 10_000_100), (20_000_000, 20_000_010), (3, 4), (0, 2**40)]
    assert pieces(objects, asked) == [DATA[start:stop] for start, stop in asked]
    assert pieces(objects, ASKED) == [DATA[start:stop] for start, stop in ASKED]
    assert pieces(objects, []) == []
    with pytest.raises(ObjectMissingError):
        objects.get_ranges("absent", ASKED)


@pytest.mark.parametrize(
    "wrong",
    [
        Faults(reset_after_down=300_000, only="^GET", times=6),
        Faults(status=500, only="^GET", times=6),
        Faults(status=503, code="SlowDown", only="^GET", times=6),
    ],
    ids=str,
)
def test_parts_come_through_faults(
    bucket: Bucket, faults: FaultProxy, engine: str, wrong: Faults
) -> None:
    objects = open_objects(bucket.url)
    objects.put_new("a", DATA)
    faults.set(wrong)
    assert pieces(objects, ASKED) == [DATA[start:stop] for start, stop in ASKED]
    assert faults.seen.faults == 6


@pytest.mark.parametrize(
    ("wrong", "seconds"), [(Faults(refuse=True), 10), (Faults(blackhole=True), 5)], ids=str
)
def test_parts_wait_for_a_server_that_is_away(
    bucket: Bucket, faults: FaultProxy, wrong: Faults, seconds: float
) -> None:
    objects = S3Objects(bucket.url, Patience(longest_s=1))
    objects.put_new("a", DATA)
    faults.set(wrong, cut=wrong.refuse)
    timer = threading.Timer(seconds, faults.set)
    timer.start()
    assert pieces(objects, ASKED) == [DATA[start:stop] for start, stop in ASKED]
    timer.join()


def test_parts_of_a_server_that_stays_away_are_an_error(
    bucket: Bucket, faults: FaultProxy, engine: str
) -> None:
    faults.set(Faults(refuse=True))
    with pytest.raises(StoreUnavailableError):
        S3Objects(bucket.url, QUICK).get_ranges("a", ASKED[:2])


@pytest.mark.parametrize("token", ["", "tokenoftheenvironment"])
def test_no_engine_takes_credentials_to_another_host(
    engine: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordingServer() as own, RecordingServer({"/b/a": b"0123456789"}) as other:
        own.answer = lambda asked: redirect(f"{other.origin}{asked.path}")
        monkeypatch.setenv("AWS_ENDPOINT_URL", own.origin)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKOFTHEENVIRONMENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        if token:
            monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        try:
            pieces(S3Objects("s3://b", QUICK), [(0, 4), (5, 7)])
        except RedirectRefusedError as error:
            assert other.host in error.message  # noqa: PT017 (obstore may also have gone there)
        sent = other.seen
        assert not any("AKOFTHEENVIRONMENT" in each or "tokenof" in each for each in sent)
        assert engine == "auto" or not sent
        assert not token or not sent


@pytest.mark.parametrize(
    "variable", ["AWS_SESSION_TOKEN", "AWS_TOKEN", "AWS_SSE_CUSTOMER_KEY_BASE64"]
)
def test_no_engine_adds_secrets_of_the_environment_to_bound_credentials(
    engine: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordingServer() as own, RecordingServer({"/b/a": b"0123456789"}) as other:
        own.answer = lambda asked: redirect(f"{other.origin}{asked.path}")
        monkeypatch.setenv("AWS_ENDPOINT_URL", own.origin)
        monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "sse-c")
        monkeypatch.setenv(variable, "c2VjcmV0b2ZvdGhlcnM=")
        bind_credentials(own.origin, lambda: Credentials("bound", "key"))
        try:
            with pytest.raises(RedirectRefusedError):
                pieces(S3Objects("s3://b", QUICK), [(0, 4), (5, 7)])
        finally:
            unbind_credentials(own.origin)
        assert own.seen
        assert not any("c2VjcmV0" in str(asked.headers) for asked in (*own.seen, *other.seen))


def test_each_engine_is_the_one_that_asks(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordingServer({"/b/a": b"0123456789"}) as own:
        monkeypatch.setenv("AWS_ENDPOINT_URL", own.origin)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        for _ in range(4):
            with pytest.raises(ObjectMissingError):
                pieces(open_objects("s3://b/absent"), [(0, 4), (5, 7)])
        own.seen.clear()
        assert pieces(open_objects("s3://b"), [(0, 4), (5, 7)]) == [b"0123", b"56"]
        agents = {
            asked.headers["User-Agent"].partition("/")[0]
            for asked in own.seen
            if "absent" not in asked.path
        }
        assert agents == {"object_store" if engine == "auto" else "Botocore"}


def test_a_server_named_in_a_url_is_never_asked_by_obstore(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with RecordingServer({"/b/a": b"0123456789"}) as server:
        objects = open_objects(f"s3+http://{server.host}/b")
        assert pieces(objects, [(0, 4), (5, 7)]) == [b"0123", b"56"]
        assert all("otocore" in asked for asked in server.seen)
