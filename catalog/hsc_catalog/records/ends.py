"""Ends of provenance edges: what stands behind each, and whether the caller sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, select

from hsc.model import Node
from hsc_catalog import tables
from hsc_catalog.access import Sight, pid_of

_BATCH = 500  # ids in one statement; SQLite would take 32,766

Kind = Literal["dataset", "activity", "agent", "source"]


class Ends:
    """What is known of the ends of edges; it grows as a walk meets more of them.

    What the caller may not see is hidden, and goes by a number that says nothing. What the caller
    told of something that is hidden from them stands as if it were not in the catalog: of an input
    that they named they learn no more from a lineage than by asking for it.
    """

    def __init__(self, connection: Connection, sight: Sight) -> None:
        self._connection = connection
        self._sight = sight
        self._asked: set[str] = set()
        self._titles: dict[str, str] = {}
        self._newest: dict[str, str] = {}
        self._seen: set[str] = set()
        self._hidden: set[str] = set()
        self._mine: set[str] = set()
        self._numbers: dict[str, str] = {}
        # Made once: to word the predicate takes longer than to ask it.
        row, did = tables.dataset.c, tables.activity.c
        self._datasets = select(
            row.pid, row.version, row.newest, row.title, row.owner, sight.datasets().label("seen")
        )
        self._activities = select(
            did.id, did.type, did.state, did.started, did.recorder, sight.activities().label("seen")
        )

    def meet(self, nodes: Iterable[str]) -> None:
        """Look up all that was not met before."""
        new = set(nodes) - self._asked
        self._asked |= new
        self._meet_datasets(new)
        self._meet_activities(new)

    def is_hidden(self, node: str) -> bool:
        """Tell whether something is in the catalog and not for the caller to see."""
        return (pid_of(node) or node) in self._hidden

    def lead_on(self, nodes: Iterable[str]) -> set[str]:
        """Give those of some nodes from which a walk may go on."""
        return {node for node in nodes if not self.is_hidden(node)}

    def shown(self, subject: str, target: str) -> tuple[str, str]:
        """Give both ends of an edge as the caller may know them."""
        mine = (pid_of(subject) or subject) in self._mine
        return self._name(subject), target if mine else self._name(target)

    def node(self, shown: str) -> Node:
        """Give what stands behind an end, as it is shown."""
        kind = kind_of(shown)
        if shown.startswith("hidden:"):
            return Node(id=shown, kind="hidden", title="not visible to you")
        if kind == "agent":
            return Node(id=shown, kind=kind, title=shown.removeprefix("agent:"))
        if kind == "source":
            return Node(id=shown, kind=kind, title="source files")
        title = self._titles.get(shown, "not in this catalog")
        return Node(id=shown, kind=kind, title=title, newer=self._newer(shown))

    def _newer(self, node: str) -> str | None:
        newest = self._newest.get(node.partition("@")[0])
        return newest if node in self._titles and newest != node else None

    def _name(self, node: str) -> str:
        if not self.is_hidden(node):
            return node
        return self._numbers.setdefault(node, f"hidden:{len(self._numbers) + 1}")

    def _meet_datasets(self, nodes: set[str]) -> None:
        row, mine = tables.dataset.c, self._sight.caller.subject
        pids = {pid for node in nodes if (pid := pid_of(node)) is not None} - self._seen
        there, seen = set(), set()
        for pid, version, newest, title, owner, visible in self._rows(
            self._datasets, row.pid, pids
        ):
            there.add(pid)
            if not visible:
                continue
            seen.add(pid)
            self._titles[f"{pid}@{version}"] = title
            if newest:
                self._newest[pid] = f"{pid}@{version}"
            if mine is not None and owner == mine:
                self._mine.add(pid)
        self._seen |= seen
        self._hidden |= there - seen

    def _meet_activities(self, nodes: set[str]) -> None:
        row, mine = tables.activity.c, self._sight.caller.subject
        ids = {node.removeprefix("activity:") for node in nodes if kind_of(node) == "activity"}
        found = self._rows(self._activities, row.id, ids)
        for id, name, state, started, recorder, visible in found:
            node = f"activity:{id}"
            if not visible:
                self._hidden.add(node)
                continue
            began = f"{tables.moment(started):%Y-%m-%dT%H:%M:%SZ}"
            self._titles[node] = f"{name}, {state}, {began}"
            if mine is not None and recorder == mine:
                self._mine.add(node)

    def _rows(
        self, wanted: Select[Any], key: ColumnElement[str], ids: Iterable[str]
    ) -> Iterator[Any]:
        return rows(self._connection, wanted, key, ids)


def rows(
    connection: Connection, wanted: Select[Any], key: ColumnElement[str], ids: Iterable[str]
) -> Iterator[Any]:
    """Give the rows of a statement that have one of many ids."""
    ordered = sorted(set(ids))
    for first in range(0, len(ordered), _BATCH):
        yield from connection.execute(wanted.where(key.in_(ordered[first : first + _BATCH])))


def kind_of(node: str) -> Kind:
    """Give what an end of an edge is."""
    prefix, colon, _ = node.partition(":")
    if not colon:
        return "dataset"
    return "activity" if prefix == "activity" else "agent" if prefix == "agent" else "source"
