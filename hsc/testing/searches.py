"""SearchContract: what every catalog must do when it is searched, as tests to inherit."""
# ruff: noqa: S101, D102 - these are tests: they assert, and their names are the sentences

from __future__ import annotations

from datetime import timedelta

import pytest

from hsc.client import Catalog
from hsc.errors import InvalidQueryError
from hsc.model import Condition, Kind, Quantity, Query
from hsc.testing.contracts import NOON, example_activity, example_dataset


class SearchContract:
    """What every catalog must do when it is searched; inherit it beside `CatalogContract`."""

    def test_a_search_takes_text_facets_and_quantities(self, catalog: Catalog) -> None:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        found = catalog.search("lysozyme", technique="SAXS", where="photon_energy > 12 keV")
        assert found.datasets == (dataset,)
        both: list[str | Condition] = [
            "photon_energy > 12 keV",
            Condition.parse("photon_energy < 12300 eV"),
        ]
        assert catalog.search("lysozyme", where=both).total == 0
        assert catalog.search(Query(text="lysozyme"), technique="MX").total == 0
        assert catalog.search(technique="SAXS", instrument=None, limit=0).total == 1
        assert catalog.search(kind=Kind.RAW).total == 1

    def test_a_name_with_blanks_is_asked_in_quotes(self, catalog: Catalog) -> None:
        named = {"photon energy": Quantity(value=12.0, unit="keV")}
        dataset = example_dataset(quantities=named)
        catalog.register(dataset, example_activity(), [])
        assert catalog.search(where='"photon energy" > 11 keV').datasets == (dataset,)
        assert catalog.search(where='"photon energy" > 13 keV').total == 0

    def test_what_is_no_search_is_refused(self, catalog: Catalog) -> None:
        with pytest.raises(InvalidQueryError, match="colour"):
            catalog.search(colour="red")
        with pytest.raises(InvalidQueryError, match="no condition"):
            catalog.search(where="photon_energy is high")
        with pytest.raises(InvalidQueryError):
            catalog.facets(colour="red")
        with pytest.raises(InvalidQueryError):
            catalog.search(cursor="🧪")

    @pytest.mark.parametrize(
        ("asked", "found"),
        [("SAXS", 2), ("small angle x-ray scattering", 2), ("GISAXS", 1), ("SAS", 2), ("MX", 0)],
    )
    def test_a_technique_is_found_by_its_names_and_its_kinds(
        self, catalog: Catalog, asked: str, found: int
    ) -> None:
        for technique in ("SAXS", "GISAXS", None):
            catalog.register(example_dataset(technique=technique), example_activity(), [])
        assert catalog.search(Query(technique=asked)).total == found

    @pytest.mark.parametrize("name", ["sample", "keyword"])
    def test_sample_and_keyword_are_facets_too(self, catalog: Catalog, name: str) -> None:
        dataset = example_dataset()
        other = example_dataset(sample="Water", keywords=("water",))
        for one in (dataset, other):
            catalog.register(one, example_activity(), [])
        wanted = {"sample": "HEWL 🧪 (5 mg/ml)", "keyword": "protein"}[name]
        assert catalog.search(Query.model_validate({name: wanted})).datasets == (dataset,)
        assert catalog.search(Query.model_validate({name: "HEWL"})).total == 0

    def test_pages_give_every_dataset_once(self, catalog: Catalog) -> None:
        datasets = [
            example_dataset(created=NOON + timedelta(microseconds=n // 3)) for n in range(7)
        ]
        for dataset in datasets:
            catalog.register(dataset, example_activity(), [])
        pages = [catalog.search("lysozyme", limit=3)]
        while pages[-1].next is not None:
            pages.append(catalog.search("lysozyme", limit=3, cursor=pages[-1].next))
            # What comes in between is not for this walk: nothing comes twice or is left out.
            late = example_dataset(created=NOON + timedelta(days=1))
            catalog.register(late, example_activity(), [])
        met = [each for page in pages for each in page.datasets]
        assert [len(page.datasets) for page in pages] == [3, 3, 1]
        newest_first = sorted(datasets, key=lambda one: (one.created, str(one.pid)), reverse=True)
        assert met == newest_first

    def test_facets_count_what_a_search_finds(self, catalog: Catalog) -> None:
        first = example_dataset()
        newer = first.model_copy(update={"version": 2, "root": "r2"})
        other = example_dataset(instrument="BioMAX", technique="MX", proposal=None)
        elsewhere = example_dataset(facility="desy", title="Water", kind=Kind.DERIVED)
        for one in (first, newer, other, elsewhere):
            catalog.register(one, example_activity(), [])
        everything = catalog.facets()
        assert everything.total == 3
        assert everything.counts["facility"] == {"maxiv": 2, "desy": 1}
        assert everything.counts["kind"] == {"raw": 2, "derived": 1}
        assert everything.counts["proposal"] == {"20260123": 2}
        narrowed = catalog.facets("lysozyme", facility="maxiv", where="photon_energy > 1 keV")
        assert narrowed.total == 2
        assert narrowed.counts["instrument"] == {"CoSAXS": 1, "BioMAX": 1}
        assert narrowed.counts["technique"] == {"SAXS": 1, "MX": 1}
        assert catalog.facets("water", facility="maxiv").total == 0

    def test_a_facet_is_counted_as_if_nothing_were_asked_of_itself(self, catalog: Catalog) -> None:
        for changes in ({}, {"technique": "MX"}, {"technique": "MX", "kind": Kind.DERIVED}):
            catalog.register(example_dataset(**changes), example_activity(), [])
        for where in ((), ("photon_energy > 12 keV",)):
            counted = catalog.facets("lysozyme", technique="MX", kind=Kind.RAW, where=where)
            assert counted.total == 1
            assert counted.counts["technique"] == {"SAXS": 1, "MX": 1}
            assert counted.counts["kind"] == {"raw": 1, "derived": 1}
            assert counted.counts["facility"] == {"maxiv": 1}
