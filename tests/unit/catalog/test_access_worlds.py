"""Whoever asks, whatever they ask: they see what a plain reader of the rules would let them see."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from typing import Any

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from servers.postgresql import Postgresql
from sqlalchemy import select
from worlds import access as worlds
from worlds.access import LIFTED, MAKERS, PEOPLE, THEN, TICK, TIMES, World, person

from hsc.errors import ActivityNotFoundError, DatasetNotFoundError, ForbiddenError
from hsc.model import AccessChange
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql, tables
from hsc_catalog.access import Caller

# No shrinking: it would make catalogs for longer than a test may take.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

steps = st.lists(
    st.tuples(st.sampled_from(MAKERS), worlds.inputs, worlds.facts), min_size=1, max_size=5
)
tightenings = st.lists(st.tuples(st.integers(0, 4), worlds.changes), max_size=2)


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


@given(steps=steps, tightenings=tightenings, askers=worlds.askers, link=st.integers(0, 4))
@settings(max_examples=15, phases=PHASES)
def test_every_method_tells_what_may_be_seen_and_no_more(
    steps: Any, tightenings: Any, askers: Any, link: int
) -> None:
    check_world(on_sqlite(), steps, tightenings, askers, link)


@given(steps=steps, tightenings=tightenings, askers=worlds.askers, link=st.integers(0, 4))
@settings(max_examples=5, phases=PHASES)
def test_every_method_on_postgresql_tells_what_may_be_seen_and_no_more(
    postgresql: Postgresql, steps: Any, tightenings: Any, askers: Any, link: int
) -> None:
    check_world(on_postgresql(postgresql), steps, tightenings, askers, link)


def check_world(
    place: AbstractContextManager[SqlCatalog],
    steps: Any,
    tightenings: Any,
    askers: Any,
    link: int,
) -> None:
    with place as operator:
        world = World(operator)
        worlds.keep_nouns(world.catalog)
        for maker, inputs, facts in steps:
            with suppress(ForbiddenError):  # then it is not there, for nobody
                world.register(maker, trusting(world, maker, inputs), **facts)
        for number, change in tightenings:
            if number < len(world.made) and is_tighter(world, number, change):
                world.tighten(number, **change)
        assume(world.made)
        opened = world.made[link % len(world.made)].dataset.pid
        reviewer = Caller(datasets=frozenset({opened}))
        for caller, now in [*askers, (reviewer, LIFTED)]:
            check_caller(world, caller, now)


def trusting(world: World, maker: Caller, inputs: set[int]) -> set[int]:
    """Leave out inputs that the maker doesn't see: for those there is a test of its own."""
    if maker.operator or "ingestor" in maker.roles:
        return inputs
    return {n for n in inputs if n < len(world.made) and world.sees(maker, n, THEN)}


def is_tighter(world: World, number: int, change: dict[str, Any]) -> bool:
    made = world.made[number]
    if "visibility" in change:
        order = worlds.VISIBILITIES.index
        return order(change["visibility"]) > order(made.visibility)
    return True


def check_caller(world: World, caller: Caller, now: datetime) -> None:
    seen = [n for n in range(len(world.made)) if world.sees(caller, n, now)]
    catalog = world.as_seen(caller, now)
    for number, made in enumerate(world.made):
        check_dataset(catalog, made, number in seen, caller, now)
    visible = {world.made[n].dataset.pid for n in seen}
    hidden = {each.dataset.pid for each in world.made} - visible
    found = catalog.search(limit=99)
    assert (found.total, worlds.pids(list(found.datasets))) == (len(visible), visible)
    assert worlds.pids(list(catalog.search("lysozyme", limit=99).datasets)) == visible
    assert catalog.search(where="photon_energy > 1 keV").total == len(visible)
    check_counts(world, catalog, seen)
    check_lineage(catalog, {str(pid) for pid in visible}, {str(pid) for pid in hidden})
    check_activities(world, catalog, caller, seen)
    check_nouns(world, catalog, caller, seen)


def check_dataset(
    catalog: SqlCatalog, made: worlds.Made, seen: bool, caller: Caller, now: datetime
) -> None:
    pid = made.dataset.pid
    asked = (catalog.get, catalog.entry, catalog.replicas, catalog.version, catalog.history)
    for ask in asked:
        for named in (pid, pid.at(1)):
            try:
                ask(named)
            except DatasetNotFoundError:
                assert not seen, (ask, caller, now)
            else:
                assert seen, (ask, caller, now)
    if seen:
        entry = catalog.entry(pid)
        assert entry.record == made.dataset
        if entry.access is not None:
            stands = (entry.access.visibility, entry.access.access_class)
            assert stands == (made.visibility, made.access_class)
            assert entry.access.embargo_until == made.embargo


def check_counts(world: World, catalog: SqlCatalog, seen: list[int]) -> None:
    told = catalog.facets()
    assert told.total == len(seen)
    for name in ("instrument", "facility", "kind"):
        values = [str(getattr(world.made[n].dataset, name)) for n in seen]
        assert dict(told.counts[name]) == {value: values.count(value) for value in values}


def check_lineage(catalog: SqlCatalog, visible: set[str], hidden: set[str]) -> None:
    for pid in sorted(visible):
        walked = catalog.lineage(worlds.Pid.parse(pid), up=True, down=True, depth=9)
        told = repr(walked)
        assert not any(each in told for each in hidden)
        for node in walked.nodes:
            if node.kind == "hidden":
                assert node.title == "not visible to you"
            assert (node.kind == "hidden") == node.id.startswith("hidden:")
        ends = {end for edge in walked.edges for end in (edge.subject, edge.object)}
        assert ends <= {node.id for node in walked.nodes}


