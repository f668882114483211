"""Routes that take datasets, their files and pictures, samples and proposals in."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Request
from sqlalchemy import Connection
from starlette.responses import Response

from hsc.client import Catalog
from hsc.errors import RecordNotFoundError
from hsc.model import Instrument, Proposal, Sample, now
from hsc_catalog.access import require, standings
from hsc_catalog.auditing import note
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.asking import check_scope
from hsc_catalog.faces.scicat.asked_by import Ask, Asker, PostedRecord, ids_of
from hsc_catalog.faces.scicat.asking import Asked
from hsc_catalog.faces.scicat.attaching import add_files, attach
from hsc_catalog.faces.scicat.changing import check_unmodified, read_patch
from hsc_catalog.faces.scicat.documents import change, find, with_key
from hsc_catalog.faces.scicat.finding import Finding
from hsc_catalog.faces.scicat.registering import register
from hsc_catalog.faces.scicat.taking import kept_document
from hsc_catalog.faces.scicat.things import (
    ThingKind,
    add_thing,
    find_thing,
    list_things,
    worded_instrument,
    worded_noun,
)
from hsc_catalog.faces.scicat.validating import faults

_CREATED = 201
_LISTED = 1000

router = APIRouter()


@router.post("/datasets/isValid")
def is_valid(ask: Ask, posted: PostedRecord) -> Response:
    """Tell whether a dataset could be kept as it is."""
    check_scope(ask.caller, "read")
    found = faults(kept_document(posted))
    return answer({"valid": not found, **({"reason": found} if found else {})})


@router.post("/datasets")
def create_dataset(ask: Ask, posted: PostedRecord) -> Response:
    """Keep a new dataset."""
    with ask.writing("ingest") as connection:
        pid = register(connection, ask.caller, posted, ask.site, now())
        finding = Finding(connection, ask.caller, now())
        told = ask.told(finding, (finding.standing(str(pid)),), Asked())[0]
    return answer(told, _CREATED)


@router.post("/origdatablocks")
def create_block(ask: Ask, posted: PostedRecord) -> Response:
    """Keep a list of a dataset's files."""
    with ask.writing("ingest") as connection:
        return answer(add_files(connection, ask.caller, posted, now()), _CREATED)


@router.post("/attachments")
def create_attachment(ask: Ask, posted: PostedRecord) -> Response:
    """Keep a picture of a dataset."""
    with ask.writing("ingest") as connection:
        return answer(attach(connection, ask.caller, posted, now()), _CREATED)


@router.post("/datasets/{pid:path}/origdatablocks")
def create_block_of(ask: Ask, pid: str, posted: PostedRecord) -> Response:
    """Keep a list of the files of the dataset that the path names."""
    return create_block(ask, {**posted, "datasetId": pid})


@router.post("/datasets/{pid:path}/attachments")
def create_attachment_of(ask: Ask, pid: str, posted: PostedRecord) -> Response:
    """Keep a picture of the dataset that the path names."""
    said = {name: value for name, value in posted.items() if name != "datasetId"}
    target = {"targetId": pid, "targetType": "dataset", "relationType": "is attached to"}
    return create_attachment(ask, {**said, "relationships": [target]})


@router.patch("/datasets/{pid:path}")
def change_dataset(
    ask: Ask,
    pid: str,
    posted: PostedRecord,
    if_unmodified_since: Annotated[str | None, Header()] = None,
) -> Response:
    """Change a dataset by a merge patch: all of it, or nothing."""
    check_scope(ask.caller, "read")
    with ask.served.database.writing() as connection:
        standing = Finding(connection, ask.caller, now()).standing(pid)
        own = str(standing.record.pid.latest())
        require(ask.caller, "amend", standings(connection, [own])[own])
        check_unmodified(standing, if_unmodified_since)
        changed = read_patch(standing, posted)
        catalog = SqlCatalog(ask.served.database, ask.caller)
        for amendment in changed.amendments:
            catalog.amend_within(connection, standing.record.pid, amendment)
        if changed.access is not None:
            catalog.change_access_within(connection, standing.record.pid, changed.access)
        if changed.document is not None:
            _keep_changed(ask, connection, own, changed.document)
    with ask.finding() as finding:
        return answer(ask.told(finding, (finding.standing(pid),), Asked())[0])


