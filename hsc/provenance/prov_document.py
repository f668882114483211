"""PROV-JSON of a history: https://www.w3.org/submissions/prov-json/ (W3C, 2013)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from hsc.model import Activity, Agent, Dataset, Edge, Node
from hsc.provenance.history import History

# The names of nodes are no addresses: what has no resolver is a URN, RFC 8141.
_PREFIXES = {
    name: f"urn:hsc:{name}:" for name in ("dataset", "activity", "agent", "source", "hidden")
} | {"hsc": "urn:hsc:term:", "plan": "urn:hsc:commit:"}
# What stands at the two ends of a statement, and what PROV calls them there.
_RELATIONS = {
    "used": ("used", "prov:activity", "prov:entity"),
    "was_generated_by": ("wasGeneratedBy", "prov:entity", "prov:activity"),
    "was_derived_from": ("wasDerivedFrom", "prov:generatedEntity", "prov:usedEntity"),
    "was_associated_with": ("wasAssociatedWith", "prov:activity", "prov:agent"),
}
_ENDS = {
    "prov:activity": "activity",
    "prov:agent": "agent",
    "prov:entity": "entity",
    "prov:generatedEntity": "entity",
    "prov:usedEntity": "entity",
}


def prov_document(history: History) -> dict[str, Any]:
    """Word a history as PROV-JSON.

    Datasets and source files are entities; a version is a specialization of its dataset. The
    commit of hsc's source that an activity ran from is its plan. Parameters are left to the
    activity's own record, but for their digest.

    Parameters
    ----------
    history
        What to word.

    Returns
    -------
    dict
        Values that JSON can hold; the same history gives the same document.
    """
    document: dict[str, Any] = {"prefix": dict(_PREFIXES)}
    for node in history.lineage.nodes:
        if node.kind != "hidden":
            section, facts = _node(node, history)
            document.setdefault(section, {})[_name(node.id)] = facts
    for number, edge in enumerate(history.lineage.edges, 1):
        relation, facts = _relation(edge, history)
        document.setdefault(relation, {})[f"_:r{number}"] = facts
        for end, role in _hidden(edge):
            document.setdefault(role, {})[_name(end)] = {"prov:label": "not visible to you"}
    for relation, facts in _implied(history):
        known = document.setdefault(relation, {})
        known[f"_:{relation}{len(known) + 1}"] = facts
    for plan in sorted(_plans(history)):
        document.setdefault("entity", {})[plan] = {"prov:type": _qualified("prov:Plan")}
    return document


def _node(node: Node, history: History) -> tuple[str, dict[str, Any]]:
    facts: dict[str, Any] = {"prov:label": node.title}
    if node.kind == "dataset":
        return "entity", facts | _dataset(history.datasets.get(node.id))
    if node.kind == "activity":
        return "activity", facts | _activity(history.activities.get(node.id))
    if node.kind == "agent":
        return "agent", facts | _agent(node.id.removeprefix("agent:"), history)
    return "entity", facts


def _dataset(dataset: Dataset | None) -> dict[str, Any]:
    if dataset is None:
        return {}
    facts = {
        "prov:type": _qualified(f"hsc:{dataset.kind.value}"),
        "hsc:version": dataset.version,
        "hsc:root": dataset.root,
        "hsc:facility": dataset.facility,
        "hsc:created": _time(dataset.created.isoformat()),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _activity(activity: Activity | None) -> dict[str, Any]:
    if activity is None:
        return {}
    facts: dict[str, Any] = {
        "prov:startTime": activity.started.isoformat(),
        "prov:type": _qualified(f"hsc:{quote(activity.type, safe='')}"),
        "hsc:state": activity.state.value,
        "hsc:bytes_in": activity.bytes_in,
        "hsc:bytes_out": activity.bytes_out,
    }
    if activity.environment.lock_digest:
        facts["hsc:lock_digest"] = activity.environment.lock_digest
    if activity.ended is not None:
        facts["prov:endTime"] = activity.ended.isoformat()
    if activity.failure is not None:
        facts["hsc:error"] = activity.failure.error
    return facts


def _agent(name: str, history: History) -> dict[str, Any]:
    kinds = {
        agent.kind
        for activity in history.activities.values()
        for agent in activity.agents
        if agent.id == name
    }
    types = {"person": "prov:Person", "software": "prov:SoftwareAgent"}
    return {"prov:type": _qualified(types[min(kinds)])} if kinds else {}


def _relation(edge: Edge, history: History) -> tuple[str, dict[str, Any]]:
    relation, subject, target = _RELATIONS[edge.predicate]
    facts: dict[str, Any] = {subject: _name(edge.subject), target: _name(edge.object)}
    if edge.role:
        # PROV allows no role on a derivation.
        facts["hsc:role" if relation == "wasDerivedFrom" else "prov:role"] = edge.role
    if relation == "wasDerivedFrom":
        facts |= _through(edge, history)
    if relation == "wasAssociatedWith":
        plan = _plan(history.activities.get(edge.subject))
        facts |= {"prov:plan": plan} if plan else {}
    return relation, facts


def _through(edge: Edge, history: History) -> dict[str, Any]:
    for activity, _ in history.ends(edge.subject, "was_generated_by"):
        if any(used == edge.object for used, _ in history.ends(activity, "used")):
            return {"prov:activity": _name(activity)}
    return {}


def _implied(history: History) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what the records say beside the edges: versions of a dataset, programs for people."""
    for node, dataset in history.datasets.items():
        whole = _name(str(dataset.pid.latest()))
        if whole != _name(node):
            general = {"prov:specificEntity": _name(node), "prov:generalEntity": whole}
            yield "specializationOf", general
    for node, activity in history.activities.items():
        for program, person in _pairs(activity):
            yield (
                "actedOnBehalfOf",
                {
                    "prov:delegate": _name(f"agent:{program.id}"),
                    "prov:responsible": _name(f"agent:{person.id}"),
                    "prov:activity": _name(node),
                },
            )


def _pairs(activity: Activity) -> Iterator[tuple[Agent, Agent]]:
    people = [agent for agent in activity.agents if agent.kind == "person"]
    programs = [agent for agent in activity.agents if agent.kind == "software"]
    return ((program, person) for person in people for program in programs)


def _hidden(edge: Edge) -> Iterator[tuple[str, str]]:
    _, subject, target = _RELATIONS[edge.predicate]
    for end, role in ((edge.subject, subject), (edge.object, target)):
        if end.startswith("hidden:"):
            yield end, _ENDS[role]


def _plans(history: History) -> set[str]:
    return {plan for activity in history.activities.values() if (plan := _plan(activity))}


def _plan(activity: Activity | None) -> str | None:
    commit = activity.environment.source_commit if activity else None
    return f"plan:{quote(commit, safe='')}" if commit else None


def _name(node: str) -> str:
    kind, colon, rest = node.partition(":")
    if colon and kind in ("activity", "agent", "hidden"):
        return f"{kind}:{quote(rest, safe='@/')}"
    if colon:
        return f"source:{quote(node, safe='')}"
    return f"dataset:{quote(node, safe='@/')}"


def _qualified(name: str) -> dict[str, str]:
    return {"$": name, "type": "prov:QUALIFIED_NAME"}


def _time(moment: str) -> dict[str, str]:
    return {"$": moment, "type": "xsd:dateTime"}
