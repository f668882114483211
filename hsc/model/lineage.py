"""Provenance edges between datasets and activities, and a walk along them (PROV)."""

from __future__ import annotations

from typing import Literal

from hsc.model.wire import Record

Predicate = Literal["used", "was_generated_by", "was_derived_from", "was_associated_with"]


class Edge(Record):
    """One statement: subject, predicate, object."""

    subject: str
    """PID with version, activity id (``activity:<ULID>``) or agent (``agent:<id>``)."""
    predicate: Predicate
    """The relation, in PROV's words."""
    object: str
    """Likewise a PID with version, an activity, an agent, or a source id."""
    role: str | None = None
    """What the object was for the subject, as in ``buffer``."""


class Node(Record):
    """A dataset, activity, agent or source as lineage shows it."""

    id: str
    """The same id as in the edges."""
    kind: Literal["dataset", "activity", "agent", "source", "hidden"]
    """What stands behind the id; hidden: something that is not shown to who asks, with an id
    ``hidden:<n>`` that means nothing beyond this lineage."""
    title: str
    """One line for people."""
    newer: str | None = None
    """PID with version of the newest version of the dataset, where this node is an older one."""


class Lineage(Record):
    """A part of the provenance graph around one dataset."""

    nodes: tuple[Node, ...]
    """Every node met, each once, the dataset itself first."""
    edges: tuple[Edge, ...]
    """Every edge met, each once."""
