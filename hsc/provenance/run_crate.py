"""A history as RO-Crate 1.3 by the Provenance Run Crate profile 0.6.

https://w3id.org/ro/wfrun/provenance/0.6. The recorded activities are the steps of one workflow,
the history itself, which stands in the crate as a file: the wire forms of graph and records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from hsc.model import Activity, ActivityState, Agent, Dataset, canonical_json
from hsc.provenance.history import ACTIVITY, History

METADATA = "ro-crate-metadata.json"
"""The name that RO-Crate gives its document."""
WORKFLOW = "history.json"
"""The file of the crate that holds graph and records in hsc's own wire forms."""

_CRATE = "https://w3id.org/ro/crate/1.3"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.6": ("Process Run Crate", "0.6"),
    "https://w3id.org/ro/wfrun/workflow/0.6": ("Workflow Run Crate", "0.6"),
    "https://w3id.org/ro/wfrun/provenance/0.6": ("Provenance Run Crate", "0.6"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.1": ("Workflow RO-Crate", "1.1"),
}
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_LANGUAGE, _ENGINE, _RUN, _LICENCE = "#hsc-language", "#hsc", "#run", "#terms"
_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")

Entity = dict[str, Any]


def write_run_crate(history: History) -> dict[str, bytes]:
    """Word a history as the files of a Provenance Run Crate.

    The datasets themselves are not in it, they are named by their PIDs.

    Returns
    -------
    dict
        Name in the crate to content: the metadata document and the history. The same history
        gives the same bytes.
    """
    graph = [*_frame(history), *_workflow(history), *_run(history)]
    for node, activity in history.steps():
        graph += _step(node, activity, history)
    for met in history.lineage.nodes:
        if met.kind == "dataset":
            graph.append(_dataset(met.id, met.title, history.datasets.get(met.id)))
        elif met.kind == "source":
            graph.append({"@id": _id(met.id), "@type": "CreativeWork", "name": met.title})
    unique = {entity["@id"]: entity for entity in graph}
    document = {"@context": [f"{_CRATE}/context", _TERMS], "@graph": list(unique.values())}
    return {
        METADATA: json.dumps(document, indent=1, allow_nan=False).encode(),
        WORKFLOW: _wire(history),
    }


def _frame(history: History) -> Iterator[Entity]:
    start = history.datasets.get(history.start.id)
    made = [dataset.created for dataset in history.datasets.values()]
    ended = [each.ended or each.started for each in history.activities.values()]
    latest = max(made + ended, default=None)
    yield {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _CRATE},
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": _refs(_PROFILES),
        "name": f"History of {history.start.id}",
        "description": f"How {history.start.title or history.start.id} was made, and what of it "
        "was made since: every step that the catalog knows and shows.",
        "license": {"@id": _LICENCE},
        "hasPart": _refs([WORKFLOW, *(_id(node) for node in history.datasets)]),
        "mainEntity": {"@id": WORKFLOW},
        "mentions": _refs([_RUN, *(_id(node) for node, _ in history.steps())]),
    }
    if latest is not None:
        root["datePublished"] = latest.isoformat()
    yield root
    for profile, (name, version) in _PROFILES.items():
        yield {"@id": profile, "@type": "CreativeWork", "name": name, "version": version}
    told = getattr(start, "license", None) or "no licence was given"
    yield {"@id": _LICENCE, "@type": "CreativeWork", "name": told}


def _workflow(history: History) -> Iterator[Entity]:
    tools = {_tool(activity): activity for _, activity in history.steps()}
    yield {
        "@id": WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "The steps of the history, with their parameters, as they were recorded",
        "encodingFormat": "application/json",
        "programmingLanguage": {"@id": _LANGUAGE},
        "hasPart": _refs(tools),
        "step": _refs(_how(node) for node, _ in history.steps()),
    }
    yield {
        "@id": _LANGUAGE,
        "@type": "ComputerLanguage",
        "name": "hsc history",
        "identifier": "hsc.history/1",
        "version": "1",
    }
    yield {"@id": _ENGINE, "@type": "SoftwareApplication", "name": "Hanseatic Science Cloud"}
    for tool, activity in tools.items():
        environment = activity.environment
        yield {
            "@id": tool,
            "@type": "SoftwareApplication",
            "name": f"hsc {activity.type}",
            "softwareVersion": _version(activity),
            "softwareRequirements": [
                f"{name}=={version}" for name, version in sorted(environment.packages.items())
            ],
            "input": _refs(_formal(tool, name) for name in _parameters(history, tool)),
        }
        for name in _parameters(history, tool):
            yield {
                "@id": _formal(tool, name),
                "@type": "FormalParameter",
                "additionalType": "Text",
                "name": name,
            }


