"""Whatever a URL names opens by one function: the web, archives, what fsspec speaks."""

from __future__ import annotations

import pickle
import secrets
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.fault_proxy import FaultProxy, Faults
from servers.recording import RecordingServer, redirect

from hsc.errors import (
    ConfigurationError,
    ObjectExistsError,
    ObjectMissingError,
    RedirectRefusedError,
    StoreError,
    StoreUnavailableError,
    StoreUnwritableError,
)
from hsc.store import Patience, get_ranges, open_objects

DATA = bytes(range(256)) * 5
QUICK = Patience(total_s=0.5, first_s=0.05, longest_s=0.1)


@pytest.fixture
def web() -> Iterator[RecordingServer]:
    with RecordingServer({"/x/a/b%20c": DATA, "/x/a": DATA}) as server:
        yield server


def test_the_web_is_read(web: RecordingServer) -> None:
    objects = open_objects(f"{web.origin}/x")
    assert objects.get("a/b c") == DATA
    assert objects.size("a/b c") == len(DATA)
    assert objects.size("absent") is None
    with pytest.raises(ObjectMissingError):
        objects.get("absent")
    with pytest.raises(ObjectMissingError):
        objects.get("absent", 5, 5)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 10), (7, 300), (1279, None), (1270, 9999), (5, 5), (2000, 2010)]
)
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_range_of_the_web_is_what_python_slices(
    web: RecordingServer, start: int, stop: int | None, ranges: bool
) -> None:
    if not ranges:
        web.answer = lambda _: (200, {}, DATA)
    assert open_objects(f"{web.origin}/x").get("a", start, stop) == DATA[start:stop]


def test_another_range_than_the_one_asked_for_is_no_data(web: RecordingServer) -> None:
    web.answer = lambda _: (206, {"Content-Range": "bytes 0-9/1280"}, DATA[:10])
    with pytest.raises(StoreError, match="bytes 0-9"):
        open_objects(f"{web.origin}/x").get("a", 100, 110)


def test_many_ranges_of_the_web_come_in_order(web: RecordingServer) -> None:
    asked = [(n * 30, n * 30 + 20) for n in range(40)]
    found = get_ranges(open_objects(f"{web.origin}/x"), "a", asked)
    assert [bytes(part) for part in found] == [DATA[start:stop] for start, stop in asked]


def test_the_web_sends_us_nowhere(
    web: RecordingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with RecordingServer({"/x/a": b"evil"}) as other:
        web.answer = lambda asked: redirect(f"{other.origin}{asked.path}", 302)
        objects = open_objects(f"{web.origin}/x")
        for use in (objects.get, objects.size):
            with pytest.raises(RedirectRefusedError) as caught:
                use("a")
            assert web.host in caught.value.message
            assert other.host in caught.value.message
        assert not other.seen
    assert not any("secret" in asked or "uthorization" in asked for asked in web.seen)


def test_no_cookie_comes_back(web: RecordingServer) -> None:
    web.answer = lambda _: (200, {"Set-Cookie": "who=you"}, DATA)
    objects = open_objects(f"{web.origin}/x")
    assert objects.get("a") == objects.get("a")
    assert not any("who=you" in asked for asked in web.seen)


def test_the_web_is_written_by_nobody(web: RecordingServer) -> None:
    objects = open_objects(f"{web.origin}/x")
    for use in (lambda: objects.put_new("n", b"1"), lambda: objects.delete("a")):
        with pytest.raises(StoreUnwritableError):
            use()
    with pytest.raises(StoreError, match="does not list"):
        objects.keys("")


@pytest.mark.parametrize(
    "wrong",
    [
        Faults(status=503, times=2),
        Faults(reset_after_down=700, times=2),
        Faults(reset_after_up=1, times=2),
    ],
    ids=str,
)
def test_a_web_server_that_fails_is_asked_again(web: RecordingServer, wrong: Faults) -> None:
    with FaultProxy(int(web.host.rpartition(":")[2])) as proxy:
        proxy.set(wrong)
        objects = open_objects(f"http://127.0.0.1:{proxy.port}/x")
        assert objects.get("a") == DATA
        proxy.set(Faults(refuse=True))
        with pytest.raises(StoreUnavailableError):
            open_objects(objects.url, QUICK).get("a")


def test_an_archive_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("v/a", DATA)
        archive.writestr("v/b/c", b"1")
    objects = open_objects(f"zip::{(tmp_path / 'a.zip').as_uri()}")
    assert objects.get("v/a", 3, 9) == DATA[3:9]
    assert objects.size("v/b/c") == 1
    assert objects.keys("v") == ["v/a", "v/b/c"]
    assert objects.keys("") == ["v/a", "v/b/c"]
    with pytest.raises(ObjectMissingError):
        objects.get("v/x")


@pytest.mark.parametrize("scheme", ["memory", "local"])
def test_what_fsspec_writes_to_is_written_once(tmp_path: Path, scheme: str) -> None:
    place = f"/{secrets.token_hex(6)}" if scheme == "memory" else f"{tmp_path}/s"
    objects = open_objects(f"{scheme}://{place}")
    if scheme == "local":
        (tmp_path / "s" / "a").mkdir(parents=True)
    objects.put_new("a/b", DATA)
    with pytest.raises(ObjectExistsError):
        objects.put_new("a/b", b"2")
    again = pickle.loads(pickle.dumps(objects))  # noqa: S301 (ours)
    assert again.get("a/b") == DATA
    assert again.keys("") == ["a/b"]
    objects.delete("a/b")
    assert objects.size("a/b") is None


def test_a_server_of_an_fsspec_scheme_that_is_away_is_waited_for_and_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so nobody else gets it; nobody listens
        url = f"ftp://127.0.0.1:{taken.getsockname()[1]}/x"
        objects = open_objects(url, QUICK)
        for use in (objects.get, objects.size, objects.keys):
            with pytest.raises(StoreUnavailableError, match="refused"):
                use("a")
        with pytest.raises(StoreError):
            objects.put_new("a", b"1")


def test_what_is_no_archive_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no archive")
    with pytest.raises(StoreError, match="not a zip file"):
        open_objects(f"zip::{(tmp_path / 'a.zip').as_uri()}").get("a")


@pytest.mark.parametrize("url", ["nosuch://x", "zip::nosuch://x", "s3+ftp://host/b", "dropbox://x"])
def test_a_scheme_that_nobody_speaks_says_what_to_do(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_objects(url)
    assert caught.value.next_step


def test_credentials_in_a_chained_url_are_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_objects("zip::ftp://me:secret@host/x.zip")
    assert "secret" not in str(caught.value)
