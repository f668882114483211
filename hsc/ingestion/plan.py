"""The plan of an ingest: every group, array and shard that will be written; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hsc.errors import IncompleteRunError, UnsupportedObjectError
from hsc.hdf5 import Problem, SourceGroup
from hsc.ingestion.assets import PlannedAsset, plan_assets
from hsc.ingestion.dimensions import dimension_names
from hsc.ingestion.identity import (
    file_contents,
    file_digests,
    file_marks,
    run_key,
    source_id,
)
from hsc.ingestion.keys import run_keys, told_name
from hsc.ingestion.planned import PlannedArray, plan_array, plan_obstacle
from hsc.layouts import Run
from hsc.model import Gap, plain_text
from hsc.store import GroupSpec
from hsc.workers import Isolation

_NAMED_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an ingest will write, and why something will be missing."""

    run: Run
    """The run's files."""
    source_id: str
    """Identity of the files."""
    groups: tuple[GroupSpec, ...]
    """Groups of the tree."""
    arrays: tuple[PlannedArray, ...]
    """Arrays of the tree."""
    assets: tuple[PlannedAsset, ...]
    """Objects of what is carried byte for byte, by key."""
    gaps: tuple[Gap, ...]
    """What can't be carried over."""
    run_key: str = ""
    """What all states of the run have in common; empty for a run that has no other."""
    files: tuple[str, ...] = ()
    """Digests of the files' names and contents, where the run may have other states."""
    marks: tuple[bytes, ...] = ()
    """A mark of each of the run's sources (`file_marks`), where the run may have other states."""
    isolation: Isolation | None = None
    """The child process that enters HDF5; None: whoever carries the plan out does."""

    @property
    def bytes_in(self) -> int:
        """Bytes of the source files."""
        return sum(file.state.nbytes for file in self.run.sources)


def make_plan(run: Run, *, policy: str) -> Plan:
    """Plan an ingest.

    Parameters
    ----------
    run
        The run's files.
    policy
        ``strict`` refuses what can't be carried over, ``quarantine`` makes gaps of it.

    Raises
    ------
    IncompleteRunError
        Something of the run is missing, and the policy is strict.
    UnsupportedObjectError
        Some objects can't be carried over, and the policy is strict.
    """
    run = _plannable(run)
    gaps = [Gap(path=plain_text(p.path), reason=plain_text(p.reason)) for p in run.problems]
    gaps += [
        Gap(path="/", reason=plain_text(f"missing in the run: {what}")) for what in run.missing
    ]
    if policy == "strict":
        _refuse(run)
    keys, names = run_keys(run)
    contents = file_contents(run)
    dimensions = dimension_names(run)
    grows = bool(run.key or run.missing or len(run.sources) > 1)
    return Plan(
        run=run,
        source_id=source_id(run, contents),
        groups=tuple(_group(run, group, keys, names) for group in run.groups),
        arrays=tuple(plan_array(a, keys, names, dimensions[a.path]) for a in run.arrays),
        assets=plan_assets(run),
        gaps=tuple(gaps),
        run_key=run_key(run, contents) if grows else "",
        files=file_digests(run, contents) if grows else (),
        marks=file_marks(run, contents) if grows else (),
    )


def _plannable(run: Run) -> Run:
    found = [(array, plan_obstacle(array)) for array in run.arrays]
    if not any(reason for _, reason in found):
        return run
    return replace(
        run,
        arrays=tuple(array for array, reason in found if not reason),
        problems=(*run.problems, *(Problem(a.path, reason) for a, reason in found if reason)),
    )


def _refuse(run: Run) -> None:
    where = str(run.path)
    if run.missing:
        raise IncompleteRunError(
            f"the run is not complete: {'; '.join(run.missing)}",
            where=where,
            next_step="wait until it is, or take in what is there with --policy quarantine",
        )
    if run.problems:
        named = [plain_text(f"{p.path}: {p.reason}") for p in run.problems[:_NAMED_PROBLEMS]]
        more = len(run.problems) - len(named)
        listed = "\n    ".join(named + ([f"and {more} more"] if more else []))
        raise UnsupportedObjectError(
            f"{len(run.problems)} objects can't be carried over exactly:\n    {listed}",
            where=where,
            next_step="take in the rest with --policy quarantine, which records them as gaps",
        )


def _group(
    run: Run, group: SourceGroup, keys: Mapping[str, str], names: Mapping[str, str]
) -> GroupSpec:
    path = group.path
    attributes = dict(group.attributes)
    if group.links:
        attributes["hsc:links"] = group.links_document()
    if path in names:
        attributes |= told_name(names[path])
    if path == "/":
        attributes["hsc:layout"] = run.layout
        if run.roles:
            attributes["hsc:roles"] = dict(run.roles)
    return GroupSpec(plain_text(path), keys[path], attributes)
