"""Wrong fields, each answered 422 with its pointer; long, deep and odd documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faces.asking import Asking, asking

from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog.access import OPERATOR, Caller
from hsc_catalog.app import create_app
from hsc_catalog.sql import open_database

ARRAY = example_dataset().document()["arrays"][0]

# What is put where, in a dataset that is right otherwise, and where the answer points to.
WRONG: list[tuple[str, Any, str]] = [
    ("pid", "hsc.maxiv", "/pid"),
    ("pid", "hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV/x", "/pid"),
    ("pid", "hsc maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/pid"),
    ("pid", 7, "/pid"),
    ("version", 0, "/version"),
    ("version", 10**18, "/version"),
    ("version", "first", "/version"),
    ("kind", "cooked", "/kind"),
    ("title", None, "/title"),
    ("title", "\ud800", "/title"),
    ("facility", ["maxiv"], "/facility"),
    ("created", "yesterday", "/created"),
    ("created", "2026-11-22T12:00:00", "/created"),
    ("created", "0001-01-01T00:00:00+23:00", "/created"),
    ("bytes_in", -1, "/bytes_in"),
    ("bytes_in", 2**63, "/bytes_in"),
    ("bytes_in", 1.5, "/bytes_in"),
    ("visibility", "everybody", "/visibility"),
    ("keywords", "one", "/keywords"),
    ("keywords", [1], "/keywords/0"),
    ("arrays", [{**ARRAY, "shape": ["many"]}], "/arrays/0/shape/0"),
    ("arrays", [ARRAY, {**ARRAY, "way": "carrier"}], "/arrays/1/way"),
    ("gaps", [{"path": "/x"}], "/gaps/0/reason"),
    ("quantities", {"a/b": {"value": "12", "unit": 7}}, "/quantities/a~1b/unit"),
    ("quantities", {"x": {"unit": "keV"}}, "/quantities/x/value"),
    ("quantities", {"x": 12}, "/quantities/x"),
    ("people", [{"name": 1}], "/people/0/name"),
    ("surprise", 1, "/surprise"),
    ("format", "hsc.dataset/2", "/format"),
    ("format", "hsc.activity/1", "/format"),
]


def everybody(bearer: str | None, link: str | None) -> Caller:
    return OPERATOR


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Ask a catalog that takes everybody for its operator."""
    folder: Path = tmp_path_factory.mktemp("catalog")
    database = open_database(f"sqlite:///{folder}/catalog.sqlite", 5)
    with asking(create_app(database, authenticate=everybody)) as ask:
        yield ask
    database.close()


def registration(**changes: Any) -> dict[str, Any]:
    dataset = {**example_dataset().document(), **changes}
    return {"dataset": dataset, "activity": example_activity().document()}


@pytest.mark.parametrize(("field", "value", "pointer"), WRONG)
def test_a_wrong_field_is_pointed_to(ask: Asking, field: str, value: Any, pointer: str) -> None:
    answer = ask("POST", "/v1/datasets", json=registration(**{field: value}))
    assert answer.status_code == 422, answer.text
    assert f"/dataset{pointer}" in {fault["pointer"] for fault in answer.json()["errors"]}
    assert ask("GET", "/v1/datasets?limit=0").json()["total"] == 0


@pytest.mark.parametrize("missing", ["dataset", "activity"])
def test_a_missing_record_is_pointed_to(ask: Asking, missing: str) -> None:
    posted = registration()
    del posted[missing]
    answer = ask("POST", "/v1/datasets", json=posted)
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{missing}"]


@pytest.mark.parametrize(
    "unit", ["ph/s", "a.u.", "keV per fortnight", "", "🧪", "__import__('os')"]
)
def test_no_unit_is_lost_changed_or_run(ask: Asking, unit: str, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    with asking(create_app(database, authenticate=everybody)) as fresh:
        posted = registration(quantities={"flux": {"value": 3.0e12, "unit": unit}})
        answer = fresh("POST", "/v1/datasets", json=posted)
        assert answer.status_code == 201, answer.text
        got = fresh("GET", f"{answer.headers['location']}/record").json()
        assert got["quantities"] == posted["dataset"]["quantities"]
    database.close()


def test_ten_megabytes_come_back_byte_for_byte(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    metadata = {f"motor_{n}": {"value": n / 7, "unit": "mm"} for n in range(250_000)}
    posted = registration(scientific_metadata={"log": "x" * 1000})
    dataset = json.dumps({**posted["dataset"], "scientific_metadata": metadata})
    assert len(dataset) > 10_000_000
    body = f'{{"dataset": {dataset}, "activity": {json.dumps(posted["activity"])}}}'
    with asking(create_app(database, authenticate=everybody)) as fresh:
        answer = fresh("POST", "/v1/datasets", content=body)
        if answer.status_code == 422:  # the record's own limit, told with its pointer
            faults = answer.json()["errors"]
            assert faults[0]["pointer"] == "/dataset/scientific_metadata"
        else:
            assert answer.status_code == 201, answer.text[:500]
            assert fresh("GET", f"{answer.headers['location']}/record").text == dataset
    database.close()
