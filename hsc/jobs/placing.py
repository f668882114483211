"""Where a dataset goes: its PID, its claim and its folder."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from hsc.errors import StoreError
from hsc.ingestion import Plan, files_state, made_with
from hsc.jobs.requests import IngestRequest
from hsc.jobs.slots import Place, find_place, is_committed, place_again, version_before
from hsc.jobs.waiting import Waiting
from hsc.model import ArraySummary, Facility, Pid, now, plain_text
from hsc.store import (
    Claim,
    ObjectStore,
    abandon_version,
    drop_claims,
    give_up,
    make_claim,
    open_objects,
    place_attempt,
    place_claim,
    read_claim,
    take_over,
)

_LOG = logging.getLogger(__name__)
_FIRST = 1
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a version of a dataset is written."""

    pid: Pid
    """The dataset, without a version."""
    version: int
    """Which version of it."""
    store: str
    """URL of the store."""
    location: str
    """Folder of the version below the store."""
    claim: Claim
    """The claim on the source, the last of its chain."""
    resumed: bool = False
    """Whether an earlier attempt may have written some of it."""
    committed: bool = False
    """Whether the version is there already."""
    before: str = ""
    """Folder of the version before, below the store; empty: there is none."""

    @property
    def url(self) -> str:
        """URL of the version's folder."""
        return f"{self.store.rstrip('/')}/{self.location}"


def find_target(
    plan: Plan, request: IngestRequest, facility: Facility, store: str, attempt: str
) -> Target:
    """Find where a source's dataset goes: where it is, where an attempt left off, or anew.

    Where somebody else is at it, wait until he is done, or dead.

    Raises
    ------
    IngestInProgressError
        Somebody else is at it for longer than the request waits.
    """
    objects, state = open_objects(store), files_state(plan.run)
    waiting = Waiting(plain_text(str(plan.run.path)), request.max_wait_s)
    while True:
        last = read_claim(objects, plan.source_id)
        if last is not None and is_committed(objects, last):
            return Target(last.pid, last.version, store, last.location, last, committed=True)
        if last is not None and last.state != "given_up" and not last.abandoned():
            waiting.wait(last)
            continue
        # Shards of an earlier attempt count only while nobody wrote to the files since, and no
        # other release makes others of them.
        place = None
        same = (state, made_with())
        if last is not None and last.state == "open" and (last.files_state, last.made_with) == same:
            place = place_again(objects, last)
        resumed = place is not None
        if place is None:
            pid = Pid.generate(facility.pid_prefix)
            location = version_folder(pid, _FIRST, _places(plan, request, facility))
            place = find_place(objects, plan, Place(pid, _FIRST, location), waiting)
        if place is None:
            continue
        mine = _take(objects, plan, place, last, attempt, state)
        if mine is not None:
            # Who held the claim may have committed while it was taken over.
            done = is_committed(objects, mine)
            if last is not None and not resumed:
                _clear(objects, last.location)
            return Target(
                mine.pid,
                mine.version,
                store,
                mine.location,
                mine,
                resumed=resumed,
                committed=done,
                before=version_before(objects, plan.run_key, mine.version),
            )


def _take(
    objects: ObjectStore, plan: Plan, place: Place, last: Claim | None, attempt: str, state: str
) -> Claim | None:
    """Claim the source and the slot for a place; None when somebody else was faster."""
    place_attempt(
        objects,
        "ingest",
        place.pid,
        place.version,
        place.location,
        activity=attempt,
        source_id=plan.source_id,
        slot=place.slot,
    )
    facts = {
        "pid": place.pid,
        "version": place.version,
        "location": place.location,
        "slot": place.slot,
        "made_with": made_with(),
    }
    slot = None
    if place.slot:
        files = {"files": plan.files}
        slot = _claim(objects, place.slot, place.held, attempt, state, facts | files)
        if slot is None:
            return None
    mine = _claim(objects, plan.source_id, last, attempt, state, facts)
    if mine is None and slot is not None:
        let_go(objects, slot, attempt)
    return mine


def _claim(
    objects: ObjectStore,
    name: str,
    last: Claim | None,
    attempt: str,
    state: str,
    facts: dict[str, Any],
) -> Claim | None:
    if last is not None:
        return take_over(objects, last, attempt, state, **facts)
    return place_claim(objects, make_claim(name, attempt=attempt, files_state=state, **facts))


def let_go(objects: ObjectStore, claim: Claim, attempt: str) -> Claim | None:
    """Give a claim up that nothing came of, and remove its chain; None if somebody went on."""
    last = give_up(objects, claim, attempt)
    if last is not None:
        drop_claims(objects, last, attempt)
    return last


def _clear(objects: ObjectStore, location: str) -> None:
    """Remove what an attempt left that nobody goes on with, as far as the store lets us."""
    try:
        abandon_version(objects, location)
    except StoreError as error:
        # Nothing of it is in our way; `hsc gc` finds it by the store's log.
        _LOG.info("what an earlier attempt left stays: %s", error)


def version_folder(pid: Pid, version: int, places: tuple[str | None, ...]) -> str:
    """Give the folder of a version below the store; quotas and access lists hang on its parts."""
    parts = [_UNSAFE.sub("-", place or "").strip(".-")[:64] or "unknown" for place in places]
    return "/".join([*parts, pid.ulid, f"v{version}"])


def by_path(arrays: list[ArraySummary]) -> tuple[ArraySummary, ...]:
    """Sort arrays as records list them."""
    return tuple(sorted(arrays, key=lambda array: array.path))


def _places(plan: Plan, request: IngestRequest, facility: Facility) -> tuple[str | None, ...]:
    facts = plan.run.facts
    year = str((facts.collected or now()).year)
    instrument = facility.instrument(facts.instrument)
    return facility.id, instrument, year, request.proposal or facts.proposal
