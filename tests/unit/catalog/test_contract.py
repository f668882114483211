"""Every catalog keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hsc.client import Catalog
from hsc.testing.catalog import FakeCatalog
from hsc.testing.contracts import CatalogContract, example_activity, example_dataset, generated
from hsc.testing.records import RecordContract
from hsc.testing.replicas import ReplicaContract
from hsc.testing.searches import SearchContract
from hsc.testing.stewards import StewardContract
from hsc_catalog import open_catalog, open_postgresql


class SqlContract(CatalogContract, ReplicaContract):
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


class TestFakeCatalog(
    CatalogContract, ReplicaContract, SearchContract, RecordContract, StewardContract
):
    @pytest.fixture
    def catalog(self) -> Iterator[Catalog]:
        with FakeCatalog() as catalog:
            yield catalog

    @pytest.fixture
    def nobody(self, catalog: FakeCatalog) -> FakeCatalog:
        return catalog.seen_with()
