"""Every route of the OpenAPI description, asked in every role, against a table written by hand.

The table is the specification: it is not derived from anything that the application knows. A route
that is added without a line here fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from faces.people import INSTRUMENT, PROPOSAL, ROLES, STANDINGS, Stage, pid_path, stage

from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog.access import OPERATOR
from hsc_catalog.app.describing import description
from hsc_catalog.identity import create_token

WIDE = {"owner", "staff", "lead", "administrator"}
SEES: Mapping[str, set[str]] = {
    "private": WIDE | {"link"},
    "group": WIDE | {"member"},
    "public": set(ROLES) - {"late", "narrow"},
    "embargoed": WIDE | {"member"},
    "proprietary": WIDE | {"member"},
    "human": WIDE | {"member", "link"},
}
"""Who sees a dataset, by how it stands."""

SIGNED_IN = {"stranger", "member", "staff", "lead", "administrator", "ingestor", "owner"}

# What a route asks of whoever sees the dataset, and who has it. Who sees the dataset and has it not
# is refused with 403, who doesn't see it finds nothing; in that order after 401.
RIGHTS: Mapping[str, tuple[set[str], bool, int]] = {
    # who may,                     whether signing in is asked first, answer
    "see": (set(ROLES), False, 200),
    "amend": (WIDE, True, 200),
    "annotate": (SIGNED_IN, True, 201),
    "tell a replica": (WIDE | {"ingestor"}, True, 201),
    "know its access": (WIDE | {"member"}, False, 200),
    "share": ({"lead", "administrator"}, True, 200),
    "make a link": ({"lead", "administrator"}, True, 201),
    "list links": ({"lead", "administrator"}, True, 200),
    # It lies in no store that the server delivers from, and only who sees it is told so.
    "reach its objects": (set(ROLES), False, 409),
    "withdraw a link": ({"lead", "administrator"}, True, 404),
}

DATASET_ROUTES: Mapping[tuple[str, str], str] = {
    ("GET", ""): "see",
    ("GET", "/record"): "see",
    ("GET", "/replicas"): "see",
    ("GET", "/lineage"): "see",
    ("GET", "/datacite"): "see",
    ("GET", "/prov"): "see",
    ("GET", "/crate"): "see",
    ("PATCH", ""): "amend",
    ("POST", "/annotations"): "annotate",
    ("POST", "/replicas"): "tell a replica",
    ("GET", "/access"): "know its access",
    ("PATCH", "/access"): "share",
    ("GET", "/links"): "list links",
    ("POST", "/links"): "make a link",
    ("DELETE", "/links/{link_id}"): "withdraw a link",
    ("POST", "/urls"): "reach its objects",
    ("POST", "/credentials"): "reach its objects",
    ("GET", "/objects/{key}"): "reach its objects",
}

NOT_IN = {"anonymous", "link"}
REFUSED = {"late": 401, "narrow": 403}


def all_but(answer: int, **others: int) -> dict[str, int]:
    return {**dict.fromkeys(ROLES, answer), **REFUSED, **others}


def signed_in(answer: int, **others: int) -> dict[str, int]:
    return all_but(answer, anonymous=401, link=401, **others)


CREATES = signed_in(201, stranger=403, owner=403)
KEEPS: Mapping[str, dict[str, int]] = {
    "facilities": signed_in(403, administrator=200),
    "instruments": signed_in(403, administrator=200),
    "proposals": signed_in(403, administrator=200, ingestor=200),
    "samples": signed_in(200, stranger=403, owner=403),
    "publications": signed_in(200),
}

# Routes about no single dataset: what each role is answered.
OTHER_ROUTES: Mapping[tuple[str, str], dict[str, int]] = {
    ("GET", "/v1"): dict.fromkeys(ROLES, 200),
    ("GET", "/v1/health"): dict.fromkeys(ROLES, 200),
    ("GET", "/v1/me"): all_but(200, narrow=200),
    ("GET", "/v1/datasets"): all_but(200),
    ("GET", "/v1/facets"): all_but(200),
    ("POST", "/v1/datasets"): CREATES,
    ("POST", "/v1/datasets:batch"): CREATES,
    ("POST", "/v1/datasets:check"): signed_in(204, stranger=403, owner=403),
    ("POST", "/v1/import"): signed_in(200),
    ("GET", "/v1/export"): all_but(200),
    ("GET", "/v1/activities"): all_but(200),
    ("POST", "/v1/activities"): signed_in(201),
    ("GET", "/v1/tokens"): signed_in(200, narrow=200),
    ("POST", "/v1/tokens"): signed_in(201),
    ("DELETE", "/v1/tokens/{id}"): signed_in(404, narrow=404),
    **{
        ("GET", f"/v1/{many}"): all_but(200)
        for many in ("facilities", "instruments", "proposals", "samples", "publications")
    },
    **{("PUT", f"/v1/{many}/{{key}}"): table for many, table in KEEPS.items()},
}

# Routes to one record that is no dataset: seen or not, by the dataset that leads to it.
RECORD_ROUTES = {
    ("GET", "/v1/activities/{id}"),
    *(
        ("GET", f"/v1/{many}/{{key}}")
        for many in ("facilities", "instruments", "proposals", "samples", "publications")
    ),
}

DATASET = "/v1/datasets/{prefix}/{id}"


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give the stage, set once."""
    with stage(tmp_path_factory.mktemp("stage")) as on:
        yield on


