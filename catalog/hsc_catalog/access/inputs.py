"""What came of what: inputs and outputs of datasets, by the provenance edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

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
    for here, there in _edges(connection, near, far, _versions(near, pids), [_DERIVED, first]):
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


def _versions(end: str, pids: Iterable[str]) -> list[ColumnElement[bool]]:
    # "@" comes just before "A", and no PID has one: all versions stand in this range, and no more.
    return [
        or_(_edge[end] == pid, and_(_edge[end] >= f"{pid}@", _edge[end] < f"{pid}A"))
        for pid in sorted(set(pids))
    ]
