"""Registering over HTTP: byte for byte, once, all or none, and line by line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from faces.asking import Asking, asking

from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog.access import OPERATOR, Caller
from hsc_catalog.app import Limits, create_app
from hsc_catalog.sql import open_database


def everybody(bearer: str | None, link: str | None) -> Caller:
    return OPERATOR


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    """Ask a catalog that takes everybody for its operator."""
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    limits = Limits(body_nbytes=50_000, batch=20, import_nbytes=1_000_000)
    with asking(create_app(database, authenticate=everybody, limits=limits)) as ask:
        yield ask
    database.close()


def registration(**changes: Any) -> dict[str, Any]:
    dataset = example_dataset(**changes)
    return {"dataset": dataset.document(), "activity": example_activity().document()}


def total(ask: Asking) -> int:
    return int(ask("GET", "/v1/datasets?limit=0").json()["total"])


def test_a_record_comes_back_byte_for_byte(ask: Asking) -> None:
    posted = registration()
    dataset = json.dumps(posted["dataset"], indent=3).replace("12.398", "1.2398e1")
    body = f' {{"activity": {json.dumps(posted["activity"])} ,\n "dataset":  {dataset} }} '
    answer = ask("POST", "/v1/datasets", content=body)
    assert answer.status_code == 201, answer.text
    got = ask("GET", f"{answer.headers['location']}/record")
    assert got.text == dataset
    assert got.json()["quantities"]["photon_energy"]["value"] == 12.398


def test_a_batch_keeps_the_bytes_of_each(ask: Asking) -> None:
    texts = [json.dumps(registration()["dataset"], indent=n) for n in (1, 2, 3)]
    activity = json.dumps(example_activity().document())
    listed = ", ".join(f'{{"dataset": {text}, "activity": {activity}}}' for text in texts)
    answer = ask("POST", "/v1/datasets:batch", content=f'{{"items": [{listed}]}}')
    assert answer.status_code == 201, answer.text
    got = [ask("GET", f"/v1/datasets/{pid}/record").text for pid in answer.json()["pids"]]
    assert got == texts


def test_one_that_can_not_be_kept_keeps_the_whole_batch_out(ask: Asking) -> None:
    kept = registration()
    assert ask("POST", "/v1/datasets", json=kept).status_code == 201
    other = {**kept, "dataset": {**kept["dataset"], "root": "blake3:" + "f" * 64}}
    refused = ask("POST", "/v1/datasets:batch", json={"items": [registration(), other]})
    assert refused.status_code == 409
    assert total(ask) == 1
    wrong = registration()
    wrong["dataset"]["bytes_in"] = -1
    refused = ask("POST", "/v1/datasets:batch", json={"items": [registration(), wrong]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/items/1/dataset/bytes_in"
    assert total(ask) == 1


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": {}}, [], {"items": [1], "x": 1}])
def test_what_is_no_batch_is_told(ask: Asking, body: Any) -> None:
    assert ask("POST", "/v1/datasets:batch", json=body).status_code == 422


def test_a_batch_of_too_many_is_refused(ask: Asking) -> None:
    assert ask("POST", "/v1/datasets:batch", json={"items": [{}] * 21}).status_code == 413


def test_a_request_sent_again_is_done_once(ask: Asking) -> None:
    posted = registration()
    key = {"Idempotency-Key": "run 17"}
    first = ask("POST", "/v1/datasets", json=posted, headers=key)
    again = ask("POST", "/v1/datasets", json=posted, headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = ask("POST", "/v1/datasets", json=registration(), headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "urn:hsc:ConflictError")
    assert total(ask) == 1


def lines_of(*documents: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in documents)


def test_wrong_lines_are_told_by_number_and_keep_no_other_out(ask: Asking) -> None:
    good = [registration() for _ in range(3)]
    other_root = {**good[0], "dataset": {**good[0]["dataset"], "root": "blake3:" + "f" * 64}}
    negative = registration(title="x")
    negative["dataset"]["bytes_in"] = -1
    body = (
        lines_of(good[0])
        + b"\n  \nnonsense\n"
        + lines_of(good[1], other_root, negative)
        + b'{"dataset": "'
        + b"x" * 60_000
        + b'"}\n'
        + json.dumps(good[2]).encode()
    )
    answer = ask("POST", "/v1/import", content=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["kept"], told["wrong"]) == (3, 4)
    kinds = {line["line"]: line["type"].removeprefix("urn:hsc:") for line in told["lines"]}
    assert kinds == {
        4: "InvalidRecordError",
        6: "ConflictError",
        7: "InvalidRecordError",
        8: "TooLargeError",
    }
    pointers = {line["line"]: line.get("errors") for line in told["lines"]}
    assert pointers[7][0]["pointer"] == "/dataset/bytes_in"
    assert total(ask) == 3
    assert ask("POST", "/v1/import", content=body).json()["kept"] == 3
    assert total(ask) == 3


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_import_may_come_in_parts_of_any_size(ask: Asking, size: int) -> None:
    # Larger than a request may be otherwise.
    count = 2 if size == 1 else 30
    body = lines_of(*(registration() for _ in range(count)))

    async def parts() -> AsyncIterator[bytes]:
        for first in range(0, len(body), size):
            yield body[first : first + size]

    told = ask("POST", "/v1/import", content=parts()).json()
    assert (told["kept"], told["wrong"]) == (count, 0)
    assert total(ask) == count


def test_what_is_exported_can_be_imported_elsewhere(ask: Asking, tmp_path: Path) -> None:
    pids = []
    source = "blake3:cc"
    for step in range(5):
        dataset, activity = example_dataset(title=f"Step {step}"), example_activity()
        edges = [each.document() for each in generated(dataset, activity, [source])]
        document = json.dumps(dataset.document(), indent=2)
        body = (
            f'{{"dataset": {document}, "activity": {json.dumps(activity.document())}, '
            f'"edges": {json.dumps(edges)}}}'
        )
        assert ask("POST", "/v1/datasets", content=body).status_code == 201
        source = f"{dataset.pid}@1"
        pids.append(dataset.pid)
    exported = ask("GET", "/v1/export")
    assert len(exported.content.splitlines()) == 5
    database = open_database(f"sqlite:///{tmp_path}/other.sqlite", 5)
    with asking(create_app(database, authenticate=everybody)) as other:
        told = other("POST", "/v1/import", content=exported.content).json()
        assert (told["kept"], told["wrong"]) == (5, 0)
        for pid in pids:
            record = f"/v1/datasets/{pid}/record"
            assert other("GET", record).json() == ask("GET", record).json()
            graphs = [each("GET", f"/v1/datasets/{pid}/lineage").json() for each in (other, ask)]
            for graph in graphs:
                graph["edges"].sort(key=str)
                graph["nodes"].sort(key=str)
            assert graphs[0] == graphs[1]
        assert other("GET", "/v1/export").content == exported.content
    database.close()


def test_an_export_leaves_no_version_out(ask: Asking) -> None:
    told = registration(title="Made by nobody knows whom")
    assert ask("POST", "/v1/datasets", json=told).status_code == 201
    line, alone = map(json.loads, ask("GET", "/v1/export").text.splitlines())
    assert line.pop("access")["owner"] is None
    assert line == {"dataset": told["dataset"], "edges": []}
    assert alone == {"activity": told["activity"]}
    again = ask("POST", "/v1/import", content=json.dumps(line)).json()
    assert again["wrong"] == 1
    assert again["lines"][0]["errors"][0]["pointer"] == "/activity"


def test_an_import_is_bounded_too(ask: Asking) -> None:
    line = json.dumps(registration(title="Kept")) + "\n"
    told = ask("POST", "/v1/import", content=line + "\n" * 1_000_000)
    assert told.status_code == 413