def expected(role: str, standing: str, right: str) -> int:
    """Say what a role is answered on a route about a dataset."""
    may, sign_in_first, answer = RIGHTS[right]
    if role == "late":
        return 401
    if role == "narrow":  # its one scope is share
        shares = right in ("share", "make a link", "list links", "withdraw a link")
        sees = "member" in SEES[standing] or standing == "public"
        return (403 if sees else 404) if shares else 403
    if sign_in_first and role in NOT_IN:
        return 401
    if role not in SEES[standing]:
        return 404
    return answer if role in may else 403


def body_for(method: str, tail: str) -> dict[str, Any]:
    """Give what a request to a route about a dataset brings; nothing that changes who sees it."""
    bodies: dict[tuple[str, str], Any] = {
        ("PATCH", ""): {"description": "x", "reason": "x"},
        ("POST", "/annotations"): {"kind": "note", "text": "x"},
        ("PATCH", "/access"): {"clear_flag": True, "reason": "x"},
        ("POST", "/links"): {"days": 1},
        ("POST", "/urls"): {"keys": ["manifest"]},
        ("POST", "/replicas"): {
            "replica": {"location": "file:///copy", "since": "2026-11-22T12:00:00Z"},
            "activity": example_activity().document(),
        },
    }
    found = bodies.get((method, tail))
    return {} if found is None else {"json": found}


def test_every_route_has_a_line() -> None:
    described = {
        (method.upper(), path)
        for path, operations in description()["paths"].items()
        for method in operations
    }
    of_datasets = {(method, DATASET + tail) for method, tail in DATASET_ROUTES}
    written = of_datasets | set(OTHER_ROUTES) | RECORD_ROUTES
    assert described - written == set(), "write down who may: in this file's tables"
    assert written - described == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("standing", STANDINGS)
def test_a_dataset_answers_each_role_as_the_table_says(on: Stage, role: str, standing: str) -> None:
    path, wrong = pid_path(on.datasets[standing].pid), []
    for (method, tail), right in DATASET_ROUTES.items():
        asked = path + tail.replace("{link_id}", "aaaaaaaaaaaa").replace("{key}", "manifest")
        answer = on(role, method, asked, **body_for(method, tail))
        wanted = expected(role, standing, right)
        if answer.status_code != wanted:
            wrong.append((method, tail, wanted, answer.status_code, answer.text[:300]))
        if wanted >= 400:
            assert f"Secret {standing}" not in answer.text
            assert f"sample {standing}" not in answer.text
    assert not wrong


