"""What came of what: inputs and outputs of datasets, by the provenance edges."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, and_, cast, column, func, or_, select

from hsc_catalog import tables

_BATCH = 100  # conditions in one statement

_edge = tables.edge.c

_DERIVED, _USED, _GENERATED = "was_derived_from", "used", "was_generated_by"


def pid_of(node: str) -> str | None:
    """Give the PID without version that an end of an edge names; None: it names no dataset.

    Examples
    --------
    >>> pid_of("hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV@2")
    'hsc.maxiv/01ARZ3NDEKTSV4RRFFQ69G5FAV'
    >>> pid_of("activity:01ARZ3NDEKTSV4RRFFQ69G5FAV")
    """
    return None if ":" in node else node.partition("@")[0]


def inputs_of(connection: Connection, pids: Iterable[str]) -> Mapping[str, set[str]]:
    """Give what each of some datasets was made from, in any version, one step away."""
    return _step(connection, pids, near="subject", far="object", first=_GENERATED, then=_USED)


def outputs_of(connection: Connection, pids: Iterable[str]) -> Mapping[str, set[str]]:
    """Give what was made from each of some datasets, in any version, one step away."""
    return _step(connection, pids, near="object", far="subject", first=_USED, then=_GENERATED)


def generated_by(connection: Connection, activities: Iterable[str]) -> set[str]:
    """Give the datasets that activities made; they are named as in edges."""
    found = _edges(connection, "object", "subject", _equal("object", activities), [_GENERATED])
    return {pid for _, node in found if (pid := pid_of(node)) is not None}


def _step(
    connection: Connection, pids: Iterable[str], *, near: str, far: str, first: str, then: str
) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    by_activity: dict[str, set[str]] = defaultdict(set)
    for here, there in _edges_of(connection, near, far, pids, [_DERIVED, first]):
        start, end = pid_of(here) or here, pid_of(there)
        if end is None:
            by_activity[there].add(start)
        else:
            found[start].add(end)
    beyond = _edges(connection, near, far, _equal(near, by_activity), [then])
    for activity, there in beyond:
        end = pid_of(there)
        for start in by_activity[activity]:
            if end is not None:
                found[start].add(end)
    # A version made from another one of the same dataset asks nothing that it doesn't ask itself.
    return {start: ends - {start} for start, ends in found.items()}


def _edges(
    connection: Connection,
    near: str,
    far: str,
    conditions: Iterable[ColumnElement[bool]],
    predicates: list[str],
) -> list[Any]:
    every: list[ColumnElement[bool]] = list(conditions)
    found: list[Any] = []
    for start in range(0, len(every), _BATCH):
        wanted = select(_edge[near], _edge[far]).where(
            or_(*every[start : start + _BATCH]), _edge.predicate.in_(predicates)
        )
        found += connection.execute(wanted).all()
    return found


def _equal(end: str, nodes: Iterable[str]) -> list[ColumnElement[bool]]:
    return [_edge[end] == node for node in sorted(nodes)]


def _edges_of(
    connection: Connection, near: str, far: str, pids: Iterable[str], predicates: list[str]
) -> list[Any]:
    """Give the edges of all versions of datasets, in one statement however many they are."""
    wanted = sorted(set(pids))
    if not wanted:
        return []
    value = column("value", tables.Words)
    if tables.is_postgresql(connection):
        each = func.unnest(cast(wanted, ARRAY(Text)))
        listed = each.table_valued(value).render_derived()
    else:
        listed = func.json_each(json.dumps(wanted)).table_valued(value)
    pid, end = listed.c.value, _edge[near]
    # "@" comes just before "A", and no PID has one: all versions stand in this range. What begins
    # with a PID and goes on with digits stands there too, and is another one.
    some = and_(end >= pid, end < pid + "A", or_(end == pid, end >= pid + "@"))
    found = select(end, _edge[far]).select_from(listed).join(tables.edge, some)
    return list(connection.execute(found.where(_edge.predicate.in_(predicates))))
