"""Admission: whether a caller may register something, and how it then stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, select

from hsc.errors import ConflictError, ForbiddenError
from hsc.model import Activity, Dataset, Draft, Edge, Visibility
from hsc_catalog import tables
from hsc_catalog.access.caller import Caller, person_key
from hsc_catalog.access.inheritance import (
    UNKNOWN_INPUT,
    Restood,
    flagged,
    inherited,
    joined,
    merged,
    private,
    restand,
    settle,
    spread,
    tighten_outputs,
)
from hsc_catalog.access.inputs import generated_by, implied, named_inputs, outputs_of, pid_of
from hsc_catalog.access.predicate import dataset_visible
from hsc_catalog.access.rights import may, require, require_move
from hsc_catalog.access.sets import AccessSet, Clause, interned, shortest
from hsc_catalog.access.standing import HIDDEN_FROM_ALL, NO_PROPOSAL, Standing, standings

_BATCH = 500  # ids in one statement

_row, _activity = tables.dataset.c, tables.activity.c
_VERSIONS = tables.Prepared(
    select(_row.pid, _row.version).where(_row.pid.in_(bindparam("pids", expanding=True)))
)
_RECORDERS = tables.Prepared(
    select(_activity.id, _activity.recorder).where(
        _activity.id.in_(bindparam("ids", expanding=True))
    )
)

Item = tuple[Dataset, Activity, Sequence[Edge]]
"""What comes in at once: a dataset, the activity that made it, and their edges."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A dataset that may come in, and how it stands."""

    standing: Standing
    """Who may see it; all versions of the dataset alike."""
    access: int
    """The row of its access set."""
    edges: tuple[Edge, ...]
    """The edges to keep; fewer than were given when somebody only repeats what is there."""
    before: Standing | None
    """How the dataset stood; None: no version of it was there."""


