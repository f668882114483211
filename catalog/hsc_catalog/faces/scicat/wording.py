"""Wording a dataset for SciCat: hsc's record, with what was posted, as one SciCat document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from hsc.model import Access, Activity, Dataset, Origin, Person, Pid, Technique
from hsc_catalog.faces.scicat.taking import CONTACT, LEADER, OWNER, dataset_from, groups_of

# Which of SciCat's fields say what a field of hsc's record says.
_SAID_BY = {
    "title": ("datasetName",),
    "description": ("description",),
    "kind": ("type",),
    "instrument": ("instrumentIds",),
    "proposal": ("proposalIds",),
    "sample": ("sampleIds",),
    "techniques": ("techniques",),
    "keywords": ("keywords",),
    "license": ("license",),
    "people": ("owner", "ownerEmail", "orcidOfOwner", "contactEmail", "principalInvestigators"),
    "started": ("startTime",),
    "ended": ("endTime",),
    "quantities": ("scientificMetadata",),
}
_LISTS = ("instrumentIds", "proposalIds", "sampleIds")


@dataclass(frozen=True)
class Standing:
    """A dataset as it stands in the catalog, with all that SciCat wants to know of it."""

    record: Dataset
    """The record, with its amendments."""
    access: Access
    """Who may see it."""
    created: datetime
    """When it was registered."""
    updated: datetime
    """When it was last changed."""
    document: Mapping[str, Any] | None = None
    """What SciCat's client posted of it; None: it was made by hsc."""
    registered_by: str | None = None
    """Who registered it."""
    updated_by: str | None = None
    """Who changed it last."""
    inputs: tuple[Pid, ...] = ()
    """What it was derived from, as far as the caller may know."""
    activity: Activity | None = None
    """What made it; None: not known, or not for the caller to know."""
    size: int | None = None
    """Bytes of the files that were posted of it; None: take the record's."""
    files: int | None = None
    """Number of those files; None: take the record's arrays."""


def worded(standing: Standing) -> dict[str, Any]:
    """Give a dataset as SciCat words it.

    What was posted is given back as it was, but for what was amended in the catalog since.
    """
    native = _words(standing)
    kept = standing.document
    document = native if kept is None else {**kept, **_amended(standing, kept, native)}
    document |= _made_here(standing)
    if relationships := document.get("relationships"):
        document["relationships"] = both_spellings(relationships)
    return {name: value for name, value in document.items() if value is not None}


def old_fashioned(record: dict[str, Any]) -> dict[str, Any]:
    """Add the names that ``/api/v3`` has for single values of what ``/api/v4`` lists."""
    first = {
        "proposalId": record.get("proposalIds"),
        "sampleId": record.get("sampleIds"),
        "instrumentId": record.get("instrumentIds"),
        "principalInvestigator": record.get("principalInvestigators"),
        "investigator": record.get("principalInvestigators"),
    }
    return {**{old: values[0] for old, values in first.items() if values}, **record}


def both_spellings(relationships: Sequence[Any]) -> list[Any]:
    """Word relationships as both generations of SciCat's clients read them.

    Examples
    --------
    >>> both_spellings([{"pid": "a/1", "relationship": "is part of"}])[0]["identifier"]
    'a/1'
    """
    worded = []
    for each in relationships:
        if isinstance(each, Mapping):
            target = each.get("pid") or each.get("identifier")
            both = {"pid": target, "identifier": target, "entityType": "dataset"}
            worded.append({**both, **{name: value for name, value in each.items() if value}})
        else:
            worded.append(each)
    return worded