def check_ways_to_activities(catalog: SqlCatalog) -> None:
    """Who sees much has each activity asked, who sees little not: the answer is the same."""
    sight, row = catalog.sight(), tables.activity.c.id
    with catalog.reading() as connection:
        asked = set(connection.scalars(select(row).where(sight.activities())))
        if not catalog.caller.sees_everything:
            parts = sight.activities_by_what_is_seen()
            found = (connection.scalars(select(row).where(each)).all() for each in parts)
            assert {id for some in found for id in some} == asked


def check_activities(world: World, catalog: SqlCatalog, caller: Caller, seen: list[int]) -> None:
    # Staff of an instrument see what it did, and of that not always what came of it.
    made_by = {each.id: each.generated[0].latest() for each in world.catalog.activities(limit=99)}
    shown = {made_by[each.id] for each in catalog.activities(limit=99)}
    check_ways_to_activities(catalog)
    everything = caller.operator or "administrator" in caller.roles
    for number, made in enumerate(world.made):
        staff = f"maxiv/{made.dataset.instrument}" in caller.staff_of
        recorder = caller.subject is not None and caller.subject == made.owner
        expected = everything or number in seen or staff or recorder
        assert (made.dataset.pid in shown) == expected, (caller, made)
    for activity in world.catalog.activities(limit=99):
        try:
            catalog.activity(activity.id)
        except ActivityNotFoundError:
            assert activity.generated[0].latest() not in shown
        else:
            assert activity.generated[0].latest() in shown


def check_nouns(world: World, catalog: SqlCatalog, caller: Caller, seen: list[int]) -> None:
    shown = {each.key for each in catalog.nouns("proposal")}
    named = {f"maxiv/{world.made[n].dataset.proposal}" for n in seen}
    for key in ("maxiv/1", "maxiv/2"):
        mine = key in caller.groups | caller.leads or "administrator" in caller.roles
        assert (key in shown) == (mine or key in named), (caller, key)


LEADS = (
    person("lea", leads={"maxiv/1"}),
    person("leo", leads={"maxiv/2"}, groups={"friends"}),
    person("anna", groups={"maxiv/1"}),
    person("bob", groups={"maxiv/1", "maxiv/2"}),
)
loosenings = st.fixed_dictionaries(
    {},
    optional={
        "visibility": st.sampled_from(("group", "public")),
        "access_class": st.just("open"),
        "add_groups": st.just(("friends",)),
        "release_embargo": st.just(True),
    },
)


@given(
    steps=steps, changes=st.lists(st.tuples(st.sampled_from(LEADS), st.integers(0, 4), loosenings))
)
@settings(max_examples=12, phases=PHASES)
def test_nobody_makes_visible_what_came_of_something_that_they_may_not_share(
    steps: Any, changes: Any
) -> None:
    with on_sqlite() as operator:
        world = World(operator)
        for maker, inputs, facts in steps:
            with suppress(ForbiddenError):
                world.register(maker, trusting(world, maker, inputs), **facts)
        for caller, number, change in changes:
            if number < len(world.made):
                asked = AccessChange(reason="Please.", **change)
                with suppress(Exception):
                    pid = world.made[number].dataset.pid
                    world.as_seen(caller, THEN).change_access(pid, asked)
        for caller in PEOPLE:
            for now in TIMES:
                check_chains(world, caller, now)


def sharers(made: worlds.Made) -> set[str | None]:
    """Give who may share something: who leads its proposal, or its owner where none is known."""
    proposal = f"maxiv/{made.dataset.proposal}"
    if made.dataset.proposal is None:
        return {made.owner} - {None}
    return {each.subject for each in LEADS if proposal in each.leads}


def check_chains(world: World, caller: Caller, now: datetime) -> None:
    """Check that who sees something sees its inputs, unless one person may share both."""
    visible = worlds.pids(list(world.as_seen(caller, now).search(limit=99).datasets))
    for made in world.made:
        if made.dataset.pid not in visible:
            continue
        for source in (world.made[n] for n in made.inputs):
            one_hand = sharers(made) & sharers(source)
            assert one_hand or source.dataset.pid in visible, (caller, now, made, source)


def test_what_was_made_in_a_circle_is_as_strict_as_its_strictest_part(postgresql: Any) -> None:
    for place in (on_sqlite(), on_postgresql(postgresql)):
        with place as operator:
            world = World(operator)
            for _ in range(3):
                world.register(worlds.OPERATOR, (), visibility="public", proposal="1")
            made = [each.dataset for each in world.made]
            for one, other in zip(made, [*made[1:], made[0]], strict=True):
                newer = one.model_copy(update={"version": 2, "root": "blake3:22"})
                activity = worlds.example_activity()
                edges = worlds.generated(newer, activity, [f"{other.pid}@1"])
                world.catalog.register(newer, activity, edges)
            world.catalog.change_access(
                made[1].pid, AccessChange(visibility="private", access_class="human", reason="So.")
            )
            for dataset in made:
                access = world.catalog.access(dataset.pid)
                assert (access.visibility, access.access_class) == ("private", "human")
            anna = world.as_seen(PEOPLE[1], LIFTED + TICK)
            assert anna.search().total == 0
