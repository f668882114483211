"""The crate: a version's record and activity as RO-Crate 1.1, so that it explains itself.

Beside what RO-Crate has words for, the wire forms of record, activity and edges stand in it as
text, exactly: a catalog that was lost is made again from them. Persons stand in it by agent id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hsc.errors import ManifestError
from hsc.model import Activity, Agent, Dataset, Edge

_PROFILE = "https://w3id.org/ro/crate/1.1"
_RECORD, _ACTIVITY, _EDGES = "#hsc-record", "#hsc-activity", "#hsc-edges"


@dataclass(frozen=True, slots=True)
class Explained:
    """What a version says of itself."""

    dataset: Dataset
    """Its record, as it was when it was made."""
    activity: Activity
    """The activity that made it."""
    edges: tuple[Edge, ...]
    """What that activity states."""


def write_crate(dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> bytes:
    """Word what a version is and how it was made as an RO-Crate's metadata document."""
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": _PROFILE},
            "about": {"@id": "./"},
        },
        _root(dataset, activity),
        {"@id": "data.zarr/", "@type": "Dataset", "name": "all arrays, as Zarr v3"},
        {
            "@id": "manifest",
            "@type": "File",
            "name": "every object and chunk with its digest",
            "encodingFormat": "application/octet-stream",
        },
        {"@id": "#terms", "@type": "CreativeWork", "name": "private; no licence was given"},
        {"@id": _facility_id(dataset), "@type": "Organization", "name": dataset.facility},
        _action(activity),
        *(_agent(agent) for agent in activity.agents),
        *({"@id": _name(used), "@type": "CreativeWork", "name": used} for used in activity.used),
        *(_quantity(name, value) for name, value in dataset.quantities.items()),
        _wire(_RECORD, dataset.format, dataset.document()),
        _wire(_ACTIVITY, activity.format, activity.document()),
        _wire(_EDGES, "hsc.edges/1", [edge.document() for edge in edges]),
    ]
    document = {"@context": f"{_PROFILE}/context", "@graph": graph}
    return json.dumps(document, indent=1, allow_nan=False).encode()


def read_crate(data: bytes, where: str) -> Explained:
    """Read what a version says of itself, exactly as it was written.

    Raises
    ------
    ManifestError
        The bytes are no crate of hsc's.
    """
    try:
        entities = {each["@id"]: each for each in json.loads(data)["@graph"]}
        texts = (json.loads(entities[name]["value"]) for name in (_RECORD, _ACTIVITY, _EDGES))
        record, activity, edges = texts
        return Explained(
            Dataset(**record), Activity(**activity), tuple(Edge(**edge) for edge in edges)
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ManifestError(
            "the record of the version can't be read",
            where=where,
            next_step="restore it from a copy of the store",
        ) from error


def _root(dataset: Dataset, activity: Activity) -> dict[str, Any]:
    version = dataset.pid.at(dataset.version)
    return {
        "@id": "./",
        "@type": "Dataset",
        "identifier": str(version),
        "name": dataset.title,
        "description": f"{dataset.kind.value} dataset {version} of {dataset.facility}",
        "version": str(dataset.version),
        "datePublished": dataset.created.isoformat(),
        "license": {"@id": "#terms"},
        "keywords": ", ".join(dataset.keywords),
        "sourceOrganization": {"@id": _facility_id(dataset)},
        "hasPart": [{"@id": "data.zarr/"}, {"@id": "manifest"}],
        "mentions": [
            {"@id": name} for name in (_action(activity)["@id"], _RECORD, _ACTIVITY, _EDGES)
        ],
        "variableMeasured": [{"@id": _quantity_id(name)} for name in dataset.quantities],
    }


def _action(activity: Activity) -> dict[str, Any]:
    people, programs = (
        [{"@id": _agent_id(each)} for each in activity.agents if each.kind == kind]
        for kind in ("person", "software")
    )
    action = {
        "@id": f"#activity-{activity.id}",
        "@type": "CreateAction",
        "name": activity.type,
        "startTime": activity.started.isoformat(),
        "agent": people,
        "instrument": programs,
        "object": [{"@id": _name(used)} for used in activity.used],
        "result": [{"@id": "./"}],
    }
    ended = activity.ended
    return action if ended is None else {**action, "endTime": ended.isoformat()}


def _agent(agent: Agent) -> dict[str, Any]:
    if agent.kind == "person":
        return {"@id": _agent_id(agent), "@type": "Person", "identifier": agent.id}
    name, _, version = agent.id.partition("@")
    return {
        "@id": _agent_id(agent),
        "@type": "SoftwareApplication",
        "name": name,
        "softwareVersion": version,
    }


def _quantity(name: str, quantity: Any) -> dict[str, Any]:
    return {
        "@id": _quantity_id(name),
        "@type": "PropertyValue",
        "name": name,
        "value": quantity.value,
        "unitText": quantity.unit,
    }


def _wire(name: str, form: str, document: Any) -> dict[str, Any]:
    text = json.dumps(document, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return {"@id": name, "@type": "PropertyValue", "name": form, "value": text}


def _agent_id(agent: Agent) -> str:
    return _name(f"{agent.kind}-{agent.id}")


def _facility_id(dataset: Dataset) -> str:
    return _name(f"facility-{dataset.facility}")


def _quantity_id(name: str) -> str:
    return _name(f"quantity-{name}")


def _name(text: str) -> str:
    return f"#{quote(text, safe='')}"
