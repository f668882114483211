"""An activity is recorded when it begins and when it ends, whatever ends it."""

from __future__ import annotations

import pytest

from hsc.errors import CatalogUnavailableError, DamagedSourceError
from hsc.model import Activity, ActivityState, Pid
from hsc.provenance import DISTRIBUTION, environment, recorded, version


class Book:
    """Keeps every state of an activity that it was told."""

    def __init__(self) -> None:
        self.told: list[Activity] = []

    def record(self, activity: Activity) -> None:
        self.told.append(activity)

    @property
    def states(self) -> list[str]:
        return [activity.state.value for activity in self.told]


@pytest.fixture
def book() -> Book:
    return Book()


def test_an_activity_is_recorded_before_its_block_begins(book):
    with recorded(book, "ingest", {"verify": "full"}, runner="flow", flow_run_id="f1") as running:
        assert book.states == ["running"]
        assert not running.settled
        running.done()
    (begun,) = book.told
    assert begun.type == "ingest"
    assert begun.parameters == {"verify": "full"}
    assert (begun.runner, begun.flow_run_id) == ("flow", "f1")
    assert begun.ended is None
    assert begun.environment.packages[DISTRIBUTION] == version()
    assert f"{DISTRIBUTION}@{version()}" in [agent.id for agent in begun.agents]


def test_an_activity_that_is_done_has_an_end_and_what_was_noted(book):
    with recorded(book, "reduce", {}) as running:
        running.note(used=("a", "b"), bytes_in=7)
        done = running.done()
    assert done.state is ActivityState.DONE
    assert done.ended is not None
    assert done.ended >= done.started
    assert (done.used, done.bytes_in) == (("a", "b"), 7)
    assert running.settled
    assert book.states == ["running"]  # its maker registers it together with what it made


def raise_in(book, error):
    with recorded(book, "ingest", {}):
        raise error


def test_an_error_of_ours_is_recorded_with_its_place_and_advice(book):
    with pytest.raises(DamagedSourceError):
        raise_in(book, DamagedSourceError("cut off", where="a.h5", next_step="copy again"))
    assert book.states == ["running", "failed"]
    failure = book.told[1].failure
    assert failure is not None
    assert (failure.error, failure.message) == ("DamagedSourceError", "cut off")
    assert (failure.where, failure.next) == ("a.h5", "copy again")
    assert book.told[1].id == book.told[0].id
    assert book.told[1].ended is not None


def test_an_error_of_somebody_else_is_recorded_by_its_name(book):
    with pytest.raises(ZeroDivisionError):
        raise_in(book, ZeroDivisionError("by zero"))
    failure = book.told[1].failure
    assert failure is not None
    assert (failure.error, failure.message) == ("ZeroDivisionError", "by zero")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(3)])
def test_a_stop_by_the_user_is_recorded_and_goes_on(book, stop):
    with pytest.raises(type(stop)):
        raise_in(book, stop)
    assert book.states == ["running", "failed"]
    failure = book.told[1].failure
    assert failure is not None
    assert failure.error == type(stop).__name__


def test_an_error_after_its_end_was_told_does_not_undo_the_end(book):
    def late():
        with recorded(book, "ingest", {}) as running:
            running.done()
            raise DamagedSourceError("late")

    with pytest.raises(DamagedSourceError):
        late()
    assert book.states == ["running"]


def test_a_block_does_not_begin_when_its_begin_cannot_be_recorded():
    class Closed:
        def record(self, activity: Activity) -> None:
            raise CatalogUnavailableError("closed")

    begun = []
    with pytest.raises(CatalogUnavailableError), recorded(Closed(), "ingest", {}):
        begun.append(1)
    assert not begun


def test_activities_have_ids_of_their_own(book):
    for _ in range(2):
        with recorded(book, "ingest", {}) as running:
            running.done()
    assert book.told[0].id != book.told[1].id


def test_the_edges_say_what_was_used_made_and_by_whom(book):
    made, source = Pid.generate("hsc.local"), str(Pid.generate("hsc.local"))
    with recorded(book, "reduce", {}) as running:
        running.note(used=(source,))
        edges = running.edges(made, [("sample", source), ("mask", source)])
        running.done()
    did = f"activity:{running.id}"
    statements = {(edge.subject, edge.predicate, edge.object, edge.role) for edge in edges}
    assert (str(made), "was_generated_by", did, None) in statements
    assert (did, "used", source, "sample") in statements
    assert (str(made), "was_derived_from", source, "sample") in statements
    assert (str(made), "was_derived_from", source, "mask") in statements
    software = f"agent:{DISTRIBUTION}@{version()}"
    assert (did, "was_associated_with", software, None) in statements


def test_the_environment_names_what_can_change_a_byte():
    facts = environment()
    assert {"numpy", "numcodecs", "zarr", "blake3"} <= set(facts.packages)
    assert facts.lock_digest.startswith("blake3:")
    assert facts.cpus >= 1
    assert environment() == facts
