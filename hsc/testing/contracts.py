"""CatalogContract: what every catalog must do, as tests to inherit, with records to try it on."""
# ruff: noqa: S101, D102 - these are tests: they assert, and their names are the sentences

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hsc.client import Catalog
from hsc.errors import ConflictError, DatasetNotFoundError, InvalidQueryError
from hsc.model import (
    Activity,
    ActivityState,
    Agent,
    ArraySummary,
    Condition,
    Dataset,
    Edge,
    Environment,
    Gap,
    Kind,
    Lineage,
    Pid,
    Quantity,
    Query,
    Way,
)

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)
"""When the example records were made, to the microsecond."""


def example_dataset(**changes: Any) -> Dataset:
    """Make a whole raw dataset under a new PID; ``changes`` replace its fields."""
    facts: dict[str, Any] = {
        "pid": Pid.generate("hsc.maxiv"),
        "kind": Kind.RAW,
        "title": "Lysozyme in buffer, Ångström test",
        "facility": "maxiv",
        "instrument": "CoSAXS",
        "proposal": "20260123",
        "sample": "HEWL 🧪 (5 mg/ml)",
        "technique": "SAXS",
        "created": NOON,
        "collected": NOON - timedelta(hours=3),
        "source_id": "blake3:" + "5" * 64,
        "root": "blake3:" + "0" * 64,
        "layout": "dectris",
        "location": "file:///data/store/maxiv/v1",
        "bytes_in": 2**40,
        "bytes_out": 2**39,
        "arrays": (
            ArraySummary(
                path="/entry/data/data",
                shape=(300, 2162, 2068),
                dtype="uint32",
                chunks=(1, 2162, 2068),
                shards=(100, 2162, 2068),
                way=Way.PASSTHROUGH,
            ),
        ),
        "gaps": (Gap(path="/entry/é", reason="the file it links to is missing"),),
        "quantities": {
            "photon_energy": Quantity(value=12.398, unit="keV"),
            "flux": Quantity(value=3e12, unit="ph/s"),
        },
        "keywords": ("protein", "standard"),
    }
    return Dataset(**facts | changes)


def example_activity(**changes: Any) -> Activity:
    """Make a finished ingest under a new id; ``changes`` replace its fields."""
    facts: dict[str, Any] = {
        "id": Pid.generate("x").ulid,
        "type": "ingest",
        "state": ActivityState.DONE,
        "started": NOON,
        "ended": NOON + timedelta(seconds=7),
        "parameters": {"verify": "sample", "workers": None, "file": "m\udce4tning.h5"},
        "environment": Environment(
            packages={"zarr": "3.1.6"},
            python="3.11.2",
            platform="Linux",
            host="b1",
            process=1,
            cpus=2,
        ),
        "agents": (Agent(kind="person", id="anna"),),
    }
    return Activity(**facts | changes)


def generated(dataset: Dataset, activity: Activity, inputs: Sequence[str]) -> list[Edge]:
    """Make the edges of an activity that made a dataset from inputs."""
    made, did = str(dataset.pid.at(dataset.version)), f"activity:{activity.id}"
    return [
        Edge(subject=made, predicate="was_generated_by", object=did),
        *(Edge(subject=did, predicate="used", object=one, role="input") for one in inputs),
        *(Edge(subject=made, predicate="was_derived_from", object=one) for one in inputs),
        *(
            Edge(subject=did, predicate="was_associated_with", object=f"agent:{agent.id}")
            for agent in activity.agents
        ),
    ]


