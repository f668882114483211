"""What nobody gets by naming it: proposals, samples, PIDs; and what a link opens no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from worlds.access import LIFTED, PEOPLE, THEN, Made, World

from hsc.errors import DatasetNotFoundError, ForbiddenError, UnauthenticatedError
from hsc.jobs.keeping import keep_nouns
from hsc.model import AccessChange, Amendment, Pid, Proposal, Sample
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog import SqlCatalog, open_catalog
from hsc_catalog.access import OPERATOR, Caller
from hsc_catalog.identity import Sources, authenticate, create_link

EVE, LEO, ROBOT = (
    next(each for each in PEOPLE if each.subject == name) for name in ("eve", "leo", "robot")
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        yield World(catalog)


def made(world: World, *inputs: int, by: Caller = OPERATOR, **facts: Any) -> Made:
    world.register(by, inputs, **{"proposal": "1", "instrument": "CoSAXS", **facts})
    return world.made[-1]


def seen_by(world: World, caller: Caller) -> SqlCatalog:
    return world.as_seen(caller, THEN)


def change(**facts: Any) -> AccessChange:
    return AccessChange(reason="It was agreed.", **facts)


def test_nobody_reads_of_a_proposal_or_sample_by_naming_it(world: World) -> None:
    world.catalog.keep(Proposal(facility="maxiv", number="2", title="Nobody else's"))
    world.catalog.keep(Sample(facility="maxiv", id="HEWL", name="HEWL"))
    made(world, visibility="public", sample=None)
    with pytest.raises(ForbiddenError):
        made(world, 0, by=EVE, proposal="2")
    made(world, 0, by=EVE, proposal=None, sample="HEWL")
    assert not seen_by(world, EVE).nouns("proposal")
    assert not seen_by(world, EVE).nouns("sample")
    made(world, 0, by=EVE)  # what comes of a proposal's dataset may belong to that proposal
    ours = Sample(facility="maxiv", id="HEWL 2", name="HEWL 2")
    seen_by(world, ROBOT).keep(ours)
    made(world, 0, by=ROBOT, proposal=None, sample="HEWL 2")
    world.catalog.change_access(world.made[-1].dataset.pid, change(visibility="public"))
    assert list(seen_by(world, EVE).nouns("sample")) == [ours]


def test_no_older_version_is_amended_into_somebody_elses_proposal(world: World) -> None:
    world.catalog.keep(Proposal(facility="maxiv", number="2", title="Nobody else's"))
    source = made(world, visibility="public").dataset.pid.at(1)
    first = made(world, 0, by=EVE, proposal=None, instrument=None).dataset
    second = first.model_copy(update={"version": 2, "root": "blake3:22"})
    activity = example_activity()
    seen_by(world, EVE).register(second, activity, generated(second, activity, [str(source)]))
    with pytest.raises(ForbiddenError):
        seen_by(world, EVE).amend(first.pid.at(1), Amendment(proposal="2", reason="Mine."))
    assert not seen_by(world, EVE).nouns("proposal")


def test_a_hidden_pid_is_left_out_wherever_an_activity_mentions_it(world: World) -> None:
    hidden = made(world).dataset.pid
    shown = example_dataset(proposal="1")
    activity = example_activity(parameters={"dark": f"{hidden}@1"})
    world.catalog.register(shown, activity, generated(shown, activity, []))
    world.catalog.change_access(shown.pid, change(visibility="public"))
    assert seen_by(world, EVE).activity(activity.id).parameters["dark"] == "hidden:1"


def test_an_ingest_goes_on_past_a_proposal_that_it_may_not_read(world: World) -> None:
    theirs = Proposal(facility="maxiv", number="2", title="Nobody else's")
    world.catalog.keep(theirs)
    keep_nouns(seen_by(world, ROBOT), example_dataset(proposal="2"))
    assert world.catalog.find("proposal", theirs.key) == theirs


def test_who_may_register_nothing_learns_no_pid(world: World) -> None:
    theirs = made(world, by=LEO, proposal="2", instrument="FemtoMAX").dataset
    told = set()
    for dataset in (theirs, example_dataset(proposal="2", instrument="FemtoMAX")):
        with pytest.raises(ForbiddenError) as refused:
            seen_by(world, EVE).register(dataset, example_activity(), [])
        told.add(refused.value.message)
    assert len(told) == 1


def test_a_link_opens_no_more_what_became_stricter(world: World) -> None:
    sources = [made(world, visibility="public").dataset.pid for _ in range(2)]
    facts = {"by": EVE, "proposal": None, "instrument": None}
    results = [made(world, number, **facts).dataset.pid for number in range(2)]
    link = create_link(world.catalog.database, EVE, results).text

    def opened() -> set[Pid]:
        return set(authenticate(None, link, Sources(world.catalog.database)).datasets)

    world.catalog.change_access(results[0], change(embargo_until=LIFTED))
    assert opened() == set(results)
    world.catalog.change_access(sources[0], change(embargo_until=LIFTED))
    assert opened() == {results[1]}
    with pytest.raises(DatasetNotFoundError):
        seen_by(world, EVE).get(results[0])
    world.catalog.change_access(sources[1], change(access_class="human"))
    with pytest.raises(UnauthenticatedError):
        opened()
