"""Credentials go to the server they were given for, and to no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from servers.recording import RecordingServer, redirect

from hsc.errors import ConfigurationError, RedirectRefusedError, StoreError
from hsc.store import Credentials, bind_credentials, open_objects, unbind_credentials

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKOFTHEENVIRONMENT",
    "AWS_SECRET_ACCESS_KEY": "secretoftheenvironment",
    "AWS_SESSION_TOKEN": "tokenoftheenvironment",
}


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """Give the server that the environment names, with credentials."""
    with RecordingServer({"/bucket/a": b"own"}) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.origin)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def other() -> Iterator[RecordingServer]:
    """Give another server."""
    with RecordingServer({"/bucket/a": b"other"}) as server:
        yield server
        unbind_credentials(server.origin)


def saw_secrets(server: RecordingServer) -> bool:
    texts = [*SECRETS.values(), "Authorization", "authorization"]
    return any(text in request for request in server.seen for text in texts)


def test_the_environment_signs_for_its_own_server(own: RecordingServer) -> None:
    assert open_objects("s3://bucket").get("a") == b"own"
    assert saw_secrets(own)


def test_a_server_named_in_a_url_gets_none_of_it(
    own: RecordingServer, other: RecordingServer
) -> None:
    objects = open_objects(f"s3+http://{other.host}/bucket")
    assert objects.get("a") == b"other"
    assert objects.size("a") == 5
    assert other.seen
    assert not saw_secrets(other)
    assert not own.seen


def test_the_environments_server_is_known_also_by_its_name(own: RecordingServer) -> None:
    assert open_objects(f"s3+http://{own.host}/bucket").get("a") == b"own"
    assert saw_secrets(own)


def test_bound_credentials_go_to_their_server_alone(
    own: RecordingServer, other: RecordingServer
) -> None:
    bind_credentials(other.origin, lambda: Credentials("AKBOUND", "secretbound", "tokenbound"))
    assert open_objects(f"s3+http://{other.host}/bucket").get("a") == b"other"
    (sent,) = other.seen
    assert "AKBOUND" in sent
    assert "tokenbound" in sent
    assert not any(value in sent for value in SECRETS.values())
    assert open_objects("s3://bucket").get("a") == b"own"
    assert not any("AKBOUND" in request or "tokenbound" in request for request in own.seen)


def test_bound_credentials_go_before_the_environments(own: RecordingServer) -> None:
    bind_credentials(own.origin, lambda: Credentials("AKBOUND", "secretbound"))
    try:
        assert open_objects("s3://bucket").get("a") == b"own"
    finally:
        unbind_credentials(own.origin)
    (sent,) = own.seen
    assert "AKBOUND" in sent
    assert not any(value in sent for value in SECRETS.values())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_both_hosts_named(
    own: RecordingServer, other: RecordingServer, status: int
) -> None:
    own.answer = lambda asked: redirect(f"{other.origin}{asked.path}", status)
    objects = open_objects("s3://bucket")
    for use in (lambda: objects.get("a"), lambda: objects.get("a", 1, 2)):
        with pytest.raises(RedirectRefusedError) as caught:
            use()
        assert own.host in caught.value.message
        assert other.host in caught.value.message
    assert not other.seen


def test_a_region_told_by_a_server_leads_to_no_other(
    own: RecordingServer, other: RecordingServer
) -> None:
    own.answer = lambda asked: (
        301, {"x-amz-bucket-region": "eu-north-1", "Location": other.origin}, b"",
    )  # fmt: skip
    with pytest.raises(RedirectRefusedError):
        open_objects("s3://bucket").get("a")
    assert not other.seen


def test_a_server_that_wants_credentials_says_how_to_give_them(
    own: RecordingServer, other: RecordingServer
) -> None:
    other.answer = lambda _: (403, {}, b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(StoreError, match="does not let us read") as caught:
        open_objects(f"s3+http://{other.host}/bucket").get("a")
    assert other.origin in caught.value.next_step
    assert "bind_credentials" in caught.value.next_step


@pytest.mark.parametrize(
    "url",
    [
        "s3+https://key:secret@s3.example.org/bucket",
        "s3+https:///bucket",
        "s3+https://s3.example.org",
        "s3+https://s3.example.org/arn:aws:s3:eu-west-1:123456789012:accesspoint:x/a",
        "s3+https://s3.example.org/bucket--x-s3/a",
        "s3+https://s3.example.org:secret/bucket",
        "s3+ftp://s3.example.org/bucket",
    ],
)
def test_a_url_that_names_no_server_and_bucket_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_objects(url)
    assert "secret" not in str(caught.value)
    assert caught.value.next_step
