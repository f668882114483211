"""Where a dataset goes: its PID, its claim and its folder; and its record."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hsc.errors import IngestInProgressError
from hsc.ingestion import Plan, files_state, summary
from hsc.jobs.requests import IngestRequest
from hsc.model import ArraySummary, Dataset, Facility, Kind, Pid, now, plain_text
from hsc.store import (
    MANIFEST_KEY,
    Claim,
    Manifest,
    VersionWriter,
    make_claim,
    open_objects,
    place_claim,
    read_claim,
    take_over,
)

_VERSION = 1
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a version of a dataset is written."""

    pid: Pid
    """The dataset, without a version."""
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

    @property
    def url(self) -> str:
        """URL of the version's folder."""
        return f"{self.store.rstrip('/')}/{self.location}"


def find_target(
    plan: Plan, request: IngestRequest, facility: Facility, store: str, attempt: str
) -> Target:
    """Find where a source's dataset goes: where it is, where an attempt left off, or anew.

    Raises
    ------
    IngestInProgressError
        Somebody else is at it.
    """
    objects, state = open_objects(store), files_state(plan.run)
    while True:
        last = read_claim(objects, plan.source_id)
        if last is None:
            pid = Pid.generate(facility.pid_prefix)
            location = version_folder(pid, _VERSION, _places(plan, request, facility))
            first = make_claim(plan.source_id, pid, location, attempt, state)
            if place_claim(objects, first):
                return Target(pid, store, location, first)
            continue
        if objects.size(f"{last.location}/{MANIFEST_KEY}") is not None:
            return Target(last.pid, store, last.location, last, committed=True)
        if not last.abandoned():
            raise _in_progress(last, plan)
        mine = take_over(objects, last, attempt, state)
        if mine is not None:
            resumed = last.files_state == state
            if not resumed:  # somebody wrote to the files since: what is there counts no more
                VersionWriter(objects, last.location).abandon()
            return Target(last.pid, store, last.location, mine, resumed=resumed)


def _in_progress(claim: Claim, plan: Plan) -> IngestInProgressError:
    return IngestInProgressError(
        f"the source is being ingested as {claim.pid} by process {claim.process} on "
        f"{claim.host} since {claim.made:%Y-%m-%d %H:%M} UTC",
        where=str(plan.run.path),
        next_step="wait until it is done; one that died on another machine gives up after 12 h",
    )


def version_folder(pid: Pid, version: int, places: tuple[str | None, ...]) -> str:
    """Give the folder of a version below the store; quotas and access lists hang on its parts."""
    parts = [_UNSAFE.sub("-", place or "").strip(".-")[:64] or "unknown" for place in places]
    return "/".join([*parts, pid.ulid, f"v{version}"])


def raw_record(
    plan: Plan, target: Target, manifest: Manifest, request: IngestRequest, facility: Facility
) -> Dataset:
    """Word the record of an ingested dataset."""
    facts, name = plan.run.facts, plain_text(plan.run.name)
    sample = request.sample or facts.sample
    return Dataset(
        pid=target.pid,
        version=_VERSION,
        kind=Kind.RAW,
        title=facts.title or (f"{sample}: {name}" if sample else name),
        facility=facility.id,
        instrument=facts.instrument,
        proposal=request.proposal or facts.proposal,
        sample=sample,
        created=now(),
        collected=facts.collected,
        source_id=plan.source_id,
        root=manifest.root,
        layout=plan.run.layout,
        location=target.url,
        bytes_in=plan.bytes_in,
        bytes_out=manifest.nbytes,
        arrays=by_path([summary(planned.spec) for planned in plan.arrays]),
        gaps=manifest.gaps,
        quantities=dict(facts.quantities),
        keywords=(name,),
    )


def by_path(arrays: list[ArraySummary]) -> tuple[ArraySummary, ...]:
    """Sort arrays as records list them."""
    return tuple(sorted(arrays, key=lambda array: array.path))


def _places(plan: Plan, request: IngestRequest, facility: Facility) -> tuple[str | None, ...]:
    facts = plan.run.facts
    year = str((facts.collected or now()).year)
    return facility.id, facts.instrument, year, request.proposal or facts.proposal
