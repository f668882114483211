"""Entry: a dataset as it stands in a catalog, with all that the catalog adds to its record."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hsc.model.access import Access
from hsc.model.annotation import Annotation
from hsc.model.dataset import Dataset
from hsc.model.limits import LARGEST, LISTED, Name
from hsc.model.pid import Pid
from hsc.model.wire import Record, UtcTime, VersionedRecord


class Entry(VersionedRecord):
    """A version of a dataset in a catalog."""

    format: Literal["hsc.entry/1"] = "hsc.entry/1"
    """Name and version of this wire form."""
    record: Dataset
    """The record as it stands, with its amendments."""
    access: Access | None = None
    """Who may see it; None: that is not for the caller to know."""
    revision: int = Field(ge=1, le=LARGEST)
    """Counts changes of record, access and annotations, from 1: the number that a change names."""
    created: UtcTime
    """When it was registered."""
    updated: UtcTime
    """When it was last changed."""
    annotations: tuple[Annotation, ...] = ()
    """What was said of it, oldest first."""
    stale: tuple[Pid, ...] = ()
    """Inputs, with the versions that were used, that have a newer version now."""
    replicas: int = Field(default=0, ge=0, le=LARGEST)
    """In how many places it lies, the first one included."""


class FacetCounts(Record):
    """How many datasets of a search have each value of each facet."""

    total: int = Field(ge=0, le=LARGEST)
    """How many match in all."""
    counts: dict[Name, dict[str, int]] = Field(default_factory=dict, max_length=LISTED)
    """Facet (``facility``, ``technique`` ...) to value to count, the most frequent first."""
