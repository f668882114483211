"""Registration and draft: a dataset as catalogs take it in, and as they are asked beforehand."""

from __future__ import annotations

from pydantic import Field

from hsc.model.activity import Activity
from hsc.model.dataset import Dataset
from hsc.model.limits import LISTED, Name, Text
from hsc.model.lineage import Edge
from hsc.model.pid import Pid
from hsc.model.wire import Record


class Registration(Record):
    """What one call registers, all or nothing."""

    dataset: Dataset
    """The dataset."""
    activity: Activity
    """What made it."""
    edges: tuple[Edge, ...] = Field(default=())
    """The provenance edges around the two."""


class Draft(Record):
    """What is known of a dataset before it is made; a catalog is asked whether it would take it."""

    facility: Name
    """Where it was measured or is made."""
    instrument: Text | None = None
    """On which instrument; None: none is known."""
    proposal: Text | None = None
    """For which proposal; None: none is known."""
    pid: Pid | None = None
    """Its PID, with the version where it shall be one of a dataset that is there; None: new."""
    used: tuple[Text, ...] = Field(default=(), max_length=LISTED)
    """PIDs or source ids of what it will be made from."""
