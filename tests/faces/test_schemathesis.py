"""Requests that nobody would write: made by schemathesis from the description, none answered 500.

The short form asks each route a few times; ``HSC_SCHEMATHESIS=500`` asks it that often.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from faces.asking import Asking, asking

from hsc_catalog.access import ALL_SCOPES, Caller
from hsc_catalog.app import create_app
from hsc_catalog.app.describing import description
from hsc_catalog.sql import open_database

# Read when the tests are collected: conftest clears the environment of a test.
OFTEN = int(os.environ.get("HSC_SCHEMATHESIS") or 2)

# What is no JSON it can't make: imports have tests of their own.
schema = schemathesis.openapi.from_dict(description()).exclude(path="/v1/import")
if "HSC_SCHEMATHESIS" not in os.environ:
    schema.config.phases.update(phases=["fuzzing"])


def everybody(bearer: str | None, link: str | None) -> Caller:
    return Caller("anna", roles=frozenset({"administrator"}), scopes=ALL_SCOPES)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Ask a catalog whose caller may do everything, so that requests get far."""
    folder = tmp_path_factory.mktemp("catalog")
    database = open_database(f"sqlite:///{folder}/catalog.sqlite", 5)
    with asking(create_app(database, authenticate=everybody)) as ask:
        yield ask
    database.close()


@schema.parametrize()
@hypothesis.settings(
    max_examples=OFTEN,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_no_request_is_a_defect(ask: Asking, case: schemathesis.Case) -> None:
    sent = case.as_transport_kwargs(base_url="http://catalog.test")
    method, url = sent.pop("method"), sent.pop("url")
    sent.pop("cookies", None)
    if "data" in sent:
        sent["content"] = sent.pop("data")
    answer = ask(method, url, **{name: value for name, value in sent.items() if value is not None})
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    if answer.status_code >= 400 and answer.content:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
