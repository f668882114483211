"""What goes to a catalog's server and what does not, and what becomes of its answers."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.recording import Answer, RecordingServer, Request

from hsc.client import connect
from hsc.client.http import HttpCatalog
from hsc.errors import (
    CatalogError,
    CatalogUnavailableError,
    ConfigurationError,
    DatasetNotFoundError,
    ForbiddenError,
    HscError,
    InvalidRecordError,
    LocationRefusedError,
    RedirectRefusedError,
    RevisionError,
    StoreError,
    UnauthenticatedError,
)
from hsc.model import Amendment, Pid
from hsc.store import Patience, keep_token, open_objects, origin_of, unbind_token
from hsc.testing.contracts import example_activity, example_dataset

SOON = Patience(total_s=5.0, first_s=0.01, longest_s=0.02)
JSON = {"Content-Type": "application/json"}
GIVEN, LINK, SECRET = "given", "hscr_abc", "secret"
PID = Pid.generate("hsc.maxiv").at(1)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer(answer=lambda _: (200, JSON, b"{}")) as running:
        yield running
    unbind_token(running.origin)


def problem(status: int, name: str, **facts: object) -> Answer:
    document = {"type": f"urn:hsc:{name}", "detail": "it is so", "status": status, **facts}
    return status, {"Content-Type": "application/problem+json"}, json.dumps(document).encode()


def shown(server: RecordingServer) -> set[str | None]:
    return {request.headers.get("Authorization") for request in server.seen}


def test_the_token_is_for_the_server_that_the_environment_names(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSC_TOKEN", "secret")
    monkeypatch.setenv("HSC_CATALOG", server.origin)
    with RecordingServer(answer=server.answer) as other:
        HttpCatalog(other.origin).me()
        with connect(other.origin) as elsewhere:
            assert isinstance(elsewhere, HttpCatalog)
            elsewhere.me()
        assert shown(other) == {None}
    HttpCatalog(server.origin).me()
    assert shown(server) == {"Bearer secret"}
    # Where it names no server, a call that names one is no reason to send it there.
    monkeypatch.delenv("HSC_CATALOG")
    with RecordingServer(answer=server.answer) as other:
        with connect(other.origin) as elsewhere:
            assert isinstance(elsewhere, HttpCatalog)
            elsewhere.me()
        assert shown(other) == {None}


def test_a_token_in_the_call_or_kept_by_login_goes_to_its_server_alone(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSC_HOME", str(tmp_path))
    path = keep_token(server.origin, "kept")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    HttpCatalog(server.origin).me()
    assert shown(server) == {"Bearer kept"}
    server.seen.clear()
    connect(server.origin, token=GIVEN).me()  # type: ignore[attr-defined]
    assert shown(server) == {"Bearer given"}
    with RecordingServer(answer=server.answer) as other:
        HttpCatalog(other.origin).me()
        assert shown(other) == {None}
    unbind_token(server.origin)
    server.seen.clear()
    keep_token(server.origin, None)
    HttpCatalog(server.origin).me()
    assert shown(server) == {None}


def test_a_reviewers_link_goes_by_a_header_of_its_own(server: RecordingServer) -> None:
    connect(server.origin, token=LINK).me()  # type: ignore[attr-defined]
    assert server.seen[0].headers["Hsc-Reviewer-Link"] == "hscr_abc"
    assert shown(server) == {None}


def test_no_token_goes_unencrypted_through_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "http://198.51.100.7"
    try:
        with connect(address, token=SECRET) as catalog:
            with pytest.raises(ConfigurationError, match="unencrypted") as caught:
                catalog.get(PID)
            assert "secret" not in str(caught.value)
    finally:
        unbind_token(address)


def test_a_redirect_is_not_followed(server: RecordingServer) -> None:
    leading = (307, {"Location": f"{server.origin}/v1/me?token=x"}, b"")
    with RecordingServer(answer=lambda _: leading) as first:
        with pytest.raises(RedirectRefusedError, match=server.origin) as caught:
            connect(first.origin, token=SECRET).get(PID)
        unbind_token(first.origin)
    assert not server.seen
    assert "token=x" not in str(caught.value)


def test_what_may_be_sent_twice_is_asked_again_under_one_key() -> None:
    left = {"GET": 2, "POST": 2, "PATCH": 2}

    def answer(asked: Request) -> Answer:
        left[asked.method] -= 1
        if left[asked.method] >= 0:
            return problem(503, "CatalogUnavailableError")
        return 200, JSON, b"{}"

    with RecordingServer(answer=answer) as server:
        catalog = HttpCatalog(server.origin, SOON)
        catalog.me()
        catalog.register(example_dataset(), example_activity(), [])
        posts = [each for each in server.seen if each.method == "POST"]
        assert len(posts) == 3
        assert len({each.headers["Idempotency-Key"] for each in posts}) == 1
        before = len(server.seen)
        with pytest.raises(CatalogError):
            catalog.amend(PID, Amendment(sample="Water", reason="It was."))
        assert len(server.seen) == before + 1


def test_a_server_that_stays_away_is_an_error_that_says_so() -> None:
    with RecordingServer() as server:
        gone = server.origin
    with pytest.raises(CatalogUnavailableError, match="does not answer"):
        HttpCatalog(gone, Patience(total_s=0.2, first_s=0.01)).get(PID)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (problem(404, "DatasetNotFoundError"), DatasetNotFoundError, "it is so"),
        (problem(403, "ForbiddenError"), ForbiddenError, "it is so"),
        (problem(412, "RevisionError", next="read it again"), RevisionError, "read it again"),
        (
            problem(422, "InvalidRecordError", errors=[{"pointer": "/title"}]),
            InvalidRecordError,
            "/title",
        ),
        (problem(401, "UnauthenticatedError"), UnauthenticatedError, "hsc login"),
        (problem(500, "Defect", instance="urn:hsc:request:R7"), CatalogError, "request R7"),
        (problem(418, "__import__"), CatalogError, "it is so"),
        (problem(409, "HscError", detail="\x1b[2Jclear"), HscError, r"\?\[2Jclear"),
        ((200, {"Content-Type": "text/html"}, b"<p>"), CatalogUnavailableError, "text/html"),
        ((404, {}, b""), CatalogUnavailableError, "HSC_CATALOG"),
        ((401, {}, b""), UnauthenticatedError, "HSC_TOKEN"),
        ((200, JSON, b"[1]"), CatalogError, "no JSON object"),
        ((200, JSON, b"{"), CatalogError, "no JSON object"),
        ((200, JSON, b'{"record": 1}'), CatalogError, "no Entry"),
        ((200, JSON, b"[" * 100_000), CatalogError, "no JSON object"),
    ],
)
def test_an_answer_becomes_the_error_that_it_tells(
    answer: Answer, kind: type[HscError], words: str
) -> None:
    with RecordingServer(answer=lambda _: answer) as server:
        with pytest.raises(kind, match=words) as caught:
            HttpCatalog(server.origin, SOON).get(PID)
        assert type(caught.value) is kind


class Delivering:
    """A catalog's server that names addresses in a bucket, which refuses the first it is shown."""

    def __init__(self, bucket: str, told: str = "{bucket}/{key}?X-Amz-Signature={n}") -> None:
        self.bucket, self.told, self.asked = bucket, told, 0

    def __call__(self, asked: Request) -> Answer:
        self.asked += 1
        url = self.told.format(bucket=self.bucket, key="manifest", n=self.asked)
        document = {"urls": {"manifest": url}, "valid_s": 900}
        return 200, JSON, json.dumps(document).encode()


