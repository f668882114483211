"""FakeCatalog: a catalog in memory, written as plainly as its contract reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Self

from hsc.errors import ConflictError, DatasetNotFoundError, InvalidQueryError
from hsc.model import (
    Activity,
    ActivityState,
    Condition,
    Dataset,
    Edge,
    Lineage,
    Node,
    Pid,
    Quantity,
    Query,
    Replica,
    SearchResult,
)


class FakeCatalog:
    """A catalog in memory (`hsc.client.Catalog`), to test with and to test others against.

    It differs from a real one in this: nothing outlives the object or reaches another process, it
    is never unavailable, it stays usable after `close`, it keeps the records themselves, not their
    JSON, it is not made for several threads, every search looks at every dataset, and a circle of
    edges is walked round as often as ``depth`` allows.

    Examples
    --------
    >>> with FakeCatalog() as catalog:
    ...     catalog.search(Query(text="lysozyme")).total
    0
    """

    def __init__(self) -> None:
        self.url = "fake://"
        self._datasets: dict[str, Dataset] = {}
        self._activities: dict[str, Activity] = {}
        self._edges: dict[Edge, None] = {}
        self._replicas: dict[tuple[str, str], Replica] = {}

    def register(self, dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> None:
        """Keep a dataset, the activity that made it and their edges."""
        known = self._datasets.setdefault(_id(dataset), dataset)
        if known.root != dataset.root:
            raise ConflictError(
                f"the catalog has root {known.root}, this one has {dataset.root}",
                where=_id(dataset),
            )
        self._activities[activity.id] = activity
        self._edges |= dict.fromkeys(edges)

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands."""
        self._activities[activity.id] = activity

    def register_replica(self, pid: Pid, replica: Replica, activity: Activity) -> None:
        """Keep how a replica of a version now stands, and the activity that says so."""
        self._replicas[_id(self.get(pid)), replica.location] = replica
        self._activities[activity.id] = activity

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset: the version that the PID names, else the newest."""
        versions = [kept for kept in self._datasets.values() if kept.pid.latest() == pid.latest()]
        if pid.version is not None:
            versions = [kept for kept in versions if kept.version == pid.version]
        if not versions:
            raise DatasetNotFoundError(f"there is no dataset {pid}")
        return max(versions, key=lambda kept: kept.version)

    def replicas(self, pid: Pid) -> Sequence[Replica]:
        """List where a version lies."""
        dataset = self.get(pid)
        here = dataset.location.rstrip("/")
        first = Replica(location=here, since=dataset.created)
        told = {place: kept for (of, place), kept in self._replicas.items() if of == _id(dataset)}
        return tuple(({here: first} | told).values())

    def search(self, query: Query) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first."""
        newest = {
            kept.pid.latest(): self.get(kept.pid.latest()) for kept in self._datasets.values()
        }
        found = sorted(
            (kept for kept in newest.values() if _matches(kept, query)),
            key=lambda kept: (kept.created, str(kept.pid.latest())),
            reverse=True,
        )
        return SearchResult(total=len(found), datasets=tuple(found[: max(query.limit, 0)]))

    def lineage(self, pid: Pid, *, up: bool, down: bool, depth: int) -> Lineage:
        """Walk the provenance edges from a dataset, at most ``depth`` activities away."""
        start = _id(self.get(pid))
        met: dict[Edge, None] = {}
        if up:
            self._walk(start, depth, met, lambda edge: (edge.subject, edge.object))
        if down:
            self._walk(start, depth, met, lambda edge: (edge.object, edge.subject))
        ids = dict.fromkeys([start, *(end for edge in met for end in (edge.subject, edge.object))])
        return Lineage(nodes=tuple(map(self._node, ids)), edges=tuple(met))

    def activities(
        self, *, state: ActivityState | None = None, since: datetime | None = None, limit: int = 100
    ) -> Sequence[Activity]:
        """List activities, newest first."""
        if since is not None and since.tzinfo is None:
            raise InvalidQueryError(f"the time {since.isoformat()} has no zone")
        found = [
            kept
            for kept in self._activities.values()
            if state in (None, kept.state) and (since is None or kept.started >= since)
        ]
        found.sort(key=lambda kept: (kept.started, kept.id), reverse=True)
        return found[: max(limit, 0)]

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _walk(
        self, node: str, depth: int, met: dict[Edge, None], ends: Callable[[Edge], tuple[str, str]]
    ) -> None:
        # Every path is followed, however often it comes by the same place: right, not fast.
        if depth <= 0 or ":" in node:  # only datasets lead on
            return
        for edge in self._from(node, ends):
            met[edge] = None
            activity = ends(edge)[1]
            if not activity.startswith("activity:"):
                self._walk(activity, depth - 1, met, ends)
                continue
            met |= {
                told: None
                for told in self._edges
                if told.subject == activity and told.predicate == "was_associated_with"
            }
            for beyond in self._from(activity, ends):
                met[beyond] = None
                self._walk(ends(beyond)[1], depth - 1, met, ends)

    def _from(self, node: str, ends: Callable[[Edge], tuple[str, str]]) -> list[Edge]:
        return [edge for edge in self._edges if ends(edge)[0] == node]

    def _node(self, node: str) -> Node:
        if node.startswith("agent:"):
            return Node(id=node, kind="agent", title=node.removeprefix("agent:"))
        if node.startswith("activity:"):
            activity = self._activities.get(node.removeprefix("activity:"))
            title = "not in this catalog"
            if activity is not None:
                started = f"{activity.started:%Y-%m-%dT%H:%M:%SZ}"
                title = f"{activity.type}, {activity.state}, {started}"
            return Node(id=node, kind="activity", title=title)
        if ":" in node:
            return Node(id=node, kind="source", title="source files")
        dataset = self._datasets.get(node)
        title = "not in this catalog" if dataset is None else dataset.title
        return Node(id=node, kind="dataset", title=title)