class CatalogContract:
    """What every catalog must do; inherit it and give a fixture ``catalog``, empty each time."""

    @pytest.fixture
    def catalog(self) -> Catalog:
        """Give the empty catalog to test; subclasses must say which."""
        raise NotImplementedError

    def test_what_was_registered_comes_back_equal(self, catalog: Catalog) -> None:
        dataset, activity = example_dataset(), example_activity()
        catalog.register(dataset, activity, [])
        assert catalog.get(dataset.pid) == dataset
        assert catalog.get(dataset.pid.at(1)) == dataset
        assert list(catalog.activities()) == [activity]

    def test_a_pid_without_version_means_the_newest(self, catalog: Catalog) -> None:
        first = example_dataset()
        third, second = (first.model_copy(update={"version": n, "root": f"r{n}"}) for n in (3, 2))
        for dataset in (first, third, second):
            catalog.register(dataset, example_activity(), [])
        assert catalog.get(first.pid) == third
        assert catalog.get(first.pid.at(2)) == second
        assert catalog.search(Query()).datasets == (third,)

    def test_what_is_not_there_is_not_found(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        for pid in (Pid.generate("hsc.maxiv"), dataset.pid.at(2)):
            with pytest.raises(DatasetNotFoundError, match=str(pid)):
                catalog.get(pid)
            with pytest.raises(DatasetNotFoundError, match=str(pid)):
                catalog.lineage(pid, up=True, down=True, depth=1)

    def test_another_root_is_a_conflict_and_leaves_no_trace(self, catalog: Catalog) -> None:
        dataset = example_dataset(root="blake3:aa")
        catalog.register(dataset, example_activity(), [])
        before = everything(catalog, dataset)
        other, activity = dataset.model_copy(update={"root": "blake3:bb"}), example_activity()
        with pytest.raises(ConflictError, match=r"blake3:aa.*blake3:bb"):
            catalog.register(other, activity, generated(other, activity, ["blake3:cc"]))
        assert everything(catalog, dataset) == before

    def test_registering_again_changes_nothing(self, catalog: Catalog) -> None:
        dataset, activity = example_dataset(), example_activity()
        edges = generated(dataset, activity, ["blake3:cc"])
        catalog.register(dataset, activity, edges)
        before = everything(catalog, dataset)
        catalog.register(dataset.model_copy(update={"title": "Other"}), activity, edges)
        assert everything(catalog, dataset) == before

    def test_a_search_counts_all_and_gives_the_newest_first(self, catalog: Catalog) -> None:
        datasets = [example_dataset(created=NOON + timedelta(microseconds=n)) for n in range(5)]
        for dataset in (datasets[n] for n in (3, 0, 4, 1, 2)):
            catalog.register(dataset, example_activity(), [])
        found = catalog.search(Query(limit=2))
        assert (found.total, found.datasets) == (5, (datasets[4], datasets[3]))
        for limit in (0, -1):
            none = catalog.search(Query(limit=limit))
            assert (none.total, none.datasets) == (5, ())

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", True),
            ("  ", True),
            ("lysozyme", True),
            ("LYSO", True),
            ("lys", False),
            ("ozyme", False),
            ("angstrom hewl", True),
            ("ÅNGSTRÖM", True),
            ("lysozyme water", False),
            ("in", True),
            ("cosaxs maxiv saxs 20260123 protein", True),
            ("🧪", True),
            ("🔬", False),
            ('"lysozyme"', True),
            ('lysozyme" OR "water', False),
            ("lyso*", True),
            ("l*", False),
            ("lysozyme OR water", False),
            ("NEAR(lysozyme buffer)", False),
            ("title:lysozyme", False),
            ("(5 mg/ml)", True),
            ("((((", True),
            ("-lysozyme", True),
            ("NOT water", False),
            ("^in", True),
            ("'; drop table dataset; --", False),
            ("lysozyme\x00buffer", True),
            (" ".join(f"word{n}" for n in range(2000)), False),
        ],
    )
    def test_all_words_of_a_text_must_occur(self, catalog: Catalog, text: str, found: bool) -> None:
        catalog.register(example_dataset(), example_activity(), [])
        assert catalog.search(Query(text=text)).total == found

    def test_a_pid_finds_its_dataset(self, catalog: Catalog) -> None:
        datasets = [example_dataset(), example_dataset()]
        for dataset in datasets:
            catalog.register(dataset, example_activity(), [])
        assert catalog.search(Query(text=str(datasets[0].pid))).datasets == (datasets[0],)

    @pytest.mark.parametrize("name", ["facility", "instrument", "proposal", "technique", "kind"])
    def test_a_facet_must_be_equal(self, catalog: Catalog, name: str) -> None:
        dataset = example_dataset()
        other = example_dataset(**{name: "derived" if name == "kind" else "CoSAX"})
        for one in (dataset, other):
            catalog.register(one, example_activity(), [])
        asked = {name: str(getattr(dataset, name))}
        assert catalog.search(Query.model_validate(asked)).datasets == (dataset,)
        assert catalog.search(Query.model_validate({name: "C"})).total == 0

    @pytest.mark.parametrize(
        ("conditions", "found"),
        [
            # 12398 eV and 12.398 keV differ in the last bit of their SI values.
            (["photon_energy = 12398 eV"], True),
            (["photon_energy >= 12398 eV", "photon_energy <= 12398 eV"], True),
            (["photon_energy < 12398 eV"], False),
            (["photon_energy > 12398 eV"], False),
            (["photon_energy > 12.3 keV", "photon_energy < 12.5 keV"], True),
            (["photon_energy > 12.3 keV", "photon_energy > 12.5 keV"], False),
            (["photon_energy > 1 nm"], False),
            (["photon_energy > 1"], False),
            (["wavelength > 0 nm"], False),
            (["photon_energy > 0 J", "distance > 0 m"], False),
        ],
    )
    def test_conditions_compare_across_units_of_one_dimension(
        self, catalog: Catalog, conditions: list[str], found: bool
    ) -> None:
        catalog.register(example_dataset(), example_activity(), [])
        where = tuple(map(Condition.parse, conditions))
        assert catalog.search(Query(where=where)).total == found

    @pytest.mark.parametrize(
        ("given", "unit", "found"),
        [
            ("furlong", "furlong", True),
            ("furlong", "Furlong", False),
            ("furlong", "m", False),
            ("ph/s", "photons/s", True),
            ("ph/s", "Hz", False),
            ("ph/s", "1", False),
        ],
    )
    def test_an_unknown_unit_compares_with_itself_alone_and_counts_with_counts(
        self, catalog: Catalog, given: str, unit: str, found: bool
    ) -> None:
        flux = Quantity(value=3e12, unit=given)
        catalog.register(example_dataset(quantities={"flux": flux}), example_activity(), [])
        bound = Quantity(value=1e12, unit=unit)
        where = (Condition(name="flux", comparison=">", bound=bound),)
        assert catalog.search(Query(where=where)).total == found

    def test_lineage_follows_a_chain_as_far_as_asked(self, catalog: Catalog) -> None:
        raw, reduced, result = chain(catalog)
        ids = [str(dataset.pid.at(1)) for dataset in (raw, reduced, result)]

        def datasets(pid: Pid, depth: int, *, up: bool = False, down: bool = False) -> list[str]:
            walked = catalog.lineage(pid, up=up, down=down, depth=depth)
            assert walked.nodes[0].id == str(pid.at(1))
            assert len(walked.nodes) == len({node.id for node in walked.nodes})
            assert len(walked.edges) == len(set(walked.edges))
            return sorted(node.id for node in walked.nodes if node.kind == "dataset")

        assert datasets(result.pid, 0, up=True) == [ids[2]]
        assert datasets(result.pid, 1, up=True) == sorted(ids[1:])
        assert datasets(result.pid, 2, up=True) == sorted(ids)
        assert datasets(result.pid, 2, down=True) == [ids[2]]
        assert datasets(raw.pid, 1, down=True) == sorted(ids[:2])
        assert datasets(raw.pid, 10**9, down=True) == sorted(ids)
        assert datasets(reduced.pid, 1, up=True, down=True) == sorted(ids)
        assert datasets(reduced.pid, 9) == [ids[1]]

    def test_lineage_names_what_it_meets(self, catalog: Catalog) -> None:
        raw = chain(catalog)[0]
        up = catalog.lineage(raw.pid.at(1), up=True, down=False, depth=1)
        ingest = catalog.activities()[-1].id
        assert {(node.id, node.kind, node.title) for node in up.nodes} == {
            (f"{raw.pid}@1", "dataset", raw.title),
            (f"activity:{ingest}", "activity", "ingest, done, 2026-11-22T12:00:00Z"),
            ("agent:anna", "agent", "anna"),
            ("blake3:cc", "source", "source files"),
        }
        assert ("used", "input") in {(edge.predicate, edge.role) for edge in up.edges}
        down = catalog.lineage(raw.pid, up=False, down=True, depth=1)
        assert "agent:anna" in {node.id for node in down.nodes}

    def test_lineage_shows_what_another_catalog_holds(self, catalog: Catalog) -> None:
        dataset, foreign = example_dataset(), str(Pid.generate("hsc.desy").at(3))
        edge = Edge(subject=f"{dataset.pid}@1", predicate="was_derived_from", object=foreign)
        catalog.register(dataset, example_activity(), [edge])
        nodes = catalog.lineage(dataset.pid, up=True, down=False, depth=1).nodes
        assert [(node.id, node.title) for node in nodes[1:]] == [(foreign, "not in this catalog")]

    def test_an_activity_is_kept_as_it_last_stood(self, catalog: Catalog) -> None:
        running = example_activity(state=ActivityState.RUNNING, ended=None)
        catalog.record(running)
        assert list(catalog.activities(state=ActivityState.RUNNING)) == [running]
        failed = running.model_copy(update={"state": ActivityState.FAILED})
        catalog.record(failed)
        assert list(catalog.activities(state=ActivityState.RUNNING)) == []
        assert list(catalog.activities()) == [failed]

    def test_activities_come_newest_first(self, catalog: Catalog) -> None:
        three = [example_activity(started=NOON + timedelta(hours=n)) for n in range(3)]
        for activity in (three[1], three[0], three[2]):
            catalog.record(activity)
        assert list(catalog.activities()) == three[::-1]
        assert list(catalog.activities(limit=1)) == [three[2]]
        assert list(catalog.activities(limit=-1)) == []
        assert list(catalog.activities(since=three[1].started)) == [three[2], three[1]]
        with pytest.raises(InvalidQueryError):
            catalog.activities(since=NOON.replace(tzinfo=None))

    def test_activities_of_one_moment_come_by_id(self, catalog: Catalog) -> None:
        three = sorted((example_activity() for _ in range(3)), key=lambda each: each.id)
        for activity in (three[1], three[0], three[2]):
            catalog.record(activity)
        assert list(catalog.activities()) == three[::-1]


def chain(catalog: Catalog) -> tuple[Dataset, Dataset, Dataset]:
    """Register a raw dataset, one reduced from it, and one reduced from that."""
    source, kept = "blake3:cc", []
    for step, kind in enumerate(("ingest", "reduce", "reduce")):
        dataset = example_dataset(title=f"Step {step}")
        activity = example_activity(type=kind, started=NOON + timedelta(minutes=step))
        catalog.register(dataset, activity, generated(dataset, activity, [source]))
        source = str(dataset.pid.at(1))
        kept.append(dataset)
    return kept[0], kept[1], kept[2]


def everything(catalog: Catalog, dataset: Dataset) -> tuple[Dataset, list[Activity], Lineage]:
    """Give all that a catalog with one dataset shows."""
    around = catalog.lineage(dataset.pid, up=True, down=True, depth=9)
    return catalog.get(dataset.pid), list(catalog.activities()), around
