"""The nouns of the house, without I/O."""

from hsc.model.access import Access, AccessChange, AccessClass, Visibility
from hsc.model.activity import Activity, ActivityState, Agent, Environment, Failure
from hsc.model.amendment import Amendment
from hsc.model.annotation import Annotation
from hsc.model.dataset import ArraySummary, Dataset, Gap, Kind, Origin, Way
from hsc.model.entry import Entry, FacetCounts
from hsc.model.facility import Facility, Place, Policy
from hsc.model.instrument import Instrument
from hsc.model.limits import NAME_CHARACTERS, TEXT_CHARACTERS, shallow_json
from hsc.model.lineage import Edge, Lineage, Node, Predicate
from hsc.model.nouns import NOUNS, Noun, NounKind, noun_kind
from hsc.model.person import Person
from hsc.model.pid import Pid
from hsc.model.proposal import Funding, Period, Proposal
from hsc.model.publication import Member, Publication
from hsc.model.quantity import Quantity, comparable
from hsc.model.query import Condition, Query, SearchResult
from hsc.model.registration import Draft, Registration
from hsc.model.replica import Replica, ReplicaState
from hsc.model.sample import ExternalId, Sample
from hsc.model.technique import Technique
from hsc.model.wire import (
    Record,
    UtcTime,
    VersionedRecord,
    canonical_json,
    now,
    plain_json,
    plain_text,
)

__all__ = [
    "NAME_CHARACTERS",
    "NOUNS",
    "TEXT_CHARACTERS",
    "Access",
    "AccessChange",
    "AccessClass",
    "Activity",
    "ActivityState",
    "Agent",
    "Amendment",
    "Annotation",
    "ArraySummary",
    "Condition",
    "Dataset",
    "Draft",
    "Edge",
    "Entry",
    "Environment",
    "ExternalId",
    "FacetCounts",
    "Facility",
    "Failure",
    "Funding",
    "Gap",
    "Instrument",
    "Kind",
    "Lineage",
    "Member",
    "Node",
    "Noun",
    "NounKind",
    "Origin",
    "Period",
    "Person",
    "Pid",
    "Place",
    "Policy",
    "Predicate",
    "Proposal",
    "Publication",
    "Quantity",
    "Query",
    "Record",
    "Registration",
    "Replica",
    "ReplicaState",
    "Sample",
    "SearchResult",
    "Technique",
    "UtcTime",
    "VersionedRecord",
    "Visibility",
    "Way",
    "canonical_json",
    "comparable",
    "noun_kind",
    "now",
    "plain_json",
    "plain_text",
    "shallow_json",
]