def _id(dataset: Dataset) -> str:
    return str(dataset.pid.at(dataset.version))


def _matches(dataset: Dataset, query: Query) -> bool:
    facets = ("facility", "instrument", "proposal", "technique", "kind")
    return (
        all(getattr(query, name) in (None, getattr(dataset, name)) for name in facets)
        and all(_holds(dataset, condition) for condition in query.where)
        and _has_words(dataset, query.text)
    )


def _holds(dataset: Dataset, condition: Condition) -> bool:
    if condition.name not in dataset.quantities:
        return False
    value, dimension = _comparable(dataset.quantities[condition.name])
    bound, wanted = _comparable(condition.bound)
    slack = abs(bound) * 1e-9
    equal = bound - slack <= value <= bound + slack
    holds = {
        "<": value < bound and not equal,
        "<=": value < bound or equal,
        "=": equal,
        ">=": value > bound or equal,
        ">": value > bound and not equal,
    }
    return dimension == wanted and holds[condition.comparison]


def _comparable(quantity: Quantity) -> tuple[float, str]:
    return quantity.si() or (quantity.value, f"unknown:{quantity.unit.strip()}")


def _has_words(dataset: Dataset, text: str) -> bool:
    fields = (
        dataset.title,
        dataset.sample,
        dataset.proposal,
        dataset.instrument,
        dataset.facility,
        dataset.technique,
        str(dataset.pid.latest()),
        *dataset.keywords,
    )
    there = {word for field in fields for word in _words(field or "")}
    return all(
        word in there or (len(word) >= 4 and any(other.startswith(word) for other in there))
        for word in _words(text)
    )


def _words(text: str) -> set[str]:
    word, found = "", set()
    for sign in unicodedata.normalize("NFKD", text.casefold()) + " ":
        kind = unicodedata.category(sign)
        if kind == "Mn":
            continue
        if kind[0] in "LN" or (kind[0] in "SM" and not sign.isascii()):
            word += sign
        elif word:
            found.add(word)
            word = ""
    return found
