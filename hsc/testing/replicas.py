"""ReplicaContract: what every catalog must do with replicas, as tests to inherit."""
# ruff: noqa: S101, D102 - these are tests: they assert, and their names are the sentences

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hsc.client import Catalog
from hsc.errors import DatasetNotFoundError
from hsc.model import Pid, Replica, ReplicaState
from hsc.testing.contracts import NOON, example_activity, example_dataset


def example_replica(**changes: Any) -> Replica:
    """Make an online replica; ``changes`` replace its fields."""
    facts: dict[str, Any] = {"location": "s3://far/away/v1", "since": NOON}
    return Replica(**facts | changes)


class ReplicaContract:
    """What every catalog must do with replicas; inherit it beside `CatalogContract`."""

    def test_a_dataset_lies_where_it_was_made(self, catalog: Catalog) -> None:
        dataset = example_dataset(location="file:///data/v1/")
        catalog.register(dataset, example_activity(), [])
        assert list(catalog.replicas(dataset.pid)) == [
            Replica(location="file:///data/v1", since=dataset.created)
        ]

    def test_replicas_come_back_as_they_last_stood_in_the_order_they_came(
        self, catalog: Catalog
    ) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        told = [example_replica(location=f"s3://{n}/v1") for n in ("b", "a")]
        for replica in told:
            catalog.register_replica(dataset.pid, replica, example_activity(type="replicate"))
        changed = told[0].model_copy(
            update={
                "state": ReplicaState.DAMAGED,
                "since": NOON + timedelta(days=1),
                "verified": NOON,
                "activity": Pid.generate("x").ulid,
            }
        )
        catalog.register_replica(dataset.pid.at(1), changed, example_activity(type="verify"))
        assert list(catalog.replicas(dataset.pid))[1:] == [changed, told[1]]
        assert {each.type for each in catalog.activities()} == {"ingest", "replicate", "verify"}
        assert catalog.get(dataset.pid) == dataset

    def test_the_first_place_stays_the_first_when_more_is_told_of_it(
        self, catalog: Catalog
    ) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        catalog.register_replica(dataset.pid, example_replica(), example_activity())
        first = example_replica(location=dataset.location, state="archived")
        catalog.register_replica(dataset.pid, first, example_activity())
        assert list(catalog.replicas(dataset.pid)) == [first, example_replica()]

    def test_replicas_belong_to_one_version(self, catalog: Catalog) -> None:
        first = example_dataset()
        second = first.model_copy(update={"version": 2, "root": "r2"})
        for dataset in (first, second):
            catalog.register(dataset, example_activity(), [])
        catalog.register_replica(first.pid.at(1), example_replica(), example_activity())
        assert len(catalog.replicas(first.pid.at(1))) == 2
        assert len(catalog.replicas(first.pid)) == 1

    def test_a_replica_of_nothing_leaves_no_trace(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        before = list(catalog.activities())
        for pid in (Pid.generate("hsc.maxiv"), dataset.pid.at(2)):
            with pytest.raises(DatasetNotFoundError, match=str(pid)):
                catalog.register_replica(pid, example_replica(), example_activity())
            with pytest.raises(DatasetNotFoundError, match=str(pid)):
                catalog.replicas(pid)
        assert list(catalog.activities()) == before
