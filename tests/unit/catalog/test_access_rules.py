"""The rules of access one by one: who may do what, what stands in the way, what is not said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from worlds.access import LIFTED, PEOPLE, THEN, TICK, Made, World, person

from hsc.errors import (
    CatalogError,
    ConflictError,
    DatasetNotFoundError,
    ForbiddenError,
)
from hsc.model import AccessChange, Amendment, Annotation, Pid, Publication
from hsc.model.publication import Member
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc.testing.replicas import example_replica
from hsc_catalog import SqlCatalog, open_catalog
from hsc_catalog.access import (
    ALL_SCOPES,
    ANONYMOUS,
    OPERATOR,
    Caller,
    may_feed,
    may_preview,
    require_link,
    standings,
)

ANNA, BOB, LEA, LEO = (
    next(p for p in PEOPLE if p.subject == n) for n in ("anna", "bob", "lea", "leo")
)
CARL, EVE, ROBOT, ROOT = (
    next(p for p in PEOPLE if p.subject == n) for n in ("carl", "eve", "robot", "root")
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


def test_a_result_takes_class_and_embargo_of_all_inputs_and_has_no_preview(world: World) -> None:
    open_data = made(world, visibility="public", embargo_until=LIFTED)
    human = made(world, access_class="human")
    result = made(world, 0, 1, visibility="public")
    access = world.catalog.access(result.dataset.pid)
    assert (access.visibility, access.access_class) == ("group", "human")
    assert access.embargo_until == LIFTED
    assert not may_preview(access)
    assert not may_feed(access)
    assert may_preview(world.catalog.access(open_data.dataset.pid))
    world.catalog.change_access(human.dataset.pid, change(access_class="open"))
    assert world.catalog.access(result.dataset.pid) == access  # loosening goes nowhere by itself


def test_tightening_goes_down_all_the_way_and_is_audited(world: World) -> None:
    first = made(world, visibility="public")
    chain = [made(world, n, visibility="public") for n in range(3)]
    before = world.catalog.entry(chain[-1].dataset.pid)
    world.catalog.change_access(first.dataset.pid, change(visibility="private"))
    after = world.catalog.entry(chain[-1].dataset.pid)
    assert after.access is not None
    assert after.access.visibility == "private"
    assert after.revision > before.revision
    for nobody in (ANONYMOUS, ANNA):
        assert seen_by(world, nobody).search().total == 0
        assert not seen_by(world, nobody).facets().total


def test_a_public_dataset_opens_at_its_embargos_moment_and_not_before(world: World) -> None:
    pid = made(world, visibility="public", embargo_until=LIFTED).dataset.pid
    for now, total in ((LIFTED - TICK, 0), (LIFTED, 1), (LIFTED + TICK, 1)):
        assert world.as_seen(ANONYMOUS, now).search().total == total
        assert world.as_seen(ANONYMOUS, now).facets().total == total
    later = change(embargo_until=LIFTED + TICK)
    seen_by(world, LEA).change_access(pid, later)
    assert world.as_seen(ANONYMOUS, LIFTED).search().total == 0
    seen_by(world, LEA).change_access(pid, change(release_embargo=True))
    assert seen_by(world, ANONYMOUS).search().total == 1
    for access_class in ("proprietary", "human"):
        world.catalog.change_access(pid, change(access_class=access_class))
        assert world.as_seen(ANONYMOUS, LIFTED + TICK).search().total == 0
        assert world.as_seen(ANNA, LIFTED + TICK).search().total == 1


def test_loosening_names_the_inputs_in_the_way_however_far_up(world: World) -> None:
    theirs = made(world, proposal="2", instrument="FemtoMAX")
    world.catalog.change_access(theirs.dataset.pid, change(add_groups=("user:lea",)))
    between, result = made(world, 0), made(world, 1)
    catalog = seen_by(world, LEA)
    for asked in (change(visibility="public"), change(add_groups=("friends",))):
        with pytest.raises(ForbiddenError) as refused:
            catalog.change_access(result.dataset.pid, asked)
        assert str(theirs.dataset.pid) in str(refused.value)
        assert str(between.dataset.pid) not in str(refused.value)
    with world.catalog.reading() as connection:
        for source, number in ((theirs, 0), (result, 2)):
            entry = standings(connection, [str(world.made[number].dataset.pid)])
            with pytest.raises(ForbiddenError):
                require_link(connection, LEA, entry[str(source.dataset.pid)], THEN)
            require_link(connection, ROOT, entry[str(source.dataset.pid)], THEN)
    world.catalog.change_access(theirs.dataset.pid, change(remove_groups=("user:lea",)))
    both = person("both", leads={"maxiv/1", "maxiv/2"})
    after = seen_by(world, both).change_access(result.dataset.pid, change(visibility="public"))
    assert after.access is not None
    assert after.access.visibility == "public"
    assert seen_by(world, ANONYMOUS).get(result.dataset.pid) == result.dataset
    # What was published over its inputs stays so while they ask no more than before.
    world.catalog.change_access(between.dataset.pid, change(add_groups=("friends",)))
    assert seen_by(world, ANONYMOUS).search().total == 1
    world.catalog.change_access(theirs.dataset.pid, change(visibility="private"))
    assert seen_by(world, ANONYMOUS).search().total == 0


def test_sharing_and_revoking_open_and_close(world: World) -> None:
    pid = made(world).dataset.pid
    with pytest.raises(DatasetNotFoundError):
        seen_by(world, LEO).get(pid)
    seen_by(world, LEA).change_access(pid, change(add_groups=("friends",)))
    assert seen_by(world, LEO).entry(pid).access is None
    with pytest.raises(ForbiddenError):
        seen_by(world, LEO).access(pid)
    with pytest.raises(ConflictError, match="friends2"):
        seen_by(world, LEA).change_access(pid, change(remove_groups=("friends2",)))
    seen_by(world, LEA).change_access(pid, change(remove_groups=("friends",)))
    with pytest.raises(DatasetNotFoundError):
        seen_by(world, LEO).get(pid)
    asked = change(visibility="private", add_groups=("friends",))
    with pytest.raises(ConflictError, match="private"):
        seen_by(world, LEA).change_access(pid, asked)


Act = Callable[[SqlCatalog, Pid], object]
ACTS: dict[str, tuple[Act, str, set[str]]] = {
    "amend": (
        lambda c, p: c.amend(p, Amendment(sample="Salt", reason="So.")),
        "write",
        {"anna", "carl", "lea", "root"},
    ),
    "annotate": (
        lambda c, p: c.annotate(p, Annotation(kind="verdict", verdict="bad")),
        "write",
        {"anna", "bob", "carl", "lea", "root"},
    ),
    "share": (
        lambda c, p: c.change_access(p, change(add_groups=("others",))),
        "share",
        {"lea", "root"},
    ),
    "replica": (
        lambda c, p: c.register_replica(p, example_replica(), example_activity()),
        "ingest",
        {"anna", "carl", "lea", "root"},
    ),
    "get": (lambda c, p: c.get(p), "read", {"anna", "bob", "carl", "lea", "root"}),
}


@pytest.mark.parametrize("name", ACTS)
def test_each_right_is_held_by_those_who_have_it_and_a_good_token(world: World, name: str) -> None:
    act, scope, holders = ACTS[name]
    pid = made(world, by=ANNA).dataset.pid
    sees = {"anna", "bob", "carl", "lea", "root"}
    for caller in PEOPLE:
        if caller.subject in holders:
            act(seen_by(world, caller), pid)
            others = Caller(
                **{
                    each: getattr(caller, each)
                    for each in ("subject", "groups", "roles", "staff_of", "leads")
                },
                scopes=ALL_SCOPES - {scope},  # type: ignore[operator]
            )
            with pytest.raises(ForbiddenError, match=scope):
                act(seen_by(world, others), pid)
        else:
            error = ForbiddenError if caller.subject in sees else DatasetNotFoundError
            with pytest.raises(error):
                act(seen_by(world, caller), pid)


def test_who_has_no_share_in_a_proposal_registers_nothing_for_it(world: World) -> None:
    for stranger in (ANONYMOUS, EVE, person("fritz", staff_of={"maxiv/FemtoMAX"})):
        with pytest.raises(ForbiddenError):
            made(world, by=stranger)
    with pytest.raises(ForbiddenError):
        made(world, by=ANNA, visibility="public")
    for caller in (ROBOT, ANNA, LEA, CARL, ROOT):
        made(world, by=caller)
    mine = made(world, 0, by=ANNA, proposal=None)
    access = world.catalog.access(mine.dataset.pid)
    assert (access.owner, access.visibility) == ("anna", "private")
    assert access.flagged == "no proposal is known"


def test_a_pid_or_activity_of_somebody_elses_is_taken_and_nothing_more_is_said(
    world: World,
) -> None:
    theirs = made(world, by=LEO, proposal="2", instrument="FemtoMAX").dataset
    (activity,) = world.catalog.activities()
    catalog = seen_by(world, ANNA)
    told = set()
    for root in (theirs.root, "blake3:11"):
        for version in (1, 2):
            changes = {"proposal": "1", "root": root, "version": version, "instrument": "CoSAXS"}
            again = theirs.model_copy(update=changes)
            with pytest.raises(ConflictError) as refused:
                catalog.register(again, example_activity(), [])
            told.add(str(refused.value))
    assert len(told) == 1
    assert theirs.root not in told.pop()
    with pytest.raises(ConflictError):
        catalog.record(activity.model_copy(update={"type": "other"}))
    mine = example_dataset(proposal="1")
    with pytest.raises(ConflictError):
        catalog.register(mine, activity, [])
    ours = example_activity()
    foreign = generated(mine, activity, [])
    with pytest.raises(ForbiddenError):
        catalog.register(mine, ours, foreign)
    with pytest.raises(ForbiddenError):
        catalog.register(mine, ours, generated(theirs, ours, [f"{mine.pid}@1"]))
    assert world.catalog.search().total == 1
    assert list(world.catalog.activities()) == [activity]


def test_an_input_that_one_does_not_see_looks_like_one_that_is_not_there(world: World) -> None:
    hidden = made(world, proposal="2", instrument="FemtoMAX", access_class="human").dataset
    answers = []
    for name in (hidden.pid, Pid.generate("hsc.maxiv")):
        dataset, activity = example_dataset(proposal="1"), example_activity(used=(f"{name}@1",))
        catalog = seen_by(world, LEA)
        catalog.register(dataset, activity, generated(dataset, activity, [f"{name}@1"]))
        with pytest.raises(ForbiddenError) as refused:
            catalog.change_access(dataset.pid, change(visibility="public"))
        lineage = catalog.lineage(dataset.pid, up=True, down=True, depth=3)
        entry = catalog.entry(dataset.pid)
        text = f"{lineage!r} {entry.access!r} {catalog.activity(activity.id)!r} {refused.value}"
        for each, stands in ((dataset.pid, "P"), (name, "I"), (activity.id, "A")):
            text = text.replace(str(each), stands)
        answers.append(text)
        assert entry.access is not None
        assert entry.access.visibility == "private"
    assert answers[0] == answers[1]
    # Those who steward it and see neither the input nor who named it don't see it either.
    assert seen_by(world, CARL).search().total == 1


def test_of_what_is_hidden_in_a_history_no_name_is_left(world: World) -> None:
    made(world, proposal="2", instrument="FemtoMAX")
    result = made(world, 0, proposal="2", instrument="FemtoMAX")
    both = made(world, 1, proposal="2", instrument="FemtoMAX")
    source = world.made[0].dataset
    activity = example_activity(
        used=(f"{source.pid}@1",),
        input_roots=(source.root,),
        parameters={"inputs": [f"{source.pid}@1"], str(source.pid): f"from {source.pid}@1!"},
        generated=(both.dataset.pid.at(1), source.pid.at(2)),
    )
    edges = generated(both.dataset, activity, [f"{source.pid}@1"])
    world.catalog.register(both.dataset, activity, edges)
    world.catalog.change_access(both.dataset.pid, change(visibility="public"))
    nobody = seen_by(world, ANONYMOUS)
    walked = nobody.lineage(both.dataset.pid, up=True, down=True, depth=9)
    told = f"{walked!r} {nobody.activities()!r} {nobody.activity(activity.id)!r}"
    told += repr(nobody.entry(both.dataset.pid))
    assert [node.kind for node in walked.nodes].count("hidden") == 2
    for each in (source, result.dataset):
        assert str(each.pid) not in told
    assert nobody.activity(activity.id).used == ("hidden:1",)
    assert nobody.activity(activity.id).input_roots == ()
    assert world.catalog.activity(activity.id) == activity


def test_a_dataset_taken_to_another_proposal_gets_no_looser(world: World) -> None:
    pid = made(world, by=ANNA).dataset.pid
    move = Amendment(proposal="2", reason="The wrong number.")
    away = Amendment(clear=("proposal",), reason="Nobody's.")
    for taking in (move, away):
        with pytest.raises(ForbiddenError, match="maxiv/1"):
            seen_by(world, ANNA).amend(pid, taking)
    with pytest.raises(ForbiddenError, match="maxiv/2"):
        seen_by(world, LEA).amend(pid, move)
    seen_by(world, CARL).amend(pid, move)
    access = world.catalog.access(pid)
    assert (access.visibility, access.flagged) == (
        "private",
        "it was taken out of another proposal",
    )
    assert seen_by(world, BOB).search().total == 0
    assert seen_by(world, LEO).search().total == 1
    unknown = made(world, by=CARL, proposal=None).dataset.pid
    seen_by(world, CARL).amend(unknown, Amendment(proposal="1", reason="Found in the logbook."))
    access = world.catalog.access(unknown)
    assert (access.visibility, access.flagged) == ("group", None)
    assert seen_by(world, PEOPLE[1]).search().total == 2


def test_a_publication_is_its_owners_and_names_in_public_what_they_may_share(world: World) -> None:
    mine = made(world).dataset.pid
    theirs = made(world, proposal="2").dataset.pid
    draft = Publication(
        id="p1", title="Two", members=(Member(dataset=mine), Member(dataset=theirs))
    )
    seen_by(world, LEA).keep(draft)
    with pytest.raises(CatalogError):
        seen_by(world, ANNA).find("publication", "p1")
    with pytest.raises(ForbiddenError):
        seen_by(world, LEA).keep(draft.model_copy(update={"state": "registered"}))
    out = draft.model_copy(update={"state": "registered", "members": draft.members[:1]})
    with pytest.raises(ForbiddenError):
        seen_by(world, ANNA).keep(out)
    seen_by(world, LEA).keep(out)
    assert seen_by(world, ANONYMOUS).find("publication", "p1") == out
    seen_by(world, LEA).keep(out.model_copy(update={"title": "One"}))