def test_what_is_hidden_is_answered_word_for_word_like_what_is_not_there(on: Stage) -> None:
    hidden, absent = on.datasets["private"].pid, example_dataset().pid
    for role in ("anonymous", "stranger", "member", "ingestor"):
        for method, tail in DATASET_ROUTES:
            answers = []
            for pid in (hidden, absent):
                asked = pid_path(pid) + tail.replace("{link_id}", "aaaaaaaaaaaa").replace(
                    "{key}", "manifest"
                )
                answer = on(role, method, asked, **body_for(method, tail))
                document = answer.json()
                document.pop("instance")
                told = str(document).replace(str(pid), "PID")
                answers.append((answer.status_code, told, sorted(answer.headers)))
            assert answers[0] == answers[1], (role, method, tail)


@pytest.mark.parametrize("role", ROLES)
def test_the_other_routes_answer_each_role_as_the_table_says(on: Stage, role: str) -> None:
    wrong = []
    for (method, path), table in OTHER_ROUTES.items():
        asked, body = other_request(method, path, role)
        answer = on(role, method, asked, **body)
        if answer.status_code != table[role]:
            wrong.append((method, path, table[role], answer.status_code, answer.text[:300]))
    assert not wrong


def noun(many: str, role: str) -> tuple[str, dict[str, Any]]:
    """Give key and document of a noun that a role wants to keep, one of its own for each."""
    facts = {"facility": "maxiv", "name": "x", "id": role, "title": "x"}
    facility = {"id": role, "name": "x", "pid_prefix": "hsc.x", "time_zone": "UTC"}
    return {
        "facilities": (role, facility),
        "instruments": ("maxiv/NanoMAX", {"facility": "maxiv", "name": "NanoMAX"}),
        "proposals": (f"maxiv/{role}", {"facility": "maxiv", "number": role, "title": "x"}),
        "samples": (
            f"maxiv/20260123/{role}",
            {**{k: facts[k] for k in ("facility", "name", "id")}, "proposal": "20260123"},
        ),
        "publications": (role, {"id": role, "title": "x"}),
    }[many]


def other_request(method: str, path: str, role: str) -> tuple[str, dict[str, Any]]:
    """Give path and body of a request to a route about no single dataset."""
    registration = {
        "dataset": example_dataset(title="New").document(),
        "activity": example_activity().document(),
    }
    if method == "PUT":
        key, document = noun(path.split("/")[2], role)
        return path.replace("{key}", key), {"json": document}
    bodies: dict[str, Any] = {
        "/v1/datasets": registration,
        "/v1/datasets:batch": {"items": [registration]},
        "/v1/datasets:check": {"facility": "maxiv", "instrument": "CoSAXS", "proposal": "20260123"},
        "/v1/import": registration,
        "/v1/activities": example_activity().document(),
        "/v1/tokens": {"name": "x", "scopes": ["read"]},
    }
    found = bodies.get(path) if method == "POST" else None
    return path.replace("{id}", "aaaaaaaaaaaa"), {} if found is None else {"json": found}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"late", "narrow"}))
def test_lists_and_counts_hold_what_a_role_sees_and_nothing_else(on: Stage, role: str) -> None:
    seen = {f"Secret {standing}" for standing in STANDINGS if role in SEES[standing]}
    answer = on(role, "GET", "/v1/datasets?text=secret&limit=100").json()
    assert {each["title"] for each in answer["datasets"]} == seen
    assert answer["total"] == len(seen)
    counts = on(role, "GET", "/v1/facets?text=secret").json()
    assert counts["total"] == len(seen)
    assert sum(counts["counts"].get("sample", {}).values() or [len(seen)]) == len(seen)
    lines = [json.loads(line) for line in on(role, "GET", "/v1/export").text.splitlines()]
    exported = {line["dataset"]["title"] for line in lines if "dataset" in line}
    assert {title for title in exported if title.startswith("Secret")} == seen
    listed = on(role, "GET", "/v1/activities?limit=10000").json()["activities"]
    ids = {each["id"] for each in listed}
    for standing, activity in on.activities.items():
        assert (activity in ids) == (role in SEES[standing]), standing
        found = on(role, "GET", f"/v1/activities/{activity}").status_code
        assert found == (200 if role in SEES[standing] else 404), standing


