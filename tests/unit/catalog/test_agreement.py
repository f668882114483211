"""The catalogs on SQL and the plain one in memory agree on whatever they are given."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from servers.postgresql import Postgresql

from hsc.model import Condition, Dataset, Kind, Pid, Quantity, Query
from hsc.testing.catalog import FakeCatalog
from hsc.testing.contracts import NOON, example_activity, example_dataset, generated
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql
from hsc_catalog.tables import microseconds, moment

PIDS = [Pid.generate("hsc.maxiv") for _ in range(4)]
UNITS = ["keV", "eV", "J", "nm", "1", "ph/s", " eV ", "furlong"]

texts = st.text(st.sampled_from("abÅßé🧪 -_'\"*%()ABOR1²º\x00"), max_size=12) | st.text(max_size=6)
names = st.sampled_from(["energy", "length"])
quantities = st.builds(
    Quantity,
    value=st.sampled_from([0.0, 1.0, 1000.0, 1.0 + 1e-12, -2.5]) | st.floats(-1e6, 1e6),
    unit=st.sampled_from(UNITS),
)
times = st.just(NOON) | st.datetimes(timezones=st.just(UTC))
datasets = st.builds(
    example_dataset,
    pid=st.sampled_from(PIDS),
    version=st.integers(1, 3),
    title=texts,
    sample=st.none() | texts,
    kind=st.sampled_from(Kind),
    proposal=st.none() | st.sampled_from(["1", "2"]),
    created=times,
    quantities=st.dictionaries(names, quantities),
    keywords=st.lists(texts, max_size=2).map(tuple),
)
queries = st.builds(
    Query,
    text=st.just("") | texts,
    kind=st.none() | st.sampled_from(["raw", "derived"]),
    proposal=st.none() | st.sampled_from(["1", "3"]),
    where=st.lists(
        st.builds(
            Condition,
            name=names,
            comparison=st.sampled_from(["<", "<=", "=", ">=", ">"]),
            bound=quantities,
        ),
        max_size=2,
    ).map(tuple),
    limit=st.integers(0, 5),
)


# No shrinking: it would make catalog files for longer than a test may take.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@contextmanager
def on_sqlite() -> Iterator[SqlCatalog]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_catalog(f"sqlite:///{folder}/catalog.sqlite") as catalog,
    ):
        yield catalog


@contextmanager
def on_postgresql(server: Postgresql) -> Iterator[SqlCatalog]:
    name = server.make_database()
    try:
        with open_postgresql(server.url(name)) as catalog:
            yield catalog
    finally:
        server.drop_database(name)


kept_and_asked = {
    "kept": st.lists(datasets, max_size=8),
    "asked": st.lists(queries, min_size=1, max_size=5),
}


@settings(max_examples=60, deadline=None, phases=PHASES)
@given(**kept_and_asked)
def test_sqlite_finds_the_same(kept: list[Dataset], asked: list[Query]) -> None:
    check_finds_the_same(on_sqlite(), kept, asked)


@settings(max_examples=25, deadline=None, phases=PHASES)
@given(**kept_and_asked)
def test_postgresql_finds_the_same(
    postgresql: Postgresql, kept: list[Dataset], asked: list[Query]
) -> None:
    check_finds_the_same(on_postgresql(postgresql), kept, asked)


def check_finds_the_same(
    opened: AbstractContextManager[SqlCatalog], kept: list[Dataset], asked: list[Query]
) -> None:
    with opened as sql, FakeCatalog() as fake:
        for dataset in kept:
            activity = example_activity()
            for catalog in (sql, fake):
                catalog.register(dataset, activity, [])
        for query in asked:
            found, wanted = sql.search(query), fake.search(query)
            # Where the next page begins each words in its own way.
            assert (found.next is None) == (wanted.next is None)
            assert found.model_copy(update={"next": wanted.next}) == wanted
        for dataset in kept:
            words = Query(text=dataset.title)
            assert sql.search(words) == fake.search(words)


walks = {
    "inputs": st.lists(st.sets(st.integers(0, 5), max_size=3), min_size=6, max_size=6),
    "shared": st.sets(st.integers(0, 5)),
    "depth": st.integers(0, 4),
}


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(**walks)
def test_sqlite_walks_any_lineage_alike(
    inputs: list[set[int]], shared: set[int], depth: int
) -> None:
    check_walks_alike(on_sqlite(), inputs, shared, depth)


@settings(max_examples=15, deadline=None, phases=PHASES)
@given(**walks)
def test_postgresql_walks_any_lineage_alike(
    postgresql: Postgresql, inputs: list[set[int]], shared: set[int], depth: int
) -> None:
    check_walks_alike(on_postgresql(postgresql), inputs, shared, depth)


def check_walks_alike(
    opened: AbstractContextManager[SqlCatalog],
    inputs: list[set[int]],
    shared: set[int],
    depth: int,
) -> None:
    made = [example_dataset(title=f"Step {n}") for n in range(6)]
    one_for_several = example_activity(type="reduce")
    with opened as sql, FakeCatalog() as fake:
        for step, (dataset, earlier) in enumerate(zip(made, inputs, strict=True)):
            activity = one_for_several if step in shared else example_activity()
            used = [f"{made[n].pid}@1" for n in sorted(earlier) if n < step] or ["blake3:aa"]
            edges = generated(dataset, activity, used)
            for catalog in (sql, fake):
                catalog.register(dataset, activity, edges)
        for dataset in made:
            for up, down in ((True, False), (False, True), (True, True)):
                ours = sql.lineage(dataset.pid, up=up, down=down, depth=depth)
                theirs = fake.lineage(dataset.pid, up=up, down=down, depth=depth)
                assert ours.nodes[0] == theirs.nodes[0]
                assert set(ours.nodes) == set(theirs.nodes)
                assert set(ours.edges) == set(theirs.edges)


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=2))
def test_times_sort_as_they_are_stored(moments: list[datetime]) -> None:
    first, second = map(microseconds, moments)
    assert (first < second) == (moments[0] < moments[1])
    assert [moment(first), moment(second)] == moments