class Admission:
    """The door by which datasets and activities come in, for one transaction.

    Call `expect` with all that comes, then `admit` for each in order, then put them into the
    tables, then `settle`.
    """

    def __init__(self, connection: Connection, caller: Caller, now: datetime) -> None:
        self._connection = connection
        self._caller = caller
        self._now = now
        self._stand: dict[str, Standing] = {}
        self._visible: set[str] = set()
        self._versions: set[tuple[str, int]] = set()
        self._recorders: dict[str, str | None] = {}
        self._awaited: set[str] = set()
        self._interned: dict[AccessSet, int] = {}
        self._touched: set[str] = set()
        self._reused: set[str] = set()
        self._new: set[str] = set()
        self._joined: dict[str, Standing] = {}
        self._alike: dict[tuple[object, ...], Standing] = {}

    def expect(self, items: Sequence[Item]) -> None:
        """Look up at once what is known of what will come in, and of its inputs."""
        own = {str(dataset.pid.latest()) for dataset, _, _ in items}
        self._look_up(own.union(*(named_inputs(*item) for item in items)))
        self._awaited = set(outputs_of(self._connection, own))
        self._expect_activities(activity.id for _, activity, _ in items)

    def check(self, draft: Draft) -> None:
        """Pass where a dataset like this would be let in; nothing is noted.

        Raises
        ------
        ForbiddenError, ConflictError
            As `admit`.
        """
        pid = None if draft.pid is None else str(draft.pid.latest())
        inputs = {each for used in draft.used if (each := pid_of(used)) is not None} - {pid}
        self._look_up(inputs | ({pid} if pid else set()))
        version = None if draft.pid is None else draft.pid.version
        self._pass(self._new_standing(draft), inputs, version or 1)

    def _look_up(self, pids: set[str]) -> None:
        self._stand |= standings(self._connection, pids)
        see = dataset_visible(self._caller, self._now)
        there = pids & self._stand.keys()
        self._versions.update(map(tuple, _VERSIONS.among(self._connection, "pids", there)))
        if self._caller.sees_everything:
            self._visible |= there
        else:
            for some in _batches(_row.pid, there):
                self._visible |= set(self._connection.scalars(select(_row.pid).where(some, see)))

    def admit(
        self,
        dataset: Dataset,
        activity: Activity,
        edges: Sequence[Edge],
        groups: Sequence[str] = (),
    ) -> Admitted:
        """Let a dataset in, or not.

        ``groups`` are those that it shall belong to where a face of another catalog says so: who
        is in one of them may create it as a member of its proposal may. Those that the caller is
        not in count where the caller may share it.

        Raises
        ------
        ForbiddenError
            The caller may not create it.
        ConflictError
            Its PID or its activity's id is somebody else's; whose, and what stands behind it, is
            not said.
        """
        pid, mine = str(dataset.pid.latest()), dataset.pid.at(dataset.version)
        edges = [*edges, *implied(activity, edges)]
        inputs = named_inputs(dataset, activity, edges)
        known = self._stand.get(pid)
        standing, repeats = self._pass(self._wanted(dataset, groups), inputs, dataset.version)
        reused = self._admit_activity(activity.id)
        self._refuse_foreign(edges, str(mine), f"activity:{activity.id}")
        if known is not None and repeats:
            # Whoever only repeats what is there says what they did, and nothing of the dataset.
            told = tuple(edge for edge in edges if edge.subject.startswith("activity:"))
            return Admitted(known, self._intern(known), told, known)
        standing = self._inherited(standing, inputs)
        self._note(standing, known, activity.id if reused else None, edges, str(mine))
        self._stand[pid] = standing
        self._visible.add(pid)
        self._versions.add((pid, dataset.version))
        return Admitted(standing, self._intern(standing), tuple(edges), known)

    def _pass(self, standing: Standing, inputs: set[str], version: int) -> tuple[Standing, bool]:
        """Pass where a dataset may come in; give how it stands, and whether it only repeats."""
        derives = bool(inputs) and inputs <= self._visible
        # Before it is said whether a PID is taken: who may register nothing learns nothing.
        theirs = derives and self._is_of(standing, inputs)
        require(self._caller, "create", standing, derives=theirs)
        pid = standing.pid
        known = self._stand.get(pid)
        if known is None:
            return standing, False
        if not (self._is_trusted() or pid in self._visible):
            raise ConflictError(
                f"{pid} can't be registered: it is taken or reserved",
                next_step="let hsc make a new PID",
            )
        require(self._caller, "create", known, derives=derives)
        if not may(self._caller, "register_replica", known):
            if (pid, version) in self._versions:
                return known, True
            raise ForbiddenError(
                f"{self._caller.subject} may not add a version to this dataset",
                where=pid,
                next_step="its owner, its instrument's staff, its principal investigator may",
            )
        newest = version > max(n for kept, n in self._versions if kept == pid)
        standing = joined(known, standing, newest=newest)
        require_move(self._caller, known, standing)
        return standing, False

    def admit_activity(self, activity: Activity) -> None:
        """Let an activity in, or not.

        Raises
        ------
        ForbiddenError
            The caller may record none.
        ConflictError
            Its id is that of somebody else's.
        """
        require(self._caller, "record")
        self._expect_activities([activity.id])
        self._admit_activity(activity.id)

    def settle(self) -> list[Restood]:
        """Let the other versions of what came in stand as it does, and tighten what came of it.

        Call it once all that was admitted is in the tables.
        """
        moment = tables.microseconds(self._now)
        done = [
            restand(self._connection, before, self._stand[pid], moment)
            for pid, before in sorted(self._joined.items())
        ]
        touched = self._touched | generated_by(self._connection, self._reused)
        if touched:
            done = merged(done, settle(self._connection, touched, moment))
        done = spread(self._connection, done, moment)
        awaited = tighten_outputs(self._connection, self._new & self._awaited, moment)
        return merged(done, awaited)

    def _is_of(self, entry: Standing, inputs: set[str]) -> bool:
        """Tell whether something belongs to no proposal, or to that of one of its inputs.

        Else anybody could put what they made into any proposal, and by that read of it.
        """
        known = (self._stand[pid].group for pid in inputs & self._stand.keys())
        return entry.group is None or entry.group in known

    def _is_trusted(self) -> bool:
        return self._caller.sees_everything or "ingestor" in self._caller.roles

    def _expect_activities(self, ids: Iterable[str]) -> None:
        self._recorders.update(_RECORDERS.among(self._connection, "ids", ids))

    def _admit_activity(self, id: str) -> bool:
        """Tell whether the activity was there before."""
        if id not in self._recorders:
            self._recorders[id] = self._caller.subject
            return False
        if self._recorders[id] != self._caller.subject and not self._caller.sees_everything:
            raise ConflictError(
                f"the activity {id} can't be recorded: the id is taken or reserved",
                next_step="let hsc make a new id",
            )
        return True

    def _refuse_foreign(self, edges: Iterable[Edge], dataset: str, activity: str) -> None:
        """Refuse statements about what is not being registered: they would change its access."""
        if self._caller.sees_everything:
            return
        for edge in edges:
            about = edge.subject in (dataset, activity)
            if not about or (edge.predicate == "was_generated_by" and edge.object != activity):
                raise ForbiddenError(
                    f"the edge {edge.subject} {edge.predicate} {edge.object} is not about this "
                    "dataset or its activity",
                    where=dataset,
                    next_step="register each dataset with its own edges",
                )

    def _wanted(self, dataset: Dataset, groups: Sequence[str]) -> Standing:
        """Give how a dataset stands by its own record, before its inputs are asked."""
        place, asked = (dataset.facility, dataset.instrument, dataset.proposal), dataset.visibility
        facts = (place, dataset.access_class, dataset.embargo_until, asked, *groups)
        # Of a beamtime there are many alike; the rules are gone through once.
        if facts not in self._alike:
            self._alike[facts] = self._worked_out(dataset, groups)
        return self._alike[facts].of(str(dataset.pid.latest()))

    def _worked_out(self, dataset: Dataset, groups: Sequence[str]) -> Standing:
        until = dataset.embargo_until
        embargo = None if until is None else tables.microseconds(until)
        access = AccessSet("private", dataset.access_class or "open", embargo)
        entry, known = self._new_standing(dataset, access), dataset.proposal is not None
        shared = self._shared(entry, groups)
        visibility: Visibility = "group" if known or shared else "private"
        if dataset.visibility == "public":
            require(self._caller, "share", entry)
            visibility = "public"
        own = entry.readers(visibility, shared)
        return replace(entry, access=replace(access, visibility=visibility, own=own))

    def _new_standing(
        self, record: Dataset | Draft, access: AccessSet = HIDDEN_FROM_ALL
    ) -> Standing:
        return Standing(
            "" if record.pid is None else str(record.pid.latest()),
            record.facility,
            record.instrument,
            record.proposal,
            self._caller.subject,
            NO_PROPOSAL if record.proposal is None else None,
            access,
        )

    def _shared(self, entry: Standing, groups: Sequence[str]) -> Clause:
        """Give those of the groups wished for that the caller may share it with."""
        theirs = self._caller.groups & set(groups)
        free = self._is_trusted() or may(self._caller, "share", entry)
        return frozenset(groups) if free else theirs

    def _inherited(self, entry: Standing, inputs: set[str]) -> Standing:
        now = tables.microseconds(self._now)
        hidden = {pid for pid in inputs if pid in self._stand and pid not in self._visible}
        if self._is_trusted() or not hidden:
            sources = tuple(self._stand[pid].access for pid in inputs if pid in self._stand)
            facts = (entry.of(""), len(inputs) - len(sources), *sources)
            if facts not in self._alike:
                self._alike[facts] = inherited(entry, inputs, self._stand, now)
            return self._alike[facts].of(entry.pid)
        # To the caller these are not there, so it must look as if they were not. Everybody else has
        # to see them nevertheless.
        told = flagged(private(inherited(entry, inputs - hidden, self._stand, now)), UNKNOWN_INPUT)
        mine = {person_key(self._caller.subject or "")}
        asked = {
            clause | mine
            for pid in hidden
            for clause in (self._stand[pid].access.own, *self._stand[pid].access.inherited)
        }
        clauses: frozenset[Clause] = shortest(told.access.inherited | asked)
        return replace(told, access=replace(told.access, inherited=clauses))

    def _note(
        self,
        entry: Standing,
        known: Standing | None,
        reused: str | None,
        edges: Iterable[Edge],
        mine: str,
    ) -> None:
        """Note what has to be settled: what was there, and what already names this as its input."""
        if known is None:
            self._new.add(entry.pid)
        else:
            self._joined.setdefault(entry.pid, known)
        if reused is not None:
            self._reused.add(f"activity:{reused}")
        for edge in edges:
            other = pid_of(edge.subject)
            if other is not None and edge.subject != mine:
                self._touched.add(other)

    def _intern(self, entry: Standing) -> int:
        if entry.access not in self._interned:
            self._interned[entry.access] = interned(self._connection, entry.access)
        return self._interned[entry.access]


def _batches(column: ColumnElement[str], values: Iterable[str]) -> Iterator[ColumnElement[bool]]:
    every = sorted(set(values))
    for start in range(0, len(every), _BATCH):
        yield column.in_(every[start : start + _BATCH])