def _run(history: History) -> Iterator[Entity]:
    steps = [activity for _, activity in history.steps()]
    inputs = dict.fromkeys(
        edge.object
        for edge in history.lineage.edges
        if edge.predicate == "used" and not any(history.ends(edge.object, "was_generated_by"))
    )
    run: Entity = {
        "@id": _RUN,
        "@type": "CreateAction",
        "name": f"All steps of the history of {history.start.id}",
        "instrument": {"@id": WORKFLOW},
        "object": _refs(_id(node) for node in inputs if not _hidden(node)),
        "result": _refs([_id(history.start.id)]),
    }
    if steps:
        run["startTime"] = min(each.started for each in steps).isoformat()
        run["endTime"] = max(each.ended or each.started for each in steps).isoformat()
    yield run
    yield {
        "@id": "#orchestration",
        "@type": "OrganizeAction",
        "name": "Recording of the steps",
        "instrument": {"@id": _ENGINE},
        "object": _refs(_control(node) for node, _ in history.steps()),
        "result": {"@id": _RUN},
    }


def _step(node: str, activity: Activity, history: History) -> Iterator[Entity]:
    tool = _tool(activity)
    position = [name for name, _ in history.steps()].index(node)
    values = [_value(node, name) for name in activity.parameters]
    used = [_id(each) for each, _ in history.ends(node, "used") if not _hidden(each)]
    action: Entity = {
        "@id": _id(node),
        "@type": "CreateAction",
        "name": f"{activity.type} {activity.id}",
        "actionStatus": f"http://schema.org/{_STATUS[activity.state]}",
        "startTime": activity.started.isoformat(),
        "instrument": {"@id": tool},
        "agent": _refs(_agent(each)["@id"] for each in activity.agents if each.kind == "person"),
        "object": _refs([*used, *values]),
        "result": _refs(_id(each) for each in history.made_by(node) if not _hidden(each)),
    }
    if activity.ended is not None:
        action["endTime"] = activity.ended.isoformat()
    if activity.failure is not None:
        action["error"] = f"{activity.failure.error}: {activity.failure.message}"
    yield action
    yield {
        "@id": _how(node),
        "@type": "HowToStep",
        "position": str(position),
        "workExample": {"@id": tool},
    }
    yield {
        "@id": _control(node),
        "@type": "ControlAction",
        "name": f"orchestrate {activity.type}",
        "instrument": {"@id": _how(node)},
        "object": {"@id": _id(node)},
    }
    yield from (_agent(each) for each in activity.agents if each.kind == "person")
    for name, value in activity.parameters.items():
        yield {
            "@id": _value(node, name),
            "@type": "PropertyValue",
            "name": name,
            "value": value
            if isinstance(value, str)
            else canonical_json(value).decode("utf-8", "surrogatepass"),
            "exampleOfWork": {"@id": _formal(tool, name)},
        }


_STATUS = {
    ActivityState.RUNNING: "ActiveActionStatus",
    ActivityState.DONE: "CompletedActionStatus",
    ActivityState.FAILED: "FailedActionStatus",
}


def _dataset(node: str, title: str, dataset: Dataset | None) -> Entity:
    entity: Entity = {"@id": _id(node), "@type": "Dataset", "name": title, "identifier": node}
    if dataset is not None:
        entity |= {
            "version": str(dataset.version),
            "dateCreated": dataset.created.isoformat(),
            "contentSize": str(dataset.bytes_out),
            "keywords": ", ".join(dataset.keywords),
        }
    return entity


def _agent(agent: Agent) -> Entity:
    orcid = _ORCID.fullmatch(agent.id)
    name = f"https://orcid.org/{orcid[1]}" if orcid else f"#person-{quote(agent.id, safe='')}"
    return {"@id": name, "@type": "Person", "name": agent.id}


def _wire(history: History) -> bytes:
    document = {
        "format": "hsc.history/1",
        "lineage": history.lineage.document(),
        "datasets": {name: each.document() for name, each in history.datasets.items()},
        "activities": {name: each.document() for name, each in history.activities.items()},
    }
    # Escaped to ASCII: file names that are no UTF-8 stand in records as lone surrogates.
    return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def _parameters(history: History, tool: str) -> list[str]:
    runs = (activity for _, activity in history.steps() if _tool(activity) == tool)
    return sorted({name for activity in runs for name in activity.parameters})


def _version(activity: Activity) -> str:
    programs = [agent.id for agent in activity.agents if agent.kind == "software"]
    return programs[0].rpartition("@")[2] if programs else "unknown"


def _tool(activity: Activity) -> str:
    return f"#tool-{quote(activity.type, safe='')}-{quote(_version(activity), safe='')}"


def _formal(tool: str, name: str) -> str:
    return f"{tool}-{quote(name, safe='')}"


def _value(node: str, name: str) -> str:
    return f"#value-{node.removeprefix(ACTIVITY)}-{quote(name, safe='')}"


def _how(node: str) -> str:
    return f"#step-{node.removeprefix(ACTIVITY)}"


def _control(node: str) -> str:
    return f"#control-{node.removeprefix(ACTIVITY)}"


def _hidden(node: str) -> bool:
    return node.startswith("hidden:")


def _id(node: str) -> str:
    kind, colon, rest = node.partition(":")
    if kind == "activity" and colon:
        return f"#activity-{rest}"
    if colon:
        return f"#source-{quote(node, safe='')}"
    return f"urn:hsc:dataset:{quote(node, safe='@/')}"


def _refs(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"@id": name} for name in dict.fromkeys(names)]
