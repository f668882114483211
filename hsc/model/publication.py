"""Publication: datasets that are cited together, and what each of them is for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hsc.model.limits import LISTED, Name, SortedNames, Text
from hsc.model.person import Person
from hsc.model.pid import Pid
from hsc.model.proposal import Funding
from hsc.model.technique import Iri
from hsc.model.wire import Record, UtcTime, VersionedRecord

PublicationState = Literal["draft", "review", "registered", "amended", "withdrawn"]
MemberRole = Literal["measurement", "calibration", "dark", "reference", "result"]


class Member(Record):
    """A dataset of a publication."""

    dataset: Pid
    """Which; with a version where one version is meant."""
    role: MemberRole = "measurement"
    """What it is for."""


class Publication(VersionedRecord):
    """A citable set of datasets."""

    format: Literal["hsc.publication/1"] = "hsc.publication/1"
    """Name and version of this wire form."""
    id: Name
    """What it is found by: its DOI, or a ULID until it has one."""
    facility: Name | None = None
    """Short id of the facility that publishes it."""
    doi: Name | None = None
    """DOI of this version."""
    concept_doi: Name | None = None
    """DOI of all versions together."""
    version: int = Field(default=1, ge=1, le=999_999_999)
    """Which version, from 1."""
    title: Text = Field(min_length=1)
    """Its title."""
    creators: tuple[Person, ...] = Field(default=(), max_length=LISTED)
    """Who made it, in the order of the citation."""
    abstract: Text | None = None
    """What it is about."""
    keywords: SortedNames = Field(default=(), max_length=LISTED)
    """Words to search by."""
    members: tuple[Member, ...] = Field(default=(), max_length=LISTED)
    """Its datasets."""
    funding: tuple[Funding, ...] = Field(default=(), max_length=LISTED)
    """Who paid."""
    license: Name | None = None
    """SPDX identifier, as in ``CC-BY-4.0``."""
    state: PublicationState = "draft"
    """How it stands; all but draft and review are public."""
    published: UtcTime | None = None
    """When it became public."""
    page: Iri | None = None
    """Its landing page."""
    owner: Name | None = None
    """Subject who made it."""

    @property
    def key(self) -> str:
        """What it is found by."""
        return self.id
