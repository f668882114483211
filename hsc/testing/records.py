"""RecordContract: what every catalog must do with records in bulk, activities and nouns."""
# ruff: noqa: S101, D102 - these are tests: they assert, and their names are the sentences

from __future__ import annotations

import pytest

from hsc.client import Catalog
from hsc.errors import (
    ActivityNotFoundError,
    ConflictError,
    DatasetNotFoundError,
    RecordNotFoundError,
)
from hsc.model import (
    ActivityState,
    Draft,
    Facility,
    Instrument,
    Noun,
    Person,
    Proposal,
    Publication,
    Registration,
    Sample,
    noun_kind,
)
from hsc.testing.contracts import example_activity, example_dataset, generated


def example_nouns() -> list[Noun]:
    """Make one noun of each kind."""
    anna = Person(name="Anna Ångström", orcid="0000-0002-1825-0097", role="principal investigator")
    return [
        Facility(
            id="testlab", name="Test Laboratory", pid_prefix="hsc.testlab", time_zone="Europe/Oslo"
        ),
        Instrument(
            facility="maxiv", name="TestSAXS", title="A beamline 🧪", custom={"deep": [1.5]}
        ),
        Proposal(facility="maxiv", number="20260999", principal_investigator=anna),
        Sample(facility="maxiv", proposal="20260999", id="s/1", name="Lysozyme, 5 mg/ml"),
        Publication(id="10.5072/abc-1", title="On lysozyme", creators=(anna,)),
    ]


class RecordContract:
    """What every catalog must do with further records; inherit it beside `CatalogContract`."""

    def test_many_are_registered_at_once(self, catalog: Catalog) -> None:
        items = []
        for _ in range(3):
            dataset, activity = example_dataset(), example_activity()
            edges = tuple(generated(dataset, activity, ["blake3:cc"]))
            items.append(Registration(dataset=dataset, activity=activity, edges=edges))
        catalog.register_many(items)
        for each in items:
            assert catalog.get(each.dataset.pid) == each.dataset
            walked = catalog.lineage(each.dataset.pid, up=True, down=False, depth=1)
            assert f"activity:{each.activity.id}" in {node.id for node in walked.nodes}
        catalog.register_many(items)
        catalog.register_many([])
        assert catalog.search().total == 3

    def test_of_many_none_is_kept_when_one_is_a_conflict(self, catalog: Catalog) -> None:
        kept, new = example_dataset(), example_dataset()
        catalog.register(kept, example_activity(), [])
        other = kept.model_copy(update={"root": "blake3:bb"})
        items = [Registration(dataset=each, activity=example_activity()) for each in (new, other)]
        with pytest.raises(ConflictError):
            catalog.register_many(items)
        with pytest.raises(DatasetNotFoundError):
            catalog.get(new.pid)
        assert len(catalog.activities()) == 1

    def test_what_is_asked_beforehand_is_not_kept(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.may_register(Draft(facility="maxiv", instrument="CoSAXS", proposal="20260123"))
        catalog.may_register(Draft(facility="maxiv", pid=dataset.pid, used=("blake3:cc",)))
        assert catalog.search().total == 0
        with pytest.raises(DatasetNotFoundError):
            catalog.get(dataset.pid)
        assert list(catalog.activities()) == []

    def test_an_activity_says_where_it_took_place(self, catalog: Catalog) -> None:
        place = {"facility": "maxiv", "instrument": "CoSAXS", "proposal": "20260123"}
        failed = example_activity(state=ActivityState.FAILED, **place)
        catalog.record(failed)
        assert catalog.activity(failed.id) == failed
        bare = example_activity()
        catalog.record(bare)
        assert not place.keys() & catalog.activity(bare.id).document().keys()

    def test_an_activity_is_found_by_its_id(self, catalog: Catalog) -> None:
        activity = example_activity()
        catalog.record(activity)
        assert catalog.activity(activity.id) == activity
        unknown = example_activity().id
        with pytest.raises(ActivityNotFoundError, match=unknown):
            catalog.activity(unknown)

    @pytest.mark.parametrize("number", range(5))
    def test_a_noun_is_kept_under_its_key(self, catalog: Catalog, number: int) -> None:
        noun = example_nouns()[number]
        kind = noun_kind(noun)
        with pytest.raises(RecordNotFoundError, match=noun.key):
            catalog.find(kind, noun.key)
        catalog.keep(noun)
        catalog.keep(noun)
        assert catalog.find(kind, noun.key) == noun
        name = "title" if hasattr(noun, "title") else "name"
        changed = noun.model_copy(update={name: "Renamed"})
        catalog.keep(changed)
        assert catalog.find(kind, noun.key) == changed
        assert [each for each in catalog.nouns(kind) if each.key == noun.key] == [changed]
        keys = [each.key for each in catalog.nouns(kind)]
        assert keys == sorted(keys)