def delivered(server: RecordingServer) -> str:
    return f"hsc+{server.origin}/v1/datasets/{PID}"


def test_the_bucket_never_sees_the_token_and_refused_addresses_are_renewed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    def bucket_answer(asked: Request) -> Answer | None:
        return (403, {}, b"expired") if "Signature=1" in asked.path else (200, {}, b"bytes")

    with RecordingServer(answer=bucket_answer) as bucket:
        catalog = Delivering(bucket.origin)
        with RecordingServer(answer=catalog) as server:
            monkeypatch.setenv("HSC_CATALOG", server.origin)
            monkeypatch.setenv("HSC_TOKEN", "secret")
            objects = open_objects(delivered(server), SOON)
            assert objects.get("manifest") == b"bytes"
            assert objects.get("manifest") == b"bytes"
            assert catalog.asked == 2
            assert shown(server) == {"Bearer secret"}
        assert shown(bucket) == {None}
        assert len(bucket.seen) == 3
    assert "Signature=2" not in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "told",
    [
        "http://169.254.169.254/latest/{key}",
        "file:///etc/passwd",
        "objects/../../../me",
        "/v1/me",
        "//evil.example.org/{key}",
    ],
)
def test_an_address_that_a_server_may_not_name_is_refused(told: str) -> None:
    with (
        RecordingServer(answer=Delivering("", told)) as server,
        pytest.raises((LocationRefusedError, StoreError)) as caught,
    ):
        open_objects(delivered(server), SOON).get("manifest")
    assert len(server.seen) == 1
    assert origin_of(server.origin) == server.origin
    assert "Authorization" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 401])
def test_login_keeps_a_token_that_counts(tmp_path: Path, status: int) -> None:
    known = 200, JSON, b'{"subject": "anna", "scopes": ["read"]}'
    told = known if status == 200 else problem(401, "UnauthenticatedError")
    with RecordingServer(answer=lambda _: told) as server:
        done = subprocess.run(
            [sys.executable, "-m", "hsc.cli.main", "login", server.origin, "--json"],
            input=f"{SECRET}\n", env={**os.environ, "HSC_HOME": str(tmp_path)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert shown(server) == {f"Bearer {SECRET}"}
    assert SECRET not in done.stdout + done.stderr
    kept = tmp_path / "tokens.json"
    if status == 200:
        assert json.loads(done.stdout)["me"]["subject"] == "anna"
        assert json.loads(kept.read_text()) == {server.origin: SECRET}
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    else:
        assert done.returncode == 1
        assert not kept.exists()
