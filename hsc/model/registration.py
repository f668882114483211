"""Registration: a dataset with the activity that made it, as catalogs take them in."""

from __future__ import annotations

from pydantic import Field

from hsc.model.activity import Activity
from hsc.model.dataset import Dataset
from hsc.model.lineage import Edge
from hsc.model.wire import Record


class Registration(Record):
    """What one call registers, all or nothing."""

    dataset: Dataset
    """The dataset."""
    activity: Activity
    """What made it."""
    edges: tuple[Edge, ...] = Field(default=())
    """The provenance edges around the two."""
