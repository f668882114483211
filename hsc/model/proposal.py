"""Proposal: what was asked to be measured, by whom, when, on whose money."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hsc.model.facility import Ror
from hsc.model.limits import LISTED, Name, SortedNames, Text
from hsc.model.person import Person
from hsc.model.wire import Record, UtcTime, VersionedRecord


class Period(Record):
    """A time that a proposal had on an instrument."""

    started: UtcTime
    """Its begin."""
    ended: UtcTime | None = None
    """Its end; None: open."""
    instrument: Name | None = None
    """On which instrument; None: on those of the proposal."""


class Funding(Record):
    """Money behind a proposal or publication."""

    funder: Name
    """Who gave it."""
    ror: Ror | None = None
    """The funder's ROR identifier."""
    award: Name | None = None
    """Number of the grant."""


class Proposal(VersionedRecord):
    """A proposal at a facility."""

    format: Literal["hsc.proposal/1"] = "hsc.proposal/1"
    """Name and version of this wire form."""
    facility: Name
    """The facility's short id."""
    number: Name
    """Its number at the facility, as datasets have it."""
    title: Text = ""
    """One line for people; empty: not known."""
    abstract: Text | None = None
    """What was to be found out."""
    principal_investigator: Person | None = None
    """Who leads it; None: not known."""
    members: tuple[Person, ...] = Field(default=(), max_length=LISTED)
    """Who else takes part, with their roles."""
    instruments: SortedNames = Field(default=(), max_length=LISTED)
    """Short names of its instruments."""
    periods: tuple[Period, ...] = Field(default=(), max_length=LISTED)
    """When it measured or will."""
    funding: tuple[Funding, ...] = Field(default=(), max_length=LISTED)
    """Who paid."""
    raid: Name | None = None
    """Its identifier as a project (RAiD)."""
    groups: SortedNames = Field(default=(), max_length=LISTED)
    """Groups that are part of it, beside its own ``<facility>/<number>``."""
    release_date: UtcTime | None = None
    """When its open data becomes public; None: no date is set."""

    @property
    def key(self) -> str:
        """What it is found by: ``<facility>/<number>``, which is its group's name too."""
        return f"{self.facility}/{self.number}"
