"""A catalog that is reached over the net does not lead its readers to what is theirs."""

from __future__ import annotations

import pytest

from hsc.errors import LocationRefusedError
from hsc.store import Credentials, admit_location, bind_credentials, unbind_credentials

AWAY = "https://catalog.example.org/v1"


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc",
        "local:///etc",
        "memory://x",
        "sftp://host/x",
        "zip::file:///etc/passwd",
        "simplecache::https://198.51.100.1/x",
        "/etc/passwd",
        "",
        "http://127.0.0.1:8000/x",
        "http://localhost/x",
        "http://2130706433/x",
        "http://[::1]/x",
        "http://[::ffff:10.0.0.1]/x",
        "http://10.1.2.3/x",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0/x",
        "http:///x",
        "s3+http://127.0.0.1:9000/bucket/x",
        "s3+https://192.168.1.1/bucket",
        "s3+https://key:secret@8.8.8.8/bucket",
        "https://me:secret@8.8.8.8/x",
        "s3://arn:aws:s3:us-west-2:123456789012:accesspoint:theirs/x",
        "s3+https://8.8.8.8/arn:aws:s3:us-west-2:123456789012:accesspoint:theirs/x",
        "FILE:///etc",
    ],
)
def test_a_catalog_away_may_not_name(location: str) -> None:
    with pytest.raises(LocationRefusedError) as caught:
        admit_location(location, AWAY)
    assert "secret" not in caught.value.message
    assert caught.value.next_step


def test_what_lies_on_the_servers_disk_is_the_servers_to_deliver() -> None:
    with pytest.raises(LocationRefusedError) as caught:
        admit_location("file:///data/store/x/v1", AWAY)
    assert "HSC_DELIVER" in str(caught.value.next_step)


@pytest.mark.parametrize(
    "location", ["s3://bucket/x/v1", "https://8.8.8.8/x/v1", "s3+https://8.8.8.8/bucket/x/v1"]
)
def test_a_catalog_away_may_name(location: str) -> None:
    assert admit_location(location, AWAY) == location


@pytest.mark.parametrize("catalog", ["sqlite:////c.sqlite", "postgresql://me@host/database"])
@pytest.mark.parametrize("location", ["file:///data/x", "s3+http://127.0.0.1:9000/b", "s3://b"])
def test_ones_own_catalog_may_name(catalog: str, location: str) -> None:
    assert admit_location(location, catalog) == location


def test_a_private_server_is_right_where_the_environment_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert admit_location("s3+http://127.0.0.1:9000/b/x", AWAY)
    with pytest.raises(LocationRefusedError):
        admit_location("s3+http://127.0.0.1:9001/b/x", AWAY)


def test_a_private_server_is_right_where_credentials_were_bound_to_it() -> None:
    bind_credentials("http://127.0.0.1:9000", lambda: Credentials("a", "b"))
    try:
        assert admit_location("s3+http://127.0.0.1:9000/b/x", AWAY)
    finally:
        unbind_credentials("http://127.0.0.1:9000")


def test_a_catalog_names_its_own_server() -> None:
    assert admit_location("http://127.0.0.1:8000/objects/x", "http://127.0.0.1:8000/v1")
    with pytest.raises(LocationRefusedError):
        admit_location("http://127.0.0.1:8001/objects/x", "http://127.0.0.1:8000/v1")


def test_a_catalog_of_an_unknown_kind_counts_as_away() -> None:
    with pytest.raises(LocationRefusedError):
        admit_location("file:///data", "ldap://host")
