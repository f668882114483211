"""Access: who may see a dataset, and a change of that."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hsc.model.limits import LISTED, Name, SortedNames, Text
from hsc.model.wire import UtcTime, VersionedRecord

Visibility = Literal["private", "group", "public"]
"""Private: owner, staff of the instrument, principal investigator. Group: also the proposal's group
and the groups named. Public: everybody, unless class or embargo say otherwise."""

AccessClass = Literal["open", "proprietary", "human"]
"""Open: may become public. Proprietary: never released by the clock, in no feed. Human: the same,
and no preview."""


class Access(VersionedRecord):
    """How a dataset stands: who may see it, all its versions alike."""

    format: Literal["hsc.access/1"] = "hsc.access/1"
    """Name and version of this wire form."""
    visibility: Visibility = "private"
    """Who may see it."""
    access_class: AccessClass = "open"
    """What the data is, for rules that no date changes."""
    owner: Name | None = None
    """Subject who registered it; None: whoever opened the database itself."""
    groups: SortedNames = Field(default=(), max_length=LISTED)
    """Groups that may see it beside the proposal's own, sorted."""
    embargo_until: UtcTime | None = None
    """Before this moment what is public is visible as ``group`` is; None: no embargo."""
    flagged: Text | None = None
    """Why somebody has to look at it, as when no proposal is known; None: nobody has to."""


class AccessChange(VersionedRecord):
    """What shall change of an access; what is None or empty stays."""

    format: Literal["hsc.access_change/1"] = "hsc.access_change/1"
    """Name and version of this wire form."""
    visibility: Visibility | None = None
    """The new visibility."""
    access_class: AccessClass | None = None
    """The new class."""
    add_groups: SortedNames = Field(default=(), max_length=LISTED)
    """Groups that may see it from now on."""
    remove_groups: SortedNames = Field(default=(), max_length=LISTED)
    """Groups that may not any more."""
    embargo_until: UtcTime | None = None
    """The embargo's new end."""
    release_embargo: bool = False
    """Whether the embargo ends now."""
    clear_flag: bool = False
    """Whether somebody looked at what was flagged."""
    reason: Text = Field(min_length=1)
    """Why; it stands in the audit log by its digest."""

    @model_validator(mode="after")
    def _not_both(self) -> AccessChange:
        if self.release_embargo and self.embargo_until is not None:
            raise ValueError("an embargo can't be released and given a new end at once")
        if twice := set(self.add_groups) & set(self.remove_groups):
            raise ValueError(f"groups both added and removed: {', '.join(sorted(twice))}")
        return self
