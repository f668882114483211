"""Walk: lineage by following every path, as plainly as a contract reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hsc.model import Activity, Edge, Lineage, Node

Ends = Callable[[Edge], tuple[str, str]]


class Walk:
    """The edges of a catalog, to be walked.

    Parameters
    ----------
    edges
        All edges.
    titles
        Titles of the datasets that are there, by PID with version.
    activities
        Those that are there, by id.
    hidden
        Datasets that the caller may not see: the walk ends there.
    """

    def __init__(
        self,
        edges: Iterable[Edge],
        titles: Mapping[str, str],
        activities: Mapping[str, Activity],
        hidden: Iterable[str] = (),
    ) -> None:
        self._edges = list(edges)
        self._titles = titles
        self._activities = activities
        self._hidden = {name: f"hidden:{n}" for n, name in enumerate(sorted(hidden), 1)}

    def around(self, start: str, *, up: bool, down: bool, depth: int) -> Lineage:
        """Give what is met from a dataset, at most ``depth`` activities away."""
        met: dict[Edge, None] = {}
        if up:
            self._walk(start, depth, met, lambda edge: (edge.subject, edge.object))
        if down:
            self._walk(start, depth, met, lambda edge: (edge.object, edge.subject))
        shown = dict.fromkeys(map(self._shown, met))
        ids = dict.fromkeys([start, *(end for e in shown for end in (e.subject, e.object))])
        return Lineage(nodes=tuple(map(self._node, ids)), edges=tuple(shown))

    def _walk(self, node: str, depth: int, met: dict[Edge, None], ends: Ends) -> None:
        # Every path is followed, however often it comes by the same place: right, not fast.
        if depth <= 0 or ":" in node or node in self._hidden:  # only datasets that one sees lead on
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

    def _from(self, node: str, ends: Ends) -> list[Edge]:
        return [edge for edge in self._edges if ends(edge)[0] == node]

    def _shown(self, edge: Edge) -> Edge:
        changes: dict[str, Any] = {
            "subject": self._hidden.get(edge.subject, edge.subject),
            "object": self._hidden.get(edge.object, edge.object),
        }
        return edge.model_copy(update=changes)

    def _node(self, node: str) -> Node:
        if node.startswith("hidden:"):
            return Node(id=node, kind="hidden", title="not visible to you")
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
        return Node(id=node, kind="dataset", title=self._titles.get(node, "not in this catalog"))