def instant(time: datetime | None) -> str | None:
    """Write a time as SciCat does: to the millisecond, in UTC, with a Z."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _made_here(standing: Standing) -> dict[str, Any]:
    record, size, files = standing.record, standing.size, standing.files
    return {
        "pid": str(record.pid.latest()),
        "isPublished": is_published(standing.access),
        "createdAt": instant(standing.created),
        "createdBy": standing.registered_by or standing.access.owner or "hsc",
        "updatedAt": instant(standing.updated),
        "updatedBy": standing.updated_by or standing.access.owner or "hsc",
        "size": record.bytes_out if size is None else size,
        "packedSize": 0,
        "numberOfFiles": len(record.arrays) if files is None else files,
        "numberOfFilesArchived": 0,
        "version": str(record.version),
        "datasetlifecycle": {**_lifecycle(standing), **_posted_lifecycle(standing)},
    }


def is_published(access: Access) -> bool:
    """Tell whether everybody may see it now."""
    lifted = access.embargo_until is None or access.embargo_until <= datetime.now(UTC)
    return access.visibility == "public" and access.access_class == "open" and lifted


def _lifecycle(standing: Standing) -> dict[str, Any]:
    published = is_published(standing.access)
    return {
        "archivable": False,
        "retrievable": False,
        "publishable": not published,
        "isOnCentralDisk": True,
        "archiveStatusMessage": "datasetCreated",
        "retrieveStatusMessage": "",
        "retrieveIntegrityCheck": False,
        "dateOfPublishing": instant(standing.access.embargo_until),
    }


def _posted_lifecycle(standing: Standing) -> dict[str, Any]:
    posted = (standing.document or {}).get("datasetlifecycle")
    return dict(posted) if isinstance(posted, Mapping) else {}


def _amended(
    standing: Standing, kept: Mapping[str, Any], native: Mapping[str, Any]
) -> dict[str, Any]:
    record = standing.record
    posted = dataset_from(
        kept,
        pid=record.pid,
        facility=record.facility,
        origin=record.origin or Origin(catalog="https://unknown.invalid", pid=str(record.pid)),
        created=record.created,
    )
    changes: dict[str, Any] = {}
    for name, said_by in _SAID_BY.items():
        if getattr(record, name) != getattr(posted, name):
            changes |= {each: native.get(each) for each in said_by}
    for name in _LISTS:
        if name in changes:
            rest = [each for each in (kept.get(name) or [])[1:] if each]
            changes[name] = [*(changes[name] or []), *rest] or None
    # What is public for all has no groups any more.
    public = standing.access.visibility == "public"
    if not public and set(standing.access.groups) != set(groups_of(kept)):
        changes |= _groups(standing.access, str(kept.get("ownerGroup") or ""))
    return changes


def _groups(access: Access, owning: str) -> dict[str, Any]:
    owner = owning or f"user:{access.owner or 'hsc'}"
    others = [group for group in access.groups if group != owner]
    return {"ownerGroup": owner, "accessGroups": others}


def _words(standing: Standing) -> dict[str, Any]:
    record = standing.record
    place = _place(record)
    owning = f"{record.facility}/{record.proposal}" if record.proposal else ""
    numbers = {
        name: {"value": number.value, "unit": number.unit}
        for name, number in record.quantities.items()
        if name not in record.scientific_metadata and "." not in name
    }
    return {
        "datasetName": record.title,
        "description": record.description,
        "type": record.kind.value,
        "creationTime": instant(record.collected or record.created),
        "startTime": instant(record.started),
        "endTime": instant(record.ended),
        "creationLocation": "/".join(filter(None, (record.facility, record.instrument))),
        "dataFormat": record.layout or None,
        "instrumentIds": [f"{record.facility}/{record.instrument}"] if record.instrument else None,
        "proposalIds": [record.proposal] if record.proposal else None,
        "sampleIds": [record.sample] if record.sample else None,
        "techniques": [{"pid": each.iri or each.name, "name": each.name} for each in _terms(record)]
        or None,
        "keywords": list(record.keywords) or None,
        "license": record.license,
        "scientificMetadata": {**record.scientific_metadata, **numbers},
        **place,
        **_people(record.people, standing.access),
        **_groups(standing.access, owning),
        **_history(standing),
    }


def _terms(record: Dataset) -> list[Technique]:
    if record.techniques:
        return list(record.techniques)
    return [Technique(name=record.technique)] if record.technique else []


def _place(record: Dataset) -> dict[str, Any]:
    if record.origin is not None and record.origin.folder:
        return {"sourceFolder": record.origin.folder}
    parts = urlsplit(record.location)
    if parts.scheme in ("", "file"):
        return {"sourceFolder": unquote(parts.path) or "/"}
    # A bucket is no folder: its host says how to reach it.
    return {
        "sourceFolder": unquote(parts.path) or "/",
        "sourceFolderHost": f"{parts.scheme}://{parts.netloc}",
    }


def _people(people: Sequence[Person], access: Access) -> dict[str, Any]:
    leaders = [person.name for person in people if person.role == LEADER]
    owner = next((person for person in people if person.role == OWNER), None)
    contact = next((person for person in people if person.role == CONTACT), None)
    first = owner or next(iter(people), None)
    reached = [person.email for person in (contact, owner, *people) if person and person.email]
    return {
        "owner": first.name if first else access.owner or "hsc",
        "ownerEmail": owner.email if owner else None,
        "orcidOfOwner": first.orcid if first else None,
        "contactEmail": next(iter(reached), None),
        "principalInvestigators": leaders or None,
    }


def _history(standing: Standing) -> dict[str, Any]:
    said: dict[str, Any] = {"inputDatasets": [str(pid.latest()) for pid in standing.inputs]}
    if (activity := standing.activity) is not None:
        said |= {
            "usedSoftware": [agent.id for agent in activity.agents if agent.kind == "software"],
            "jobParameters": activity.parameters,
            "jobLogData": f"{activity.type} {activity.state.value}, activity {activity.id}",
        }
    return said
