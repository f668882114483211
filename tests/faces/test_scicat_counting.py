"""Counts and orders of the face: of all that is there, by the database, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from servers.postgresql import Postgresql

from hsc.errors import InvalidQueryError
from hsc.model import now
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog.access import OPERATOR
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.databases import Database
from hsc_catalog.faces.scicat import Site
from hsc_catalog.faces.scicat.asking import Asked
from hsc_catalog.faces.scicat.facets import counted
from hsc_catalog.faces.scicat.finding import Finding
from hsc_catalog.faces.scicat.registering import register
from hsc_catalog.sql import open_database

SITE = Site("local", "hsc.local", "http://catalog.test/api")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/catalog.sqlite")
    yield opened
    opened.close()


def post(database: Database, **changes: Any) -> None:
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
    with database.writing() as connection:
        register(connection, OPERATOR, document, SITE, now())


@pytest.mark.parametrize("place", ["sqlite", "postgresql"])
def test_orders_and_counts_hold_for_all_however_few_are_looked_at(
    request: pytest.FixtureRequest, place: str
) -> None:
    if place == "sqlite":
        _check_orders_and_counts(request.getfixturevalue("database"))
    else:
        server: Postgresql = request.getfixturevalue("postgresql")
        name = server.make_database()
        with closing(open_database(server.url(name))) as opened:
            _check_orders_and_counts(opened)
        server.drop_database(name)


def _check_orders_and_counts(database: Database) -> None:
    catalog = SqlCatalog(database, OPERATOR)
    for number, day in enumerate((4, 1, 3, None, 2)):
        dataset = example_dataset(
            created=datetime(2026, 1, 5 - number, tzinfo=UTC),
            collected=None if day is None else datetime(2026, 1, day, tzinfo=UTC),
            title=f"n{number % 3}",
            proposal=None if number == 3 else f"p{number % 2}",
            instrument=None if number == 2 else "CoSAXS",
        )
        catalog.register(dataset, example_activity(), [])
    post(database, datasetName="n1", proposalIds=["p0", "q"], type="odd")
    post(database, creationTime="2026-01-03T00:00:00Z", instrumentIds=["x/y", "z"])
    fields = ("type", "datasetName", "proposalIds", "sampleIds", "instrumentIds", "version", "pid")
    fields += ("creationLocation", "creationTime", "createdAt", "updatedAt")
    with database.reading() as connection:
        looking, few = (Finding(connection, OPERATOR, now(), most) for most in (7, 2))
        every = looking.every(Asked())
        assert len(every) == 7
        plain = {name: counted(every, name) for name in fields}
        assert few.counts(Asked(), fields) == (plain, 7)
        for name, down in product(("pid", "createdAt", "updatedAt", "creationTime"), (0, 1)):
            asked = Asked(sort=((name, bool(down)),), skip=1, limit=4)
            page = [str(each.record.pid.latest()) for each in few.find(asked).page]
            assert page == [each["pid"] for each in asked.ordered(every)[1:5]], (name, down)


def test_what_would_look_at_a_part_only_is_refused(database: Database) -> None:
    for name in ("a", "b", "c"):
        post(database, datasetName=name)
    with database.reading() as connection:
        few = Finding(connection, OPERATOR, now(), 2)
        for question in (
            lambda: few.find(Asked(sort=(("datasetName", False),))),
            lambda: few.find(Asked(where={"owner": "Anna"})),
            lambda: few.counts(Asked(), ["keywords"]),
            lambda: few.counts(Asked(), ["type"]),  # what was posted has types of its own
            lambda: few.every(Asked()),
        ):
            with pytest.raises(InvalidQueryError, match="3 datasets to look at, over 2"):
                question()
