"""Of what a catalog names, only that is read which it may name."""

from __future__ import annotations

import pytest

from hsc.errors import ElsewhereError, LocationRefusedError
from hsc.jobs import locate
from hsc.model import Dataset, Origin
from hsc.testing.catalog import FakeCatalog
from hsc.testing.contracts import example_activity, example_dataset
from hsc.testing.replicas import example_replica


def catalog_of(url: str, *locations: str) -> tuple[FakeCatalog, Dataset]:
    catalog = FakeCatalog()
    catalog.url = url
    dataset = example_dataset(location=locations[0])
    catalog.register(dataset, example_activity(), [])
    for location in locations[1:]:
        replica = example_replica(location=location)
        catalog.register_replica(dataset.pid, replica, example_activity())
    return catalog, dataset


def test_a_catalog_on_the_net_names_no_file(caplog: pytest.LogCaptureFixture) -> None:
    catalog, dataset = catalog_of(
        "https://catalog.example.org", "file:///data/v1", "s3://bucket/v1", "http://127.0.0.1/v1"
    )
    assert locate(catalog, dataset.pid).locations == ("s3://bucket/v1",)
    assert "file:///data/v1" in caplog.text


def test_one_that_names_nothing_else_is_refused() -> None:
    catalog, dataset = catalog_of("https://catalog.example.org", "file:///data/v1")
    with pytest.raises(LocationRefusedError, match="file://"):
        locate(catalog, dataset.pid)


def test_ones_own_catalog_names_files() -> None:
    catalog, dataset = catalog_of("sqlite:////c.sqlite", "file:///data/v1", "s3://bucket/v1")
    assert locate(catalog, dataset.pid).locations == ("file:///data/v1", "s3://bucket/v1")


def test_what_another_catalog_has_is_named_and_not_looked_for() -> None:
    catalog = FakeCatalog()
    origin = Origin(catalog="https://scicat.example.org", pid="20.500/1", folder="/data/1")
    dataset = example_dataset(root="", layout="", location="", origin=origin)
    catalog.register(dataset, example_activity(), [])
    with pytest.raises(ElsewhereError, match=r"scicat\.example\.org as 20\.500/1"):
        locate(catalog, dataset.pid)
