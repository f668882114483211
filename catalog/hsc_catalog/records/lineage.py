"""Walking the provenance edges from a dataset, up to its origins and down to what came of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from sqlalchemy import Connection, select

from hsc.model import Edge, Lineage, Pid, Predicate
from hsc_catalog import tables
from hsc_catalog.access import Sight
from hsc_catalog.records.ends import Ends, kind_of, rows
from hsc_catalog.records.reading import get_version

End = Literal["subject", "object"]
Row = tuple[str, Predicate, str, str]
"""An edge as the table has it: subject, predicate, object, role."""


def walk(
    connection: Connection, sight: Sight, pid: Pid, *, up: bool, down: bool, depth: int
) -> Lineage:
    """Walk at most ``depth`` activities away from a dataset, and not past what is hidden.

    A frontier goes out in few statements per step, however wide it is. One recursive statement
    could not leave off where something is hidden without asking the predicate of each row.

    Raises
    ------
    DatasetNotFoundError
        There is no such dataset that the caller may see.
    """
    start = str(get_version(connection, sight, pid).pid)
    ends = Ends(connection, sight)
    ends.meet([start])
    # Dictionaries stand for sets that keep their order: the same walk gives the same answer.
    met: dict[Row, None] = {}
    if up:
        met |= dict.fromkeys(_met(connection, ends, start, depth, near="subject"))
    if down:
        met |= dict.fromkeys(_met(connection, ends, start, depth, near="object"))
    edges = tuple(dict.fromkeys(_shown(ends, row) for row in met))
    ids = dict.fromkeys([start, *(end for edge in edges for end in (edge.subject, edge.object))])
    return Lineage(nodes=tuple(map(ends.node, ids)), edges=edges)


def _met(connection: Connection, ends: Ends, start: str, depth: int, *, near: End) -> Iterator[Row]:
    """Give the edges of a walk from their near ends to their far ends, some of them twice."""
    far = 2 if near == "subject" else 0
    frontier = seen = {start}
    while frontier and depth > 0:
        first = _edges(connection, near, frontier)
        beyond = {row[far] for row in first}
        ends.meet(beyond)
        activities = {end for end in beyond if kind_of(end) == "activity"} - seen
        shown = ends.lead_on(activities)
        second = _edges(connection, near, shown)
        yield from first
        yield from second
        if near == "object":
            # Who did it belongs to an activity whichever way the walk goes.
            yield from _edges(connection, "subject", shown, "was_associated_with")
        further = {row[far] for row in second}
        ends.meet(further)
        datasets = {end for end in beyond | further if kind_of(end) == "dataset"} - seen
        frontier = ends.lead_on(datasets)
        seen = seen | activities | datasets
        depth -= 1


def _edges(
    connection: Connection, end: End, ids: Collection[str], predicate: Predicate | None = None
) -> list[Row]:
    columns = tables.edge.c
    wanted = select(columns.subject, columns.predicate, columns.object, columns.role)
    if predicate is not None:
        wanted = wanted.where(columns.predicate == predicate)
    found = rows(connection, wanted.order_by(columns.id), columns[end], ids)
    return [(subject, name, target, role) for subject, name, target, role in found]


def _shown(ends: Ends, row: Row) -> Edge:
    subject, predicate, target, role = row
    near, far = ends.shown(subject, target)
    # A role is whatever somebody wrote: beside something hidden it might name it.
    told = role if (near, far) == (subject, target) else None
    return Edge(subject=near, predicate=predicate, object=far, role=told or None)
