"""Sight: who asks, at which moment; with it every statement that reads says what may be seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement

from hsc_catalog import tables
from hsc_catalog.access.caller import Caller
from hsc_catalog.access.predicate import (
    activities_by_what_is_seen,
    activity_visible,
    dataset_visible,
    noun_visible,
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller sees at one moment."""

    caller: Caller
    """Who asks."""
    now: datetime
    """When: embargoes up to this moment are over."""

    @property
    def moment(self) -> int:
        """The moment as the tables keep it."""
        return tables.microseconds(self.now)

    def datasets(self) -> ColumnElement[bool]:
        """Give the condition on rows of ``dataset``."""
        return dataset_visible(self.caller, self.now)

    def activities(self) -> ColumnElement[bool]:
        """Give the condition on rows of ``activity``."""
        return activity_visible(self.caller, self.now)

    def activities_by_what_is_seen(self) -> list[ColumnElement[bool]]:
        """Give the same as several conditions, of which each is found by an index."""
        return activities_by_what_is_seen(self.caller, self.now)

    def nouns(self) -> ColumnElement[bool]:
        """Give the condition on rows of ``noun``."""
        return noun_visible(self.caller, self.now)
