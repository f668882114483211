"""What came of what: inputs and outputs of datasets, by the provenance edges."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    or_,
    select,
)

from hsc.model import Activity, Dataset, Edge
from hsc_catalog import tables

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
    found = _edges(connection, "object", "subject", activities, _GENERATED)
    return {pid for _, node in found if (pid := pid_of(node)) is not None}


def named_inputs(dataset: Dataset, activity: Activity, edges: Iterable[Edge]) -> set[str]:
    """Give the PIDs, without version, of all that a dataset was made from as it is registered."""
    mine, did = str(dataset.pid.at(dataset.version)), f"activity:{activity.id}"
    ends = [*activity.used]
    for edge in edges:
        derived = edge.predicate == "was_derived_from" and edge.subject == mine
        if derived or (edge.predicate == "used" and edge.subject == did):
            ends.append(edge.object)
    named = {pid for end in ends if (pid := pid_of(end)) is not None}
    return named - {str(dataset.pid.latest())}


def implied(activity: Activity, edges: Iterable[Edge]) -> list[Edge]:
    """Give the edges that an activity states by its list of what it used, and no edge says."""
    did = f"activity:{activity.id}"
    said = {edge.object for edge in edges if edge.subject == did and edge.predicate == "used"}
    return [
        Edge(subject=did, predicate="used", object=used)
        for used in dict.fromkeys(activity.used)
        if used not in said and pid_of(used) is not None
    ]


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
    beyond = _edges(connection, near, far, by_activity, then)
    for activity, there in beyond:
        end = pid_of(there)
        for start in by_activity[activity]:
            if end is not None:
                found[start].add(end)
    # A version made from another one of the same dataset asks nothing that it doesn't ask itself.
    return {start: ends - {start} for start, ends in found.items()}


def _edges(
    connection: Connection, near: str, far: str, nodes: Iterable[str], predicate: str
) -> list[Any]:
    """Give the edges of nodes that are named just so."""
    return list(_AT[near, far].among(connection, "nodes", nodes, predicate=predicate))


def _edges_of(
    connection: Connection, near: str, far: str, pids: Iterable[str], predicates: list[str]
) -> list[Any]:
    """Give the edges of all versions of datasets, in one statement however many they are."""
    wanted = sorted(set(pids))
    if not wanted:
        return []
    on = tables.is_postgresql(connection)
    found = _BETWEEN[near, far, on]
    named = wanted if on else json.dumps(wanted)
    return list(found.rows(connection, pids=named, told=predicates))


def _between(near: str, far: str, *, on_postgresql: bool) -> Select[Any]:
    """Select the edges whose near end is any version of some PIDs."""
    value = column("value", tables.Words)
    if on_postgresql:
        each = func.unnest(cast(bindparam("pids"), ARRAY(Text)))
        listed = each.table_valued(value).render_derived()
    else:
        listed = func.json_each(bindparam("pids")).table_valued(value)
    pid, end = listed.c.value, _edge[near]
    # "@" comes just before "A", and no PID has one: all versions stand in this range. What begins
    # with a PID and goes on with digits stands there too, and is another one.
    some = and_(end >= pid, end < pid + "A", or_(end == pid, end >= pid + "@"))
    found = select(end, _edge[far]).select_from(listed).join(tables.edge, some)
    return found.where(_edge.predicate.in_(bindparam("told", expanding=True)))


_WAYS = (("subject", "object"), ("object", "subject"))
_AT = {
    (near, far): tables.Prepared(
        select(_edge[near], _edge[far]).where(
            _edge[near].in_(bindparam("nodes", expanding=True)),
            _edge.predicate == bindparam("predicate"),
        )
    )
    for near, far in _WAYS
}
_BETWEEN = {
    (near, far, on): tables.Prepared(_between(near, far, on_postgresql=on))
    for near, far in _WAYS
    for on in (False, True)
}
