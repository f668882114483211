"""What holds for every request: its form, its size, its methods, and how errors are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faces.asking import Asking, asking

from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog.access import OPERATOR, Caller
from hsc_catalog.app import Limits, create_app
from hsc_catalog.sql import open_database


def everybody(bearer: str | None, link: str | None) -> Caller:
    return OPERATOR


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    """Ask a catalog that takes everybody for its operator."""
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    app = create_app(database, authenticate=everybody, limits=Limits(body_nbytes=100_000))
    with asking(app) as ask:
        yield ask
    database.close()


def registration() -> dict[str, Any]:
    return {"dataset": example_dataset().document(), "activity": example_activity().document()}


def pointers(answer: Any) -> set[str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == 422, answer.text
    return {fault["pointer"] for fault in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"dataset": NaN}', "/dataset"),
        (b'{"dataset": {"bytes_in": -Infinity}}', "/dataset/bytes_in"),
        (b'{"dataset": {"bytes_in": 1e400}}', "/dataset/bytes_in"),
        (b'{"dataset": {"bytes_in": 1' + b"0" * 5000 + b"}}", "/dataset/bytes_in"),
        (b'{"edges": [{"a/b": {"x": 1, "x": 2}}]}', "/edges/0/a~1b"),
    ],
)
def test_numbers_and_keys_that_json_has_not_are_pointed_to(
    ask: Asking, body: bytes, pointer: str
) -> None:
    assert pointers(ask("POST", "/v1/datasets", content=body)) == {pointer}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"[" * 100 + b"]" * 100, "deeper than 64 levels"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "deeper than 64 levels"),
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"dataset": "' + b'\\"' * 40_000, "no JSON"),
        (b"\xff\xfe", "no UTF-8"),
    ],
)
def test_a_body_that_is_no_json_is_told(ask: Asking, body: bytes, detail: str) -> None:
    answer = ask("POST", "/v1/datasets", content=body)
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize("depth", [63, 64])
def test_brackets_in_texts_are_no_levels(ask: Asking, depth: int) -> None:
    body = json.dumps({"dataset": "[{" * 500}).encode()
    assert "/dataset" in pointers(ask("POST", "/v1/datasets", content=body))
    nested = b'{"dataset":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    assert "/dataset" in pointers(ask("POST", "/v1/datasets", content=nested))


def test_a_request_that_is_too_large_is_refused(ask: Asking) -> None:
    answer = ask("POST", "/v1/datasets", content=b" " * 100_001)
    assert answer.status_code == 413

    async def parts() -> Any:
        for _ in range(101):
            yield b" " * 1000

    answer = ask("POST", "/v1/datasets", content=parts())
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:hsc:TooLargeError")


def test_another_kind_of_body_is_refused(ask: Asking) -> None:
    sent = {"content": b"<a/>", "headers": {"Content-Type": "application/xml"}}
    assert ask("POST", "/v1/datasets", **sent).status_code == 415


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("facilty=maxiv", "/facilty"),
        ("limit=1&limit=2", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=many", "/limit"),
        ("where=photon_energy%20%3E%2012%20furlong", "/where/0"),
        ("where=wavelength%20%3C%201%20nm&where=x", "/where/1"),
    ],
)
def test_a_query_that_no_route_knows_is_pointed_to(ask: Asking, query: str, pointer: str) -> None:
    answer = ask("GET", f"/v1/datasets?{query}")
    assert pointers(answer) == {pointer}
    assert answer.json()["errors"][0]["in"] == "query"


def test_a_pid_may_be_one_part_of_the_path_or_two(ask: Asking) -> None:
    posted = registration()
    assert ask("POST", "/v1/datasets", json=posted).status_code == 201
    pid = posted["dataset"]["pid"]
    for path in (pid, pid.replace("/", "%2F"), f"{pid}@1", f"{pid.replace('/', '%2F')}%401"):
        answer = ask("GET", f"/v1/datasets/{path}/record")
        assert answer.json()["pid"] == pid


@pytest.mark.parametrize("path", ["a%20b/c", "a/b+c", "a/b%00", "hsc.maxiv/01", "a/b@0", "é/ü"])
def test_what_is_no_pid_is_pointed_to(ask: Asking, path: str) -> None:
    assert pointers(ask("GET", f"/v1/datasets/{path}/record")) == {"/id"}


def test_head_gives_the_headers_of_get_and_options_the_methods(ask: Asking) -> None:
    got, headed = ask("GET", "/v1/datasets"), ask("HEAD", "/v1/datasets")
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["etag"] == got.headers["etag"]
    assert headed.headers["content-length"] == str(len(got.content))
    asked = ask("OPTIONS", "/v1/datasets")
    assert (asked.status_code, asked.headers["allow"]) == (204, "GET, HEAD, POST")
    refused = ask("DELETE", "/v1/datasets")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    assert ask("OPTIONS", "/v1/nothing").status_code == 404


def test_who_has_the_answer_already_gets_none(ask: Asking) -> None:
    tag = ask("GET", "/v1/datasets").headers["etag"]
    for asked in (tag, f'"x", W/{tag}', "*"):
        again = ask("GET", "/v1/datasets", headers={"If-None-Match": asked})
        assert (again.status_code, again.content) == (304, b"")
    assert ask("POST", "/v1/datasets", json=registration()).status_code == 201
    assert ask("GET", "/v1/datasets", headers={"If-None-Match": tag}).status_code == 200


def test_an_error_nobody_foresaw_tells_a_number_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(bearer: str | None, link: str | None) -> Caller:
        raise RuntimeError("a secret")

    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    with asking(create_app(database, authenticate=broken)) as ask:
        answer = ask("GET", "/v1/me")
    database.close()
    assert answer.status_code == 500
    assert "secret" not in answer.text
    number = answer.headers["x-request-id"]
    assert answer.json()["instance"] == f"urn:hsc:request:{number}"
    logged = [line for line in caplog.records if number in line.getMessage()]
    assert any(line.exc_info for line in logged)


def test_every_answer_has_the_headers_that_keep_browsers_from_guessing(ask: Asking) -> None:
    for answer in (ask("GET", "/v1"), ask("GET", "/nothing"), ask("POST", "/v1/datasets")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert len(answer.headers["x-request-id"]) == 26


def test_the_log_has_no_queries(ask: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="hsc.catalog.requests")
    ask("GET", "/v1/datasets?text=hidden")
    assert any("GET /v1/datasets 200" in line.getMessage() for line in caplog.records)
    assert "hidden" not in caplog.text


def test_a_catalog_that_cannot_be_used_says_when_to_come_again(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    with asking(create_app(database, authenticate=everybody)) as ask:
        assert ask("GET", "/v1/health").status_code == 200
        database.close()
        answer = ask("GET", "/v1/health")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert str(tmp_path) not in answer.text


def test_no_token_counts_where_nobody_is_known(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    with asking(create_app(database)) as ask:
        assert ask("GET", "/v1/me").json()["subject"] is None
        refused = ask("GET", "/v1/me", token="x")  # noqa: S106 - no secret
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        written = ask("POST", "/v1/datasets", json=registration())
        assert written.status_code == 401
    database.close()
