"""A history: a walk along the provenance edges, with the records of what it met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from hsc.errors import ActivityNotFoundError, DatasetNotFoundError
from hsc.model import Activity, Dataset, Lineage, Node, Pid

ACTIVITY = "activity:"


class Records(Protocol):
    """Gives the records behind the nodes of a lineage, as a catalog does."""

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset."""
        ...

    def activity(self, id: str) -> Activity:
        """Give an activity by its ULID."""
        ...


@dataclass(frozen=True, slots=True)
class History:
    """Where a dataset came from or what came of it: the graph, and the records of its nodes.

    A node without a record is one that the catalog does not have, or does not show to who asks.
    """

    lineage: Lineage
    """The graph; its first node is the dataset that was asked for."""
    datasets: Mapping[str, Dataset]
    """Records of datasets, by the ids of their nodes."""
    activities: Mapping[str, Activity]
    """Records of activities, by the ids of their nodes."""

    @property
    def start(self) -> Node:
        """The dataset that was asked for."""
        return self.lineage.nodes[0]

    def steps(self) -> list[tuple[str, Activity]]:
        """Give the activities by their begin, each with the id of its node."""
        return sorted(self.activities.items(), key=lambda step: (step[1].started, step[0]))

    def ends(self, subject: str, predicate: str) -> Iterator[tuple[str, str | None]]:
        """Give the objects of a node's statements of one kind, with their roles."""
        for edge in self.lineage.edges:
            if edge.subject == subject and edge.predicate == predicate:
                yield edge.object, edge.role

    def made_by(self, activity: str) -> list[str]:
        """Give the nodes that an activity generated."""
        return [
            edge.subject
            for edge in self.lineage.edges
            if edge.predicate == "was_generated_by" and edge.object == activity
        ]


def gather(lineage: Lineage, records: Records) -> History:
    """Look up the records of a lineage's nodes; those that are not to be had are left out."""
    datasets: dict[str, Dataset] = {}
    activities: dict[str, Activity] = {}
    for node in lineage.nodes:
        # The graph may know of more than the catalog holds, or shows.
        with suppress(DatasetNotFoundError, ActivityNotFoundError):
            if node.kind == "dataset":
                datasets[node.id] = records.get(Pid.parse(node.id))
            elif node.kind == "activity":
                activities[node.id] = records.activity(node.id.removeprefix(ACTIVITY))
    return History(lineage, datasets, activities)


def stale(lineage: Lineage) -> dict[str, str]:
    """Find what rests on an input that has a newer version, at any distance.

    Returns
    -------
    dict
        Id of each dataset that was derived from such an input, directly or not, to the PID with
        version of the newer one.
    """
    newer = {node.id: node.newer for node in lineage.nodes if node.newer is not None}
    derived: dict[str, list[str]] = {}
    for edge in lineage.edges:
        if edge.predicate == "was_derived_from":
            derived.setdefault(edge.object, []).append(edge.subject)
    found: dict[str, str] = {}
    waiting = list(newer.items())
    while waiting:
        node, by = waiting.pop()
        for after in derived.get(node, ()):
            if after not in found:
                found[after] = by
                waiting.append((after, by))
    return found
