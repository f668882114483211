"""Standing: how a dataset stands, with what the rules of access ask about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from hsc.errors import DatasetNotFoundError
from hsc.model import Access, Pid, Visibility
from hsc_catalog import tables
from hsc_catalog.access.caller import (
    Caller,
    instrument_name,
    lead_key,
    person_key,
    proposal_group,
    staff_key,
)
from hsc_catalog.access.predicate import dataset_visible
from hsc_catalog.access.sets import AccessSet, Clause, read_sets

NO_PROPOSAL = "no proposal is known"
"""The flag of what no proposal was named for."""
MOVED = "it was taken out of another proposal"
"""The flag of what belonged to another proposal."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a dataset stands, all its versions alike."""

    pid: str
    """Its PID without a version."""
    facility: str
    """Where it was measured or made."""
    instrument: str | None
    """On which instrument; None: none is known."""
    proposal: str | None
    """For which proposal; None: none is known."""
    owner: str | None
    """Who registered it; None: whoever opened the database itself."""
    flagged: str | None
    """Why somebody has to look at it; None: nobody has to."""
    access: AccessSet
    """Who may see it."""

    def of(self, pid: str) -> Standing:
        """Give how another dataset stands that stands alike."""
        return Standing(
            pid, self.facility, self.instrument, self.proposal, self.owner, self.flagged,
            self.access,
        )  # fmt: skip

    @property
    def instrument_name(self) -> str | None:
        """Give its instrument as `Caller.staff_of` has it."""
        known = self.instrument is not None
        return instrument_name(self.facility, self.instrument or "") if known else None

    @property
    def group(self) -> str | None:
        """Give the name of its proposal's group, which is the proposal's key too."""
        known = self.proposal is not None
        return proposal_group(self.facility, self.proposal or "") if known else None

    def stewards(self) -> Clause:
        """Give who sees it while it is private: owner, staff, principal investigators."""
        names = set()
        if self.owner is not None:
            names.add(person_key(self.owner))
        if self.instrument_name is not None:
            names.add(staff_key(self.instrument_name))
        if self.group is not None:
            names.add(lead_key(self.group))
        return frozenset(names)

    def groups(self) -> Clause:
        """Give the groups it was shared with, beside the proposal's own."""
        return self.access.own - self.stewards() - {self.group or ""}

    def readers(self, visibility: Visibility, shared: Iterable[str]) -> Clause:
        """Give its own clause as it has to be under a visibility, shared with groups."""
        if visibility == "private":
            return self.stewards()
        members = {self.group} if self.group is not None else set()
        return self.stewards() | members | set(shared)

    def moved(self, proposal: str | None, instrument: str | None) -> Standing:
        """Give how it stands once it belongs to a proposal and an instrument, by the rules.

        What had no proposal becomes visible to its group, as a new dataset does. What is taken out
        of a proposal becomes private, for the people of the one were not asked about the other.
        """
        after = replace(self, proposal=proposal, instrument=instrument)
        visibility, shared, flag = self.access.visibility, self.groups(), self.flagged
        if self.group != after.group:
            told = [] if flag is None else flag.split("; ")
            alone = told == [NO_PROPOSAL]
            if self.group is None:
                visibility = "group" if alone and visibility == "private" else visibility
            elif visibility == "group":
                visibility = "private"
            told = [each for each in told if each != NO_PROPOSAL]
            if after.group is None:
                told.append(NO_PROPOSAL)
            elif self.group is not None:
                told.append(MOVED)
            flag = "; ".join(dict.fromkeys(told)) or None
        access = replace(
            self.access, visibility=visibility, own=after.readers(visibility, shared)
        ).collapsed()
        return replace(after, access=access, flagged=flag)

    def document(self) -> Access:
        """Give it as callers see it."""
        embargo = self.access.embargo
        return Access(
            visibility=self.access.visibility,
            access_class=self.access.access_class,
            owner=self.owner,
            groups=tuple(sorted(self.groups())),
            embargo_until=None if embargo is None else tables.moment(embargo),
            flagged=self.flagged,
        )


HIDDEN_FROM_ALL = AccessSet("private")
"""How a dataset of before there were access sets stands: only administrators see it."""


_row = tables.dataset.c
_STANDINGS = tables.Prepared(
    select(
        _row.pid, _row.facility, _row.instrument, _row.proposal, _row.owner, _row.flagged,
        _row.access,
    ).where(_row.newest, _row.pid.in_(bindparam("pids", expanding=True)))
)  # fmt: skip


def standings(connection: Connection, pids: Iterable[str]) -> Mapping[str, Standing]:
    """Give how datasets stand, by their PIDs without version; those not there are left out."""
    found = list(_STANDINGS.among(connection, "pids", pids))
    sets = read_sets(connection, (row[-1] for row in found if row[-1] is not None))
    return {row[0]: _standing(row, sets) for row in found}


def _standing(row: Any, sets: Mapping[int, AccessSet]) -> Standing:
    pid, facility, instrument, proposal, owner, flagged, access = row
    stands = sets.get(access, HIDDEN_FROM_ALL)
    return Standing(pid, facility, instrument, proposal, owner, flagged, stands)


def visible_standing(connection: Connection, caller: Caller, pid: Pid, now: datetime) -> Standing:
    """Give how a dataset stands that the caller may see.

    Raises
    ------
    DatasetNotFoundError
        There is none, or the caller may not see it.
    """
    row = tables.dataset.c
    version = row.newest if pid.version is None else row.version == pid.version
    there = select(row.id).where(row.pid == str(pid.latest()), version)
    if connection.scalar(there.where(dataset_visible(caller, now))) is None:
        raise DatasetNotFoundError(
            f"there is no dataset {pid}", next_step="`hsc search` lists the known ones"
        )
    return standings(connection, [str(pid.latest())])[str(pid.latest())]
