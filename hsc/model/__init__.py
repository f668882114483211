"""The nouns of the house, without I/O."""

from hsc.model.activity import Activity, ActivityState, Agent, Environment, Failure
from hsc.model.dataset import ArraySummary, Dataset, Gap, Kind, Way
from hsc.model.facility import Facility
from hsc.model.lineage import Edge, Lineage, Node, Predicate
from hsc.model.pid import Pid
from hsc.model.quantity import Quantity
from hsc.model.query import Condition, Query, SearchResult
from hsc.model.replica import Replica, ReplicaState
from hsc.model.wire import Record, UtcTime, canonical_json, now, plain_text

__all__ = [
    "Activity",
    "ActivityState",
    "Agent",
    "ArraySummary",
    "Condition",
    "Dataset",
    "Edge",
    "Environment",
    "Facility",
    "Failure",
    "Gap",
    "Kind",
    "Lineage",
    "Node",
    "Pid",
    "Predicate",
    "Quantity",
    "Query",
    "Record",
    "Replica",
    "ReplicaState",
    "SearchResult",
    "UtcTime",
    "Way",
    "canonical_json",
    "now",
    "plain_text",
]
