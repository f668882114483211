"""StewardContract: what every catalog must do with what is said of a dataset later."""
# ruff: noqa: S101, D102 - these are tests: they assert, and their names are the sentences

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hsc.client import Catalog
from hsc.errors import CatalogError, DatasetNotFoundError, RevisionError
from hsc.model import AccessChange, ActivityState, Amendment, Annotation, Draft, Pid, Query
from hsc.testing.contracts import chain, example_activity, example_dataset
from hsc.testing.replicas import example_replica


class StewardContract:
    """What every catalog must do for stewards; inherit it beside `CatalogContract`.

    Give a fixture ``nobody`` too: the same catalog as somebody sees it who is not signed in.
    """

    @pytest.fixture
    def nobody(self, catalog: Catalog) -> Catalog:
        """Give the catalog as nobody sees it; subclasses must say how."""
        raise NotImplementedError

    def test_an_entry_has_all_that_is_known(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        catalog.register_replica(dataset.pid, example_replica(), example_activity())
        entry = catalog.entry(dataset.pid)
        assert (entry.record, entry.replicas, entry.annotations) == (dataset, 2, ())
        assert entry.stale == ()
        assert entry.access == catalog.access(dataset.pid)
        assert entry.created <= entry.updated
        with pytest.raises(DatasetNotFoundError):
            catalog.entry(dataset.pid.at(2))

    def test_an_amendment_changes_the_record_and_its_revision(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        before = catalog.entry(dataset.pid)
        amendment = Amendment(sample="Water", clear=("technique",), reason="The cell was empty.")
        after = catalog.amend(dataset.pid, amendment, before.revision)
        assert after.revision > before.revision
        assert after.record == amendment.applied(dataset)
        assert catalog.get(dataset.pid) == after.record == catalog.entry(dataset.pid).record
        assert catalog.search(Query(technique="SAXS")).total == 0
        assert catalog.search(Query(sample="Water"), kind="raw").total == 1
        assert catalog.search("water").total == 1
        assert catalog.search("HEWL").total == 0

    def test_a_change_of_what_was_changed_since_is_refused(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        revision = catalog.entry(dataset.pid).revision
        catalog.amend(dataset.pid, Amendment(sample="Water", reason="It was."), revision)
        stands = catalog.entry(dataset.pid)
        with pytest.raises(RevisionError):
            catalog.amend(dataset.pid, Amendment(sample="Salt", reason="Is it?"), revision)
        change = AccessChange(visibility="public", reason="Published.")
        with pytest.raises(RevisionError):
            catalog.change_access(dataset.pid, change, revision)
        assert catalog.entry(dataset.pid) == stands

    def test_reasons_are_read_back(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        catalog.amend(dataset.pid, Amendment(sample="salt", reason="The label was wrong."))
        change = AccessChange(visibility="public", reason="The paper is out.")
        entry = catalog.change_access(dataset.pid, change)
        assert [each.text for each in entry.annotations] == [
            "amended sample: The label was wrong.",
            "changed visibility: The paper is out.",
        ]
        assert catalog.entry(dataset.pid).annotations == entry.annotations

    def test_annotations_stand_beside_the_record(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        told = [
            Annotation(kind="note", text="Beam was lost in frame 12. 🧪"),
            Annotation(kind="verdict", verdict="bad"),
            Annotation(kind="link", link="https://logbook.example.org/7", text="logbook"),
        ]
        for annotation in told:
            after = catalog.annotate(dataset.pid, annotation)
        assert after == catalog.entry(dataset.pid)
        assert [(a.kind, a.text, a.verdict, a.link) for a in after.annotations] == [
            (a.kind, a.text, a.verdict, a.link) for a in told
        ]
        assert after.record == dataset == catalog.get(dataset.pid)

    def test_an_input_with_a_newer_version_is_stale(self, catalog: Catalog) -> None:
        raw, reduced, result = chain(catalog)
        assert catalog.entry(reduced.pid).stale == ()
        newer = raw.model_copy(update={"version": 2, "root": "blake3:22"})
        catalog.register(newer, example_activity(), [])
        assert catalog.entry(reduced.pid).stale == (raw.pid.at(1),)
        assert catalog.entry(result.pid).stale == ()

    def test_a_new_dataset_is_not_there_for_nobody(self, catalog: Catalog, nobody: Catalog) -> None:
        known, unknown = example_dataset(), example_dataset(proposal=None)
        for dataset in (known, unknown):
            activity = example_activity(generated=(dataset.pid.at(1),))
            catalog.register(dataset, activity, [])
            for ask in (nobody.get, nobody.entry, nobody.replicas, nobody.access):
                with pytest.raises(DatasetNotFoundError, match=str(dataset.pid)):
                    ask(dataset.pid)
            with pytest.raises(DatasetNotFoundError):
                nobody.lineage(dataset.pid, up=True, down=True, depth=1)
        assert nobody.search("lysozyme").total == 0
        assert nobody.facets().total == 0
        assert not any(nobody.facets().counts.values())
        assert list(nobody.activities()) == []
        assert catalog.access(unknown.pid).visibility == "private"
        assert catalog.access(unknown.pid).flagged
        assert catalog.access(known.pid).visibility == "group"

    def test_what_is_made_public_is_there_for_nobody_too(
        self, catalog: Catalog, nobody: Catalog
    ) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        before = catalog.entry(dataset.pid)
        change = AccessChange(visibility="public", reason="The paper is out.")
        after = catalog.change_access(dataset.pid, change, before.revision)
        assert after.access is not None
        assert after.access.visibility == "public"
        assert after.revision > before.revision
        assert nobody.get(dataset.pid) == dataset
        assert nobody.search().datasets == (dataset,)
        assert nobody.facets().counts["facility"] == {"maxiv": 1}
        late = AccessChange(embargo_until=datetime(2999, 1, 1, tzinfo=UTC), reason="Too early.")
        catalog.change_access(dataset.pid, late)
        with pytest.raises(DatasetNotFoundError):
            nobody.get(dataset.pid)
        catalog.change_access(dataset.pid, AccessChange(release_embargo=True, reason="Now."))
        assert nobody.search().total == 1
        human = AccessChange(access_class="human", reason="Faces can be seen.")
        catalog.change_access(dataset.pid, human)
        assert nobody.search().total == 0

    def test_nobody_changes_nothing(self, catalog: Catalog, nobody: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        change = AccessChange(visibility="public", reason="The paper is out.")
        catalog.change_access(dataset.pid, change)
        before = catalog.entry(dataset.pid)
        other = example_dataset()
        # Over HTTP who is not signed in is asked to; elsewhere it is forbidden.
        for forbidden in (
            lambda: nobody.amend(dataset.pid, Amendment(sample="Salt", reason="So.")),
            lambda: nobody.annotate(dataset.pid, Annotation(kind="note", text="Hm.")),
            lambda: nobody.change_access(dataset.pid, AccessChange(visibility="group", reason="-")),
            lambda: nobody.register(other, example_activity(), []),
            lambda: nobody.may_register(Draft(facility="maxiv", proposal="20260123")),
        ):
            with pytest.raises((CatalogError, PermissionError)) as refused:
                forbidden()
            assert not isinstance(refused.value, DatasetNotFoundError)
        assert catalog.entry(dataset.pid) == before
        with pytest.raises(DatasetNotFoundError):
            catalog.get(other.pid)

    def test_what_failed_is_not_there_for_nobody(self, catalog: Catalog, nobody: Catalog) -> None:
        place = {"facility": "maxiv", "instrument": "CoSAXS", "proposal": "20260123"}
        catalog.record(example_activity(state=ActivityState.FAILED, **place))
        assert list(nobody.activities()) == []

    def test_what_one_does_not_see_is_hidden_in_a_lineage(
        self, catalog: Catalog, nobody: Catalog
    ) -> None:
        raw, reduced, _ = chain(catalog)
        change = AccessChange(visibility="public", reason="The paper is out.")
        catalog.change_access(raw.pid, change)
        walked = nobody.lineage(raw.pid, up=False, down=True, depth=9)
        told = repr(walked)
        assert str(raw.pid) in told
        assert str(reduced.pid) not in told
        assert reduced.title not in told
        unknown = Pid.generate("hsc.maxiv")
        with pytest.raises(DatasetNotFoundError):
            nobody.lineage(unknown, up=True, down=True, depth=1)