def test_what_failed_is_there_for_its_instrument_and_its_proposal_until_it_is_done(
    on: Stage,
) -> None:
    told = {"state": "failed", "facility": "maxiv", "instrument": "CoSAXS"}
    there = {"proposal": "20260123"}
    sees = {"ingestor", "administrator", "staff"}
    everybody = set(ROLES) - {"late", "narrow"}
    for more, seen in (({}, sees), (there, sees | {"member", "lead"})):
        failed = {**example_activity().document(), **told, **more}
        assert on("ingestor", "POST", "/v1/activities", json=failed).status_code == 201
        path = f"/v1/activities/{failed['id']}"
        assert {each for each in everybody if on(each, "GET", path).status_code == 200} == seen
        listed = {
            each for each in everybody if failed["id"] in on(each, "GET", "/v1/activities").text
        }
        assert listed == seen
        # Once it is done who sees what came of it sees it: here nothing did.
        on("ingestor", "POST", "/v1/activities", json={**failed, "state": "done"})
        after = {each for each in everybody if on(each, "GET", path).status_code == 200}
        assert after == {"ingestor", "administrator"}


def test_nobody_puts_what_failed_before_those_for_whom_they_register_nothing(on: Stage) -> None:
    told = {"state": "failed", "facility": "maxiv", "instrument": "CoSAXS", "proposal": "20260123"}
    failed = {**example_activity().document(), **told}
    assert on("stranger", "POST", "/v1/activities", json=failed).status_code == 201
    for role in ("staff", "member", "lead", "anonymous"):
        assert on(role, "GET", f"/v1/activities/{failed['id']}").status_code == 404


def test_a_publication_that_names_nothing_is_published_by_administrators_alone(on: Stage) -> None:
    for role in ("stranger", "member", "lead", "owner", "ingestor", "administrator"):
        told = {"id": f"empty-{role}", "title": "x", "state": "registered"}
        kept = on(role, "PUT", f"/v1/publications/{told['id']}", json=told)
        assert kept.status_code == (200 if role == "administrator" else 403), role
    public = {"dataset": str(on.datasets["public"].pid)}
    told = {"id": "cited", "title": "x", "state": "registered", "members": [public]}
    assert on("lead", "PUT", "/v1/publications/cited", json=told).status_code == 200


def test_who_annotated_public_data_is_told_to_whom_may_know_who_sees_it(on: Stage) -> None:
    path = pid_path(on.datasets["public"].pid)
    note = {"kind": "note", "text": "The beam was lost."}
    assert on("stranger", "POST", f"{path}/annotations", json=note).status_code == 201
    for role in ("anonymous", "link", "stranger", "member", "lead", "administrator", "ingestor"):
        said = on(role, "GET", path).json()["annotations"]
        names = {each.get("by") for each in said if each["text"] == note["text"]}
        told = role in ("stranger", "member", "lead", "administrator")
        assert names == ({"stranger"} if told else {None}), role


def test_an_ingestor_keeps_nouns_with_the_scope_that_it_registers_with(on: Stage) -> None:
    scopes = {"read", "ingest"}
    document = {"facility": "maxiv", "number": "20260123", "title": "x"}
    for who, status in (("lead", 403), ("ingestor", 200)):
        made = create_token(on.database, OPERATOR, name=who, scopes=scopes, subject=who)
        kept = on.ask("PUT", f"/v1/proposals/{PROPOSAL}", made.text, json=document)
        assert kept.status_code == status


def test_the_words_of_the_stage_are_those_of_the_records() -> None:
    dataset = example_dataset()
    assert f"{dataset.facility}/{dataset.proposal}" == PROPOSAL
    assert f"{dataset.facility}/{dataset.instrument}" == INSTRUMENT
