"""Searches, counts and pages, held against a filter that looks at every dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import delete, select
from unit.catalog.populations import CALLERS, LATER, Population, populated, queries

from hsc.errors import InvalidQueryError
from hsc.model import Query, now
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql, tables
from hsc_catalog.access import ANONYMOUS, OPERATOR, Caller
from hsc_catalog.searching import check_searching, count_facets, prepared, search_datasets
from hsc_catalog.searching.listing import open_lifted

FACETS = ("facility", "instrument", "technique", "kind", "proposal")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def people(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Population]:
    """Give a catalog with datasets that no test changes."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('searching')}/catalog.sqlite"
        with open_catalog(url) as catalog:
            yield populated(catalog.database)
        return
    server = request.getfixturevalue("postgresql")
    name = server.make_database()
    with open_postgresql(server.url(name)) as catalog:
        yield populated(catalog.database)
    server.drop_database(name)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        yield catalog


def test_what_is_kept_agrees_with_the_datasets(people: Population) -> None:
    with people.database.reading() as connection:
        assert check_searching(connection) == []


@hypothesis.given(query=queries(), caller=st.sampled_from(CALLERS), later=st.booleans())
def test_pages_give_what_a_look_at_every_dataset_gives(
    people: Population, query: Query, caller: Caller, later: bool
) -> None:
    moment = LATER if later else now()
    wanted, met, cursor = people.found(caller, query, moment), [], None
    with people.database.reading() as connection:
        for _ in range(4):
            asked = query.model_copy(update={"cursor": cursor})
            page = search_datasets(connection, caller, asked, moment)
            assert page.total == len(wanted)
            met += page.datasets
            cursor = page.next
            if cursor is None:
                break
    assert met == wanted[: 4 * query.limit]
    assert (cursor is None) == (query.limit == 0 or len(wanted) <= 4 * query.limit)


@hypothesis.given(query=queries(), caller=st.sampled_from(CALLERS), later=st.booleans())
def test_facets_count_what_would_be_found_without_their_own_filter(
    people: Population, query: Query, caller: Caller, later: bool
) -> None:
    moment = LATER if later else now()
    with people.database.reading() as connection:
        counted = count_facets(connection, caller, query, moment)
    assert counted.total == len(people.found(caller, query, moment))
    assert set(counted.counts) == set(FACETS)
    for name in FACETS:
        without = query.model_copy(update={name: None})
        found = (getattr(each, name) for each in people.found(caller, without, moment))
        assert counted.counts[name] == Counter(str(value) for value in found if value is not None)


def test_a_reviewers_link_shows_its_dataset_beside_what_is_public(people: Population) -> None:
    hidden = [
        each
        for each in people.found(OPERATOR, Query(), now())
        if each not in people.found(ANONYMOUS, Query(), now())
    ]
    reviewer = Caller(datasets=frozenset({hidden[0].pid, hidden[-1].pid}))
    wanted = people.found(reviewer, Query(), now())
    assert len(wanted) == len(people.found(ANONYMOUS, Query(), now())) + 2
    with people.database.reading() as connection:
        found = search_datasets(connection, reviewer, Query(limit=1000), now())
        assert list(found.datasets) == wanted
        assert count_facets(connection, reviewer, Query(), now()).total == len(wanted)


def test_opening_what_the_clock_has_lifted_changes_no_answer(tmp_path: Path) -> None:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        people = populated(catalog.database)
        with people.database.reading() as connection:
            before = search_datasets(connection, ANONYMOUS, Query(), LATER)
        with people.database.writing() as connection:
            open_lifted(connection, LATER)
            assert not connection.scalars(
                select(tables.embargoed.c.access).where(~tables.embargoed.c.opened)
            ).all()
            assert search_datasets(connection, ANONYMOUS, Query(), LATER) == before
            assert check_searching(connection) == []


def test_what_was_never_indexed_is_indexed_at_opening(tmp_path: Path) -> None:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        with catalog.database.writing() as connection:
            for table in (tables.listing_state, tables.listed, tables.tally, tables.row_numbers):
                connection.execute(delete(table))
            assert check_searching(connection)
        prepared(catalog.database)
        assert catalog.search("lysozyme", where="photon_energy > 12 keV").datasets == (dataset,)
        with catalog.database.reading() as connection:
            assert check_searching(connection) == []


def test_counts_hold_with_writers_at_once(catalog: SqlCatalog) -> None:
    def register(_: int) -> None:
        catalog.register(example_dataset(), example_activity(), [])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(register, range(40)))
    with catalog.database.reading() as connection:
        assert check_searching(connection) == []
    assert catalog.facets().counts["technique"] == {"SAXS": 40}


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlCatalog]:
    with open_catalog(f"sqlite:///{tmp_path_factory.mktemp('paged')}/c.sqlite") as catalog:
        for _ in range(3):
            catalog.register(example_dataset(), example_activity(), [])
        yield catalog


@hypothesis.given(place=st.integers(0, 10**6), sign=st.characters(), drop=st.booleans())
def test_a_cursor_that_was_changed_is_refused(
    paged: SqlCatalog, place: int, sign: str, drop: bool
) -> None:
    cursor = paged.search(limit=1).next
    assert cursor is not None
    place %= len(cursor)
    changed = cursor[:place] + ("" if drop else sign) + cursor[place + 1 :]
    hypothesis.assume(changed != cursor)
    with pytest.raises(InvalidQueryError, match="cursor"):
        paged.search(limit=1, cursor=changed)


def test_a_cursor_is_good_for_its_own_question_alone(paged: SqlCatalog) -> None:
    cursor = paged.search("lysozyme", limit=1).next
    assert paged.search("lysozyme", limit=2, cursor=cursor).total == 3
    with pytest.raises(InvalidQueryError):
        paged.search("buffer", limit=1, cursor=cursor)
