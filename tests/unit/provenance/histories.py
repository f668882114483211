"""Histories to export: made with a catalog in memory, as ingests and reductions make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hsc.errors import ActivityNotFoundError, DatasetNotFoundError
from hsc.model import (
    Activity,
    ActivityState,
    Agent,
    Dataset,
    Edge,
    Failure,
    Kind,
    Lineage,
    Node,
    Pid,
)
from hsc.provenance import environment

MOMENT = datetime(2026, 11, 22, 8, 0, 0, 123000, UTC)
RAW, BUFFER, CURVE = (Pid.parse(f"hsc.maxiv/01M815HK3GE2DTT7XDPBF2RW1{letter}") for letter in "ABC")


class Shelf:
    """Gives the records that were put on it."""

    def __init__(self, *records: Dataset | Activity) -> None:
        self._datasets = {str(r.pid.at(r.version)): r for r in records if isinstance(r, Dataset)}
        self._activities = {r.id: r for r in records if isinstance(r, Activity)}

    def get(self, pid: Pid) -> Dataset:
        if str(pid) not in self._datasets:
            raise DatasetNotFoundError(f"there is no dataset {pid}")
        return self._datasets[str(pid)]

    def activity(self, id: str) -> Activity:
        if id not in self._activities:
            raise ActivityNotFoundError(f"there is no activity {id}")
        return self._activities[id]


def dataset(pid: Pid, title: str, **more: Any) -> Dataset:
    return Dataset(
        **{
            "pid": pid,
            "kind": Kind.RAW,
            "title": title,
            "facility": "maxiv",
            "created": MOMENT,
            "root": "blake3:" + "0" * 64,
            "layout": "plain",
            "location": "file:///store/v1",
            "bytes_in": 3,
            "bytes_out": 4,
            **more,
        }
    )


def activity(letter: str, kind: str, hours: int, **more: Any) -> Activity:
    return Activity(
        **{
            "id": f"01M815HK3GE2DTT7XDPBF2RX1{letter}",
            "type": kind,
            "state": ActivityState.DONE,
            "started": MOMENT + timedelta(hours=hours),
            "ended": MOMENT + timedelta(hours=hours, minutes=1),
            "parameters": {"path": "/data/a b/\u00e9.h5", "bins": 100, "unit": "1/nm"},
            "environment": environment(),
            "agents": (
                Agent(kind="software", id="hanseatic-science-cloud@0.1.0"),
                Agent(kind="person", id="0000-0002-1825-0097"),
                Agent(kind="person", id="p12 <operator>"),
            ),
            **more,
        }
    )


FIRST = activity("A", "ingest", 0)
SECOND = activity("B", "ingest", 1)
THIRD = activity("C", "reduce", 2)
BROKEN = activity(
    "D",
    "reduce",
    3,
    state=ActivityState.FAILED,
    failure=Failure(error="ParameterError", message="no wavelength"),
)

RECORDS = (
    dataset(RAW, "lysozyme, 10 mg/ml: \u201cgr\u00f6\u00dfte\u201d"),
    dataset(BUFFER, "buffer <b>&amp;</b>"),
    dataset(CURVE, "curve of lysozyme", kind=Kind.DERIVED),
    FIRST,
    SECOND,
    THIRD,
    BROKEN,
)


def lineage() -> Lineage:
    """Give the graph: two files, two datasets, a curve of both, a reduction that failed."""
    raw, buffer, curve = (str(pid.at(1)) for pid in (RAW, BUFFER, CURVE))
    edges: list[Edge] = []

    def state(subject: str, predicate: Any, target: str, role: str | None = None) -> None:
        edges.append(Edge(subject=subject, predicate=predicate, object=target, role=role))

    for made, act, source in ((raw, FIRST, "blake3:aa"), (buffer, SECOND, "blake3:bb")):
        state(made, "was_generated_by", f"activity:{act.id}")
        state(f"activity:{act.id}", "used", source)
        state(made, "was_derived_from", source)
    state(curve, "was_generated_by", f"activity:{THIRD.id}")
    for used, role in ((raw, "sample"), (buffer, "buffer")):
        state(f"activity:{THIRD.id}", "used", used, role)
        state(curve, "was_derived_from", used, role)
    state(f"activity:{BROKEN.id}", "used", curve, "sample")
    state(f"activity:{THIRD.id}", "used", "hidden:1")
    for act in (FIRST, SECOND, THIRD, BROKEN):
        for agent in act.agents:
            state(f"activity:{act.id}", "was_associated_with", f"agent:{agent.id}")
    ids = dict.fromkeys([curve, *(end for edge in edges for end in (edge.subject, edge.object))])
    titles = {str(r.pid.at(1)): r.title for r in RECORDS if isinstance(r, Dataset)}

    def node(name: str) -> Node:
        if name == "hidden:1":
            return Node(id=name, kind="hidden", title="not visible to you")
        if ":" not in name:
            return Node(id=name, kind="dataset", title=titles[name])
        kind: Any = name.partition(":")[0]
        kind = kind if kind in ("activity", "agent") else "source"
        return Node(id=name, kind=kind, title=f"{kind} {name}")

    return Lineage(nodes=tuple(map(node, ids)), edges=tuple(edges))
