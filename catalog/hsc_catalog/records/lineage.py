"""Walking the provenance edges from a dataset, up to its origins and down to what came of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, select

from hsc.model import Edge, Lineage, Node, Pid
from hsc_catalog import tables
from hsc_catalog.access import Caller
from hsc_catalog.records.reading import get_version

_BATCH = 500  # ids in one statement; SQLite would take 32,766

End = Literal["subject", "object"]
Kind = Literal["dataset", "activity", "agent", "source"]


def walk(
    connection: Connection, caller: Caller, pid: Pid, *, up: bool, down: bool, depth: int
) -> Lineage:
    """Walk at most ``depth`` activities away from a dataset.

    Raises
    ------
    DatasetNotFoundError
        There is no such dataset.
    """
    start = str(get_version(connection, caller, pid).pid)
    # Dictionaries stand for sets that keep their order: the same walk gives the same answer.
    edges: dict[Edge, None] = {}
    if up:
        edges |= dict.fromkeys(_met(connection, start, depth, near="subject", far="object"))
    if down:
        edges |= dict.fromkeys(_met(connection, start, depth, near="object", far="subject"))
    ids = dict.fromkeys([start, *(end for edge in edges for end in (edge.subject, edge.object))])
    return Lineage(nodes=tuple(_nodes(connection, list(ids))), edges=tuple(edges))


def _met(connection: Connection, start: str, depth: int, *, near: End, far: End) -> Iterator[Edge]:
    """Give the edges of a walk from their near ends to their far ends, some of them twice."""
    frontier = seen = {start}
    while frontier and depth > 0:
        first = _edges(connection, near, frontier)
        ends = {getattr(edge, far) for edge in first}
        activities = {end for end in ends if _kind(end) == "activity"} - seen
        second = _edges(connection, near, activities)
        yield from first
        yield from second
        # Who did it belongs to an activity whichever way the walk goes.
        told = _edges(connection, "subject", activities)
        yield from (edge for edge in told if edge.predicate == "was_associated_with")
        ends |= {getattr(edge, far) for edge in second}
        frontier = {end for end in ends if _kind(end) == "dataset"} - seen
        seen = seen | activities | frontier
        depth -= 1


def _edges(connection: Connection, end: End, ids: Collection[str]) -> list[Edge]:
    columns = tables.edge.c
    wanted = select(columns.subject, columns.predicate, columns.object, columns.role)
    rows = _rows(connection, wanted.order_by(columns.id), columns[end], ids)
    return [
        Edge(subject=subject, predicate=predicate, object=target, role=role or None)
        for subject, predicate, target, role in rows
    ]


def _nodes(connection: Connection, ids: Collection[str]) -> Iterator[Node]:
    titles = _activity_titles(connection, ids) | _dataset_titles(connection, ids)
    for node in ids:
        kind = _kind(node)
        if kind == "agent":
            title = node.removeprefix("agent:")
        elif kind == "source":
            title = "source files"
        else:
            title = titles.get(node, "not in this catalog")
        yield Node(id=node, kind=kind, title=title)


def _dataset_titles(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    columns = tables.dataset.c
    pids = {node.partition("@")[0] for node in ids if _kind(node) == "dataset"}
    wanted = select(columns.pid, columns.version, columns.title)
    rows = _rows(connection, wanted, columns.pid, pids)
    return {f"{pid}@{version}": title for pid, version, title in rows}


def _activity_titles(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    columns = tables.activity.c
    ulids = {node.removeprefix("activity:") for node in ids if _kind(node) == "activity"}
    wanted = select(columns.id, columns.type, columns.state, columns.started)
    return {
        f"activity:{ulid}": f"{name}, {state}, {tables.moment(started):%Y-%m-%dT%H:%M:%SZ}"
        for ulid, name, state, started in _rows(connection, wanted, columns.id, ulids)
    }


def _rows(
    connection: Connection, wanted: Select[Any], key: ColumnElement[str], ids: Collection[str]
) -> Iterator[Any]:
    ordered = sorted(ids)
    for first in range(0, len(ordered), _BATCH):
        yield from connection.execute(wanted.where(key.in_(ordered[first : first + _BATCH])))


def _kind(node: str) -> Kind:
    prefix, colon, _ = node.partition(":")
    if not colon:
        return "dataset"
    return "activity" if prefix == "activity" else "agent" if prefix == "agent" else "source"
