"""Every catalog keeps the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from servers.catalog import TOKEN, CatalogServer

from hsc.client import Catalog, HttpCatalog, connect
from hsc.model import Registration
from hsc.testing.catalog import FakeCatalog
from hsc.testing.contracts import CatalogContract, example_activity, example_dataset, generated
from hsc.testing.records import RecordContract
from hsc.testing.replicas import ReplicaContract
from hsc.testing.searches import SearchContract
from hsc.testing.stewards import StewardContract
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql
from hsc_catalog.access import ANONYMOUS
from hsc_catalog.sql import open_database


class WholeContract(
    CatalogContract, ReplicaContract, SearchContract, RecordContract, StewardContract
):
    """All parts of the contract."""


class SqlContract(WholeContract):
    @pytest.fixture
    def nobody(self, catalog: SqlCatalog) -> Catalog:
        return catalog.seen_by(ANONYMOUS)

    def test_a_circle_of_edges_ends_the_walk(self, catalog: Catalog) -> None:
        one, other = example_dataset(), example_dataset()
        for made, source in ((one, other), (other, one)):
            activity = example_activity()
            edges = generated(made, activity, [f"{source.pid}@1"])
            catalog.register(made, activity, edges)
        walked = catalog.lineage(one.pid, up=True, down=True, depth=10**9)
        assert {node.kind for node in walked.nodes} == {"dataset", "activity", "agent"}
        assert len(walked.nodes) == 5


class TestSqlite(SqlContract):
    @pytest.fixture
    def catalog(self, tmp_path: Path) -> Iterator[Catalog]:
        with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
            yield catalog


class TestPostgresql(SqlContract):
    @pytest.fixture
    def catalog(self, database: str) -> Iterator[Catalog]:
        with open_postgresql(database) as catalog:
            yield catalog


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogServer]:
    folder = tmp_path_factory.mktemp("served")
    with (
        closing(open_database(f"sqlite:///{folder}/first.sqlite")) as first,
        CatalogServer(first) as running,
    ):
        yield running


class TestHttp(WholeContract):
    @pytest.fixture
    def catalog(self, server: CatalogServer, tmp_path: Path) -> Iterator[Catalog]:
        with closing(open_database(f"sqlite:///{tmp_path}/catalog.sqlite")) as database:
            server.serve(database)
            with connect(server.url, token=TOKEN) as catalog:
                yield catalog

    @pytest.fixture
    def nobody(self, server: CatalogServer, catalog: Catalog) -> Iterator[Catalog]:
        # Another name of the same machine: tokens belong to an origin.
        with connect(server.url.replace("127.0.0.1", "localhost")) as seen:
            yield seen

    def test_records_travel_as_lines(self, catalog: HttpCatalog) -> None:
        items = [
            Registration(dataset=example_dataset(), activity=example_activity()) for _ in range(3)
        ]
        wrong = {"dataset": {"title": "no dataset"}}
        documents = [*(each.document() for each in items), wrong]
        told = catalog.import_lines(json.dumps(each).encode() for each in documents)
        assert (told["kept"], told["wrong"], told["lines"][0]["line"]) == (3, 1, 4)
        assert told["lines"][0]["error"] == "InvalidRecordError"
        assert "/activity" in told["lines"][0]["where"]
        assert catalog.search().total == 3


class TestFakeCatalog(WholeContract):
    @pytest.fixture
    def catalog(self) -> Iterator[Catalog]:
        with FakeCatalog() as catalog:
            yield catalog

    @pytest.fixture
    def nobody(self, catalog: FakeCatalog) -> FakeCatalog:
        return catalog.seen_with()
