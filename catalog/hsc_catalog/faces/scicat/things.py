"""Samples, proposals and instruments as SciCat has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, true
from ulid import ULID

from hsc.errors import ForbiddenError, InvalidRecordError, RecordNotFoundError
from hsc.model import Instrument, Proposal, Sample, shallow_json
from hsc_catalog import tables
from hsc_catalog.access import AccessSet, Caller, interned, person_key, visible_sets
from hsc_catalog.auditing import note
from hsc_catalog.faces.scicat.documents import Kept, find, keep, with_key
from hsc_catalog.faces.scicat.taking import groups_of
from hsc_catalog.faces.scicat.wording import instant

ThingKind = Literal["sample", "proposal"]

_IDS: Mapping[ThingKind, str] = {"sample": "sampleId", "proposal": "proposalId"}
_REQUIRED: Mapping[ThingKind, tuple[str, ...]] = {
    "sample": ("ownerGroup",),
    "proposal": ("proposalId", "email", "ownerGroup"),
}
_LONGEST_ID = 200


def add_thing(
    connection: Connection,
    caller: Caller,
    kind: ThingKind,
    posted: Mapping[str, Any],
    at: datetime,
) -> dict[str, Any]:
    """Keep a new sample or proposal; visible to its groups, or to all where it is published.

    Raises
    ------
    InvalidRecordError
        It can't be as it is.
    ForbiddenError
        The caller may not make it.
    ConflictError
        Its id is taken.
    """
    _check(kind, posted)
    _require(caller, kind, str(posted["ownerGroup"]))
    key = str(posted.get(_IDS[kind]) or ULID())
    own = {*groups_of(posted), *([person_key(caller.subject)] if caller.subject else [])}
    visibility = "public" if posted.get("isPublished") is True else "group"
    access = interned(connection, AccessSet(visibility, own=frozenset(own)))  # type: ignore[arg-type]
    who = caller.subject or "operator"
    document = {name: value for name, value in posted.items() if value is not None}
    added = keep(connection, kind, key, document, by=who, at=at, access=access)
    note(connection, caller.actor, [added])
    return _worded(find(connection, kind, with_key(key))[0], kind)


def find_thing(
    connection: Connection, caller: Caller, kind: ThingKind, key: str, now: datetime
) -> dict[str, Any]:
    """Give a sample or proposal that was posted.

    Raises
    ------
    RecordNotFoundError
        There is none that the caller may see.
    """
    found = find(connection, kind, with_key(key), _visible(caller, now))
    if not found:
        raise RecordNotFoundError(f"{kind.title()} {key!r} not found")
    return _worded(found[0], kind)


def list_things(
    connection: Connection, caller: Caller, kind: ThingKind, now: datetime, limit: int
) -> list[dict[str, Any]]:
    """List the samples or proposals that were posted and that the caller may see."""
    found = find(connection, kind, _visible(caller, now), limit=limit)
    return [_worded(each, kind) for each in found]


def worded_instrument(instrument: Instrument) -> dict[str, Any]:
    """Give an instrument as SciCat words it."""
    return {
        "pid": instrument.key,
        "uniqueName": instrument.key,
        "name": instrument.title or instrument.name,
        "customMetadata": {"kind": instrument.kind, **instrument.custom},
    }


def worded_noun(noun: Sample | Proposal) -> dict[str, Any]:
    """Give a sample or proposal of hsc's as SciCat words it."""
    if isinstance(noun, Sample):
        owner = f"{noun.facility}/{noun.proposal}" if noun.proposal else noun.facility
        said: dict[str, Any] = {
            "sampleId": noun.id,
            "sampleName": noun.name,
            "description": noun.description,
            "proposalId": noun.proposal,
            "parentSampleId": noun.parent,
            "owner": noun.owner.name if noun.owner else None,
            "ownerGroup": owner,
            "sampleCharacteristics": {
                **{name: each.document() for name, each in noun.quantities.items()},
                **noun.custom,
            },
        }
    else:
        leader = noun.principal_investigator
        first, _, last = (leader.name if leader else "").rpartition(" ")
        said = {
            "proposalId": noun.number,
            "title": noun.title,
            "abstract": noun.abstract,
            "ownerGroup": noun.key,
            "accessGroups": list(noun.groups),
            "pi_firstname": first or None,
            "pi_lastname": last or None,
            "pi_email": leader.email if leader else None,
            "email": leader.email if leader else None,
        }
    return {name: value for name, value in said.items() if value is not None}


def _check(kind: ThingKind, posted: Mapping[str, Any]) -> None:
    faults = [
        f"{name} must be a text"
        for name in _REQUIRED[kind]
        if not isinstance(posted.get(name), str) or not posted[name]
    ]
    key = posted.get(_IDS[kind])
    if key is not None and not (isinstance(key, str) and 0 < len(key) <= _LONGEST_ID):
        faults.append(f"{_IDS[kind]} must be a text of at most {_LONGEST_ID} letters")
    groups = posted.get("accessGroups", [])
    if not isinstance(groups, list) or not all(isinstance(each, str) for each in groups):
        faults.append("accessGroups must be a list of texts")
    try:
        shallow_json(dict(posted))
    except ValueError as error:
        faults.append(str(error))
    if faults:
        raise InvalidRecordError("; ".join(faults), faults=[("", each) for each in faults])


def _require(caller: Caller, kind: ThingKind, group: str) -> None:
    """Pass where a caller may make one: ingestors both, a group's members its samples."""
    member = kind == "sample" and group in caller.groups
    if caller.sees_everything or "ingestor" in caller.roles or member:
        return
    raise ForbiddenError(
        f"{caller.subject or 'nobody in particular'} may not add a {kind}",
        next_step="ingestors may; members of its ownerGroup may add a sample",
    )


def _visible(caller: Caller, now: datetime) -> ColumnElement[bool]:
    sets = visible_sets(caller, now)
    return true() if sets is None else tables.foreign_document.c.access.in_(sets)


def _worded(kept: Kept, kind: ThingKind) -> dict[str, Any]:
    document = dict(kept.document)
    if periods := document.pop("MeasurementPeriodList", None):
        document["measurementPeriodList"] = periods
    return {
        "isPublished": False,
        **document,
        _IDS[kind]: kept.key,
        "createdAt": instant(kept.created),
        "createdBy": kept.created_by,
        "updatedAt": instant(kept.updated),
        "updatedBy": kept.updated_by,
    }
