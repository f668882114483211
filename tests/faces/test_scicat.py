"""The face in whole: changes, filters, facets, public twins, hsc's own datasets, who sees what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faces.asking import Asking, asking
from servers.postgresql import Postgresql

import hsc
from hsc.errors import UnauthenticatedError
from hsc.model import Pid
from hsc_catalog.access import ALL_SCOPES, ANONYMOUS, OPERATOR, Caller
from hsc_catalog.app import create_app
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.databases import Database
from hsc_catalog.faces.scicat import ScicatFace, Site
from hsc_catalog.sql import open_database

SITE = Site("local", "hsc.local", "http://catalog.test/api")
CALLERS = {
    "anna": Caller("anna", groups=frozenset({"uu"}), scopes=ALL_SCOPES),
    "bert": Caller("bert", groups=frozenset({"other"}), scopes=ALL_SCOPES),
    "reader": Caller("anna", groups=frozenset({"uu"}), scopes=frozenset({"read"})),
    "clerk": Caller("anna", groups=frozenset({"uu"}), scopes=ALL_SCOPES - {"share"}),
    "operator": OPERATOR,
}


def authenticate(bearer: str | None, link: str | None) -> Caller:
    if bearer is None:
        return ANONYMOUS
    if bearer not in CALLERS:
        raise UnauthenticatedError("no such token")
    return CALLERS[bearer]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/catalog.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def ask(database: Database) -> Iterator[Asking]:
    app = create_app(database, authenticate=authenticate, scicat=ScicatFace(SITE))
    with asking(app) as opened:
        yield opened


def post(ask: Asking, caller: str = "anna", **changes: Any) -> Any:
    document = {
        "contactEmail": "a@b.se",
        "creationTime": "2026-01-01T00:00:00Z",
        "datasetName": "Magic",
        "owner": "Anna",
        "ownerGroup": "uu",
        "sourceFolder": "/x",
        "type": "raw",
        **changes,
    }
    answer = ask("POST", "/api/v4/datasets", caller, json=document)
    assert answer.status_code == 201, answer.text
    return answer.json()


def get(ask: Asking, path: str, caller: str | None = "anna", **query: Any) -> Any:
    worded = {
        name: each if isinstance(each, str) else json.dumps(each) for name, each in query.items()
    }
    answer = ask("GET", f"/api/v4/{path}", caller, params=worded)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_merge_patch_changes_what_it_names_and_removes_what_it_empties(ask: Asking) -> None:
    pid = post(ask, comment="old", scientificMetadata={"a": {"value": 1, "unit": "K"}, "b": 2})[
        "pid"
    ]
    patch = {"datasetName": "New", "comment": None, "scientificMetadata": {"a": None, "c": 3}}
    answer = ask("PATCH", f"/api/v4/datasets/{pid}", "anna", json=patch)
    assert answer.status_code == 200, answer.text
    found = get(ask, f"datasets/{pid}")
    assert (found["datasetName"], found["scientificMetadata"]) == ("New", {"b": 2, "c": 3})
    assert "comment" not in found


def test_a_patch_on_what_was_changed_since_is_refused(ask: Asking) -> None:
    pid = post(ask)["pid"]
    past = {"If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT"}
    refused = ask("PATCH", f"/api/v4/datasets/{pid}", "anna", json={"comment": "x"}, headers=past)
    assert refused.status_code == 412
    read = ask("GET", f"/api/v4/datasets/{pid}", "anna").headers["last-modified"]
    now = {"If-Unmodified-Since": read}
    done = ask("PATCH", f"/api/v4/datasets/{pid}", "anna", json={"comment": "x"}, headers=now)
    assert done.json()["comment"] == "x"


def test_a_patch_of_which_a_part_is_refused_changes_nothing(ask: Asking) -> None:
    pid = post(ask)["pid"]
    before = get(ask, f"datasets/{pid}")
    patch = {"datasetName": "Other", "comment": "x", "isPublished": True}
    assert ask("PATCH", f"/api/v4/datasets/{pid}", "clerk", json=patch).status_code == 403
    assert get(ask, f"datasets/{pid}") == before
    assert ask("PATCH", f"/api/v4/datasets/{pid}", "anna", json=patch).status_code == 200


def test_the_face_stands_on_postgresql_too(postgresql: Postgresql) -> None:
    name = postgresql.make_database()
    opened = open_database(postgresql.url(name))
    app = create_app(opened, authenticate=authenticate, scicat=ScicatFace(SITE))
    with closing(opened), asking(app) as ask:
        pids = [
            post(ask, datasetName=f"Magic {n}", keywords=[f"k{n % 2}"])["pid"] for n in range(4)
        ]
        post(ask, "bert", ownerGroup="other")
        patch = {"datasetName": "Other", "isPublished": True}
        assert ask("PATCH", f"/api/v4/datasets/{pids[0]}", "anna", json=patch).status_code == 200
        assert get(ask, "datasets", None, filter={})[0]["datasetName"] == "Other"
        found = get(ask, "datasets", filter={"where": {"keywords": "k1"}})
        assert {each["pid"] for each in found} == {pids[1], pids[3]}
        counted = get(ask, "datasets/fullfacet", fields={}, facets=["keywords"])
        (told,) = [each["keywords"] for each in counted if "keywords" in each]
        assert {each["_id"]: each["count"] for each in told} == {"k0": 2, "k1": 2}
    postgresql.drop_database(name)


def test_publishing_by_patch_shows_it_to_all_and_back(ask: Asking) -> None:
    pid = post(ask, accessGroups=["guests"])["pid"]
    path = f"/api/v4/datasets/public/{pid}"
    for published, status in ((True, 200), (False, 404)):
        patch = {"isPublished": published}
        answer = ask("PATCH", f"/api/v4/datasets/{pid}", "anna", json=patch)
        assert answer.json()["isPublished"] is published
        assert answer.json()["accessGroups"] == ["guests"]
        assert ask("GET", path).status_code == status


def test_errors_are_worded_as_scicat_words_them(ask: Asking) -> None:
    wrong = ask("POST", "/api/v4/datasets", "anna", json={"type": 3})
    assert wrong.status_code == 400
    assert set(wrong.json()) == {"statusCode", "message", "error"}
    assert "contactEmail is required" in wrong.json()["message"]
    for method, path, token, status in (
        ("GET", "/api/v4/datasets/no/such", "anna", 404),
        ("GET", "/api/v4/nothing", "anna", 404),
        ("GET", "/api/v4/datasets", "wrong", 401),
        ("POST", "/api/v4/datasets", None, 403),
        ("POST", "/api/v4/datasets", "reader", 403),
        ("GET", "/api/v4/datasets?filter={", "anna", 400),
    ):
        answer = ask(method, path, token, **({"json": {}} if method == "POST" else {}))
        assert (answer.status_code, answer.json()["statusCode"]) == (status, status), path


def test_a_pid_is_taken_once(ask: Asking) -> None:
    assert post(ask, pid="20.500.1/abc-def")["pid"] == "20.500.1/abc-def"
    again = {"pid": "20.500.1/abc-def", "contactEmail": "a@b.se", "datasetName": "x"}
    again |= {"creationTime": "2026-01-01", "owner": "x", "ownerGroup": "other", "type": "raw"}
    for caller in ("anna", "bert"):
        group = {"ownerGroup": "uu" if caller == "anna" else "other", "sourceFolder": "/y"}
        answer = ask("POST", "/api/v4/datasets", caller, json={**again, **group})
        assert answer.status_code == 409


def test_filters_facets_and_counts_agree(ask: Asking) -> None:
    for number in range(5):
        kind, keywords = ("raw", ["SAXS"]) if number % 2 else ("derived", [])
        metadata = {"t": {"value": 10.0 * number, "unit": "K"}}
        post(
            ask,
            datasetName=f"d{number}",
            type=kind,
            keywords=keywords,
            creationTime=f"2026-01-0{number + 1}T00:00:00Z",
            scientificMetadata=metadata,
        )
    listed = get(
        ask,
        "datasets",
        filter={
            "where": {"scientificMetadata.t.value": {"$gt": 5}},
            "fields": ["datasetName"],
            "limits": {"limit": 2, "skip": 1, "sort": {"creationTime": "desc"}},
        },
    )
    assert [each["datasetName"] for each in listed] == ["d3", "d2"]
    assert set(listed[0]) == {"pid", "datasetName"}
    assert get(ask, "datasets/count", filter={"where": {"type": "raw"}}) == {"count": 2}
    facets = get(ask, "datasets/fullfacet", fields={}, facets=["type", "creationTime"])[0]
    assert facets["all"] == [{"totalSets": 5}]
    assert {each["_id"]: each["count"] for each in facets["type"]} == {"raw": 2, "derived": 3}
    assert {"_id": {"year": 2026, "month": 1, "day": 1}, "count": 1} in facets["creationTime"]
    condition = {"lhs": "t", "relation": "LESS_THAN", "rhs": -258, "unit": "degC"}
    warm = ask(
        "GET",
        "/api/v3/Datasets/fullquery/",
        "anna",
        params={"fields": json.dumps({"scientific": [condition], "text": "d1"})},
    ).json()
    assert [each["datasetName"] for each in warm] == ["d1"]
    assert get(ask, "datasets/metadataKeys") == ["t"]
    assert get(ask, "datasets/findOne", filter={"where": {"keywords": "SAXS"}})["type"] == "raw"


def test_what_may_not_be_seen_is_in_no_answer(ask: Asking) -> None:
    secret = post(ask, datasetName="secret", keywords=["hidden"], proposalIds=["p7"])["pid"]
    block = {"datasetId": secret, "size": 1, "dataFileList": []}
    assert ask("POST", "/api/v4/origdatablocks", "anna", json=block).status_code == 201
    shown = post(ask, datasetName="shown", isPublished=True)["pid"]
    where = {"where": {"pid": secret}}
    for token in ("bert", None):
        for version in ("v3", "v4"):
            for path in ("datasets", "datasets/public", "datasets/fullquery", "datasets/findOne"):
                answer = ask("GET", f"/api/{version}/{path}", token)
                assert secret not in answer.text, path
                assert ask(
                    "GET", f"/api/{version}/{path}", token, params={"filter": json.dumps(where)}
                ).text in ("[]", ""), path
            count = ask("GET", f"/api/{version}/datasets/count", token).json()
            assert count == {"count": 1}
            facets = ask(
                "GET",
                f"/api/{version}/datasets/fullfacet",
                token,
                params={"facets": '["keywords", "proposalIds", "datasetName"]'},
            )
            assert "hidden" not in facets.text
            assert "secret" not in facets.text
            for part in ("", "/origdatablocks", "/attachments", "/datasetlifecycle"):
                answer = ask("GET", f"/api/{version}/datasets/{secret}{part}", token)
                assert answer.status_code == 404, part
                assert (
                    ask("GET", f"/api/{version}/datasets/{shown}{part}", token).status_code == 200
                )
    for method, path, body in (
        ("PATCH", f"datasets/{secret}", {"comment": "x"}),
        ("POST", "origdatablocks", block),
        ("POST", f"datasets/{secret}/attachments", {"caption": "x", "ownerGroup": "other"}),
    ):
        assert ask(method, f"/api/v4/{path}", "bert", json=body).status_code == 404
    for method, path, body in (
        ("PATCH", f"datasets/{shown}", {"comment": "x"}),
        ("POST", f"datasets/{shown}/attachments", {"caption": "x", "ownerGroup": "other"}),
    ):
        assert ask(method, f"/api/v4/{path}", "bert", json=body).status_code == 403


def test_a_derived_dataset_tells_no_input_that_may_not_be_seen(
    ask: Asking, database: Database
) -> None:
    first = post(ask)["pid"]
    second = post(ask, type="derived", inputDatasets=[first, "elsewhere/1"])
    assert second["inputDatasets"] == [first, "elsewhere/1"]
    catalog = SqlCatalog(database, OPERATOR)
    edges = catalog.lineage(Pid.parse(second["pid"]), up=True, down=False, depth=1).edges
    assert (f"{second['pid']}@1", "was_derived_from", f"{first}@1") in {
        (each.subject, each.predicate, each.object) for each in edges
    }
    # An input that nobody here knows: it stays private until somebody looked.
    assert ask("GET", f"/api/v4/datasets/{second['pid']}", "bert").status_code == 404


def test_no_count_tells_of_a_relation_that_may_not_be_seen(ask: Asking) -> None:
    secret = post(ask)["pid"]
    related = {"pid": secret, "relationship": "is part of"}
    shown = post(ask, isPublished=True, relationships=[related, {**related, "pid": f"{secret}@1"}])
    assert secret in json.dumps(get(ask, f"datasets/{shown['pid']}")["relationships"])
    names = ["relationships.pid", "relationships.identifier", "inputDatasets"]
    for who in ("bert", None):
        assert secret not in json.dumps(get(ask, "datasets", who))
        assert secret not in json.dumps(get(ask, "datasets/fullfacet", who, facets=names))
        named = {"where": {"relationships": {"$in": [related]}}}
        assert get(ask, "datasets/count", who, filter=named) == {"count": 0}


def test_a_dataset_of_hsc_is_served_with_the_objects_of_its_manifest(tmp_path: Path) -> None:
    import h5py
    import numpy as np

    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["entry/data/data"] = np.arange(24, dtype="u2").reshape(2, 3, 4)
    done = hsc.ingest(tmp_path / "scan.h5")
    from hsc import settings

    opened = open_database(settings.catalog_url())
    app = create_app(opened, authenticate=authenticate, scicat=ScicatFace(SITE))
    with asking(app) as ask:
        found = get(ask, f"datasets/{done.pid}", "operator", include="origdatablocks")
        files = found["origdatablocks"][0]["dataFileList"]
        assert found["usedSoftware"]
        assert found["jobParameters"]
        assert {each["path"] for each in files} >= {"data.zarr/zarr.json"}
        assert all(len(each["chk"]) == 64 for each in files)
        patch = partial(ask, "PATCH", f"/api/v4/datasets/{done.pid}", "operator")
        assert patch(json={"datasetName": "Better"}).json()["datasetName"] == "Better"
        assert patch(json={"classification": "x"}).status_code == 400
    opened.close()
