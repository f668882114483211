"""Records: taking them in, giving one back, and the walk along provenance edges."""

from hsc_catalog.records.activities import list_activities, put_activity
from hsc_catalog.records.lineage import walk
from hsc_catalog.records.reading import get_dataset
from hsc_catalog.records.registering import put_dataset, put_edges
from hsc_catalog.records.replicas import list_replicas, put_replica

__all__ = [
    "get_dataset",
    "list_activities",
    "list_replicas",
    "put_activity",
    "put_dataset",
    "put_edges",
    "put_replica",
    "walk",
]