def _keep_changed(ask: Asker, connection: Connection, pid: str, document: dict[str, Any]) -> None:
    kept = find(connection, "dataset", with_key(pid))[0]
    who = ask.caller.subject or "operator"
    together = {**kept.document, "posted": document}
    changes = [change(connection, "dataset", pid, together, by=who, at=now())]
    note(connection, ask.caller.actor, changes)


def _add(ask: Asker, kind: ThingKind, posted: dict[str, Any]) -> Response:
    with ask.writing("ingest") as connection:
        return answer(add_thing(connection, ask.caller, kind, posted, now()), _CREATED)


def _give(ask: Asker, request: Request, kind: ThingKind) -> Response:
    for key in ids_of(request, f"/{kind}s/"):
        with ask.finding() as finding:
            try:
                return answer(find_thing(finding.connection, ask.caller, kind, key, now()))
            except RecordNotFoundError:
                noun = _noun(ask, kind, key)
        if noun is not None:
            return answer(worded_noun(noun))
    raise RecordNotFoundError(f"{kind.title()} not found")


def _noun(ask: Asker, kind: ThingKind, key: str) -> Sample | Proposal | None:
    catalog = cast("Catalog", SqlCatalog(ask.served.database, ask.caller))
    named = [f"{ask.site.facility}/{key}", key]
    if kind == "sample":
        named = [each.key for each in catalog.nouns("sample") if getattr(each, "id", "") == key]
    for each in named:
        try:
            noun = catalog.find(kind, each)
        except RecordNotFoundError:
            continue
        return noun if isinstance(noun, Sample | Proposal) else None
    return None


@router.post("/samples")
def create_sample(ask: Ask, posted: PostedRecord) -> Response:
    """Keep a new sample."""
    return _add(ask, "sample", posted)


@router.post("/proposals")
def create_proposal(ask: Ask, posted: PostedRecord) -> Response:
    """Keep a new proposal."""
    return _add(ask, "proposal", posted)


@router.get("/samples")
def list_samples(ask: Ask) -> Response:
    """List samples that were posted."""
    with ask.finding() as finding:
        return answer(list_things(finding.connection, ask.caller, "sample", now(), _LISTED))


@router.get("/proposals")
def list_proposals(ask: Ask) -> Response:
    """List proposals that were posted."""
    with ask.finding() as finding:
        return answer(list_things(finding.connection, ask.caller, "proposal", now(), _LISTED))


@router.get("/samples/{key:path}")
def get_sample(ask: Ask, request: Request) -> Response:
    """Give a sample."""
    return _give(ask, request, "sample")


@router.get("/proposals/{key:path}")
def get_proposal(ask: Ask, request: Request) -> Response:
    """Give a proposal."""
    return _give(ask, request, "proposal")


@router.get("/instruments")
def list_instruments(ask: Ask) -> Response:
    """List instruments."""
    check_scope(ask.caller, "read")
    catalog = cast("Catalog", SqlCatalog(ask.served.database, ask.caller))
    nouns = catalog.nouns("instrument")
    return answer([worded_instrument(each) for each in nouns if isinstance(each, Instrument)])


@router.get("/instruments/{key:path}")
def get_instrument(ask: Ask, request: Request) -> Response:
    """Give an instrument."""
    check_scope(ask.caller, "read")
    catalog = cast("Catalog", SqlCatalog(ask.served.database, ask.caller))
    for key in ids_of(request, "/instruments/"):
        try:
            noun = catalog.find("instrument", key)
        except RecordNotFoundError:
            continue
        if isinstance(noun, Instrument):
            return answer(worded_instrument(noun))
    raise RecordNotFoundError("Instrument not found")
