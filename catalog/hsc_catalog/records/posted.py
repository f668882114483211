"""Posted: what comes in, with the text that it came as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hsc.model import Access, Activity, Dataset, Edge
from hsc_catalog import tables


@dataclass(frozen=True)
class Posted:
    """A dataset with the activity that made it and their edges."""

    dataset: Dataset
    """The dataset's record."""
    activity: Activity
    """What made it."""
    edges: Sequence[Edge] = ()
    """The provenance edges around the two."""
    text: str | None = None
    """The dataset's JSON as it was posted, to be given back exactly; None: hsc words it."""
    groups: Sequence[str] = ()
    """Groups that it shall belong to, where a face of another catalog says so."""
    access: Access | None = None
    """How it stood where it was exported; it counts of what was not there, and for operators."""

    @cached_property
    def document(self) -> str:
        """The text that is kept of the dataset."""
        return tables.written(self.dataset) if self.text is None else self.text

    @property
    def name(self) -> str:
        """PID and version, as edges and the audit log name it."""
        return str(self.dataset.pid.at(self.dataset.version))


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to be done once, however often it is sent."""

    key: str
    """What its sender calls it."""
    digest: str
    """Digest of its body: under one key stands one body."""
    answer: str
    """What is answered when it was done, to this one and to each that comes again."""
