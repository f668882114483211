"""Searches, counts and pages, held against a filter that looks at every dataset."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from hsc.errors import InvalidQueryError
from hsc.model import Condition, Dataset, Kind, Pid, Quantity, Query, Registration, now
from hsc.testing.contracts import NOON, example_activity, example_dataset
from hsc.testing.matching import matches
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql, tables
from hsc_catalog.access import ANONYMOUS, OPERATOR, AccessSet, Caller, interned
from hsc_catalog.databases import Database
from hsc_catalog.searching import (
    check_searching,
    count_facets,
    prepared,
    relist,
    search_datasets,
)
from hsc_catalog.searching.listing import open_lifted

LATER = now() + timedelta(days=400)
SOON = now() + timedelta(days=100)
GROUPS = ("maxiv/1", "maxiv/2", "desy/1")
CALLERS = (
    OPERATOR,
    ANONYMOUS,
    Caller("anna", groups=frozenset({"maxiv/1"})),
    Caller("bo", groups=frozenset(GROUPS[1:])),
)
WORDS = ("lysozyme", "lysosome", "water", "buffer", "haemoglobin", "åska")
FACETS = ("facility", "instrument", "technique", "kind", "proposal")


@dataclass
class Population:
    """Datasets in a catalog, and what is known of them without it."""

    database: Database
    datasets: dict[str, Dataset] = field(default_factory=dict)
    access: dict[str, AccessSet] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)

    def register(self, datasets: list[Dataset]) -> None:
        items = [Registration(dataset=each, activity=example_activity()) for each in datasets]
        SqlCatalog(self.database).register_many(items)
        for each in datasets:
            known = self.datasets.get(str(each.pid))
            if known is None or known.version < each.version:
                self.datasets[str(each.pid)] = each

    def stand(self, pids: list[str], access: AccessSet) -> None:
        """Give datasets an access set."""
        row = tables.dataset.c
        with self.database.writing() as connection:
            here = update(tables.dataset).where(row.pid.in_(pids))
            connection.execute(here.values(access=interned(connection, access)))
            relist(connection, connection.scalars(select(row.id).where(row.pid.in_(pids))).all())
        self.access |= dict.fromkeys(pids, access)

    def withdraw(self, pid: str) -> None:
        row = tables.dataset.c
        with self.database.writing() as connection:
            connection.execute(update(tables.dataset).where(row.pid == pid).values(withdrawn=1))
            relist(connection, connection.scalars(select(row.id).where(row.pid == pid)).all())
        self.withdrawn.add(pid)

    def found(self, caller: Caller, query: Query, moment: datetime) -> list[Dataset]:
        """Give what a search has to find, by looking at every dataset."""
        seen = [
            each
            for pid, each in self.datasets.items()
            if pid not in self.withdrawn
            and (self._sees(caller, pid, moment) or each.pid in caller.datasets)
            and matches(each, query)
        ]
        return sorted(seen, key=lambda each: (each.created, str(each.pid)), reverse=True)

    def _sees(self, caller: Caller, pid: str, moment: datetime) -> bool:
        access = self.access[pid]
        free = access.is_free(tables.microseconds(moment))
        return caller.sees_everything or free or bool(access.own & caller.keys())


def populated(database: Database) -> Population:
    """Fill a catalog: with rows in columns and rows that are in none yet, changed ones in both."""
    random, people = Random(5), Population(database)
    made = [some_dataset(random, n) for n in range(330)]
    people.register(made[:300])
    for each in made[300:]:
        people.register([each])
    pids = list(people.datasets)
    for access in sets():
        people.stand(
            [pid for pid in pids if random.random() < 0.3 or pid not in people.access], access
        )
    for place in (3, 299, 300, 329):
        newer = made[place].model_copy(update={"version": 2, "root": "r2", "technique": "MX"})
        people.register([newer])
        # All versions of a dataset share one access; who registers the next one sees to that.
        people.stand([str(newer.pid)], people.access[str(newer.pid)])
    for place in (5, 310):
        people.withdraw(str(made[place].pid))
    return people


def sets() -> list[AccessSet]:
    own = [frozenset({group}) for group in GROUPS]
    return [
        AccessSet("group", own=own[0]),
        AccessSet("group", own=own[0] | own[2]),
        AccessSet("public"),
        AccessSet("public", "proprietary", own=own[1]),
        AccessSet("public", embargo=tables.microseconds(NOON - timedelta(days=900)), own=own[1]),
        AccessSet("public", embargo=tables.microseconds(SOON), own=own[2]),
        AccessSet("private", own=frozenset({"user:anna"})),
    ]


def some_dataset(random: Random, number: int) -> Dataset:
    number_of = {
        name: Quantity(value=random.randrange(20), unit=random.choice(units))
        for name, units in (("energy", ("keV", "eV", "ph/s")), ("size", ("nm", "m")), ("t", ("K",)))
        if random.random() < 0.8
    }
    return example_dataset(
        pid=Pid.parse(f"hsc.maxiv/{number * 7919 % 1000:026}"),
        kind=random.choice(list(Kind)[:3]),
        title=" ".join(random.choices(WORDS, k=3)),
        facility=random.choice(("maxiv", "desy")),
        instrument=random.choice(("CoSAXS", "P12", None)),
        technique=random.choice(("SAXS", "MX", None)),
        proposal=random.choice(("1", "2", None)),
        sample=random.choice(("s1", "s2", None)),
        keywords=tuple(random.sample(WORDS, 2)),
        created=NOON + timedelta(microseconds=random.randrange(40)),
        quantities=number_of,
        arrays=(),
        gaps=(),
    )


def conditions() -> st.SearchStrategy[Condition]:
    bounds = st.builds(
        Quantity,
        value=st.integers(-1, 21).map(float),
        unit=st.sampled_from(("keV", "eV", "ph/s", "nm", "m", "K")),
    )
    comparisons = st.sampled_from(("<", "<=", "=", ">=", ">"))
    names = st.sampled_from(("energy", "size", "t", "nothing"))
    return st.builds(Condition, name=names, comparison=comparisons, bound=bounds)


def queries() -> st.SearchStrategy[Query]:
    return st.builds(
        Query,
        text=st.sampled_from(("", "", "", "lyso", "lysozyme", "water åska", "lys", "P12", "x" * 9)),
        facility=st.sampled_from((None, None, "maxiv", "nowhere")),
        instrument=st.sampled_from((None, None, "CoSAXS")),
        technique=st.sampled_from((None, None, "MX")),
        kind=st.sampled_from((None, None, "raw")),
        proposal=st.sampled_from((None, None, "1")),
        sample=st.sampled_from((None, None, "s1")),
        keyword=st.sampled_from((None, None, "water")),
        where=st.lists(conditions(), max_size=3).map(tuple),
        limit=st.sampled_from((0, 1, 7, 25, 300)),
    )


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


@pytest.mark.parametrize(
    ("given", "asked", "found"),
    [
        (("flux", 3.0, "ph/s"), ("flux", 2.0, "ph/s"), True),
        (("flux", 3.0, "ph/s"), ("flux", 1e-12, "h/s"), False),
        (("signal", 3.0, "a.u."), ("signal", 2.0, "a.u."), True),
        (("signal", 3.0, "a.u."), ("signal", 0.0, "m"), False),
        (("temperature", 20.0, "degC"), ("temperature", 290.0, "K"), True),
        (("temperature", 20.0, "degC"), ("temperature", 294.0, "K"), False),
        (("x", 3.0, "no such unit"), ("x", 2.0, "no such unit"), True),
        (("x", 3.0, "no such unit"), ("x", 2.0, "no such Unit"), False),
    ],
)
def test_units_compare_as_what_they_are(
    catalog: SqlCatalog,
    given: tuple[str, float, str],
    asked: tuple[str, float, str],
    found: bool,
) -> None:
    numbers = {given[0]: Quantity(value=given[1], unit=given[2])}
    catalog.register(example_dataset(quantities=numbers), example_activity(), [])
    bound = Quantity(value=asked[1], unit=asked[2])
    where = Condition(name=asked[0], comparison=">", bound=bound)
    assert catalog.search(where=where).total == found


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_bound_that_is_no_number_is_refused(catalog: SqlCatalog, value: float) -> None:
    bound = Quantity.model_construct(value=value, unit="ph/s")
    where = Condition.model_construct(name="flux", comparison=">", bound=bound)
    with pytest.raises(InvalidQueryError, match="no number"):
        catalog.search(Query.model_construct(where=(where,)))


def test_numbers_inside_metadata_are_found_by_the_way_to_them(catalog: SqlCatalog) -> None:
    deep: dict[str, object] = {"n": 1}
    for _ in range(9):
        deep = {"d": deep}
    metadata = {
        "detector": {"distance": {"value": 2, "unit": "m"}, "gain": 3, "name": "EIGER"},
        "cell": {"temperature": {"value": 20.0, "unit": "°C"}, "open": True},
        "huge": 10**400,
        "list": [1, 2],
        "photon_energy": 1,
        "d": deep,
        "many": {f"n{n}": n for n in range(1200)},
    }
    dataset = example_dataset(scientific_metadata=metadata)
    catalog.register(dataset, example_activity(), [])
    found = {
        "detector.distance > 1999 mm": True,
        "detector.gain = 3": True,
        "cell.temperature > 293 K": True,
        "cell.open > 0": False,
        "huge > 0": False,
        "list > 0": False,
        # A quantity of the same name goes first.
        "photon_energy = 1": False,
        "photon_energy > 12 keV": True,
        "many.n1 = 1": True,
        "many.n1199 = 1199": False,
        f"{'d.' * 10}n = 1": False,
    }
    assert {where: bool(catalog.search(where=where).total) for where in found} == found
    assert catalog.get(dataset.pid) == dataset
