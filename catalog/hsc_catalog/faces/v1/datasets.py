"""One dataset: its entry, its record as it was posted, what was said later of it, where it lies."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from hsc.model import Activity, Amendment, Annotation, Dataset, Entry, Lineage, Record, Replica
from hsc_catalog.faces.answers import answer, json_text, revision_asked, tagged
from hsc_catalog.faces.asking import AskServed, Ingesting, Reading, Writing
from hsc_catalog.faces.posted import brings, posted
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.v1.asked import AskPid

router = APIRouter(prefix="/datasets/{prefix}/{id}", tags=["datasets"], responses=responses(404))


class Replicas(Record):
    """Where a version lies."""

    replicas: tuple[Replica, ...]
    """First the place where it was made, then the others by age."""


class ReplicaTold(Record):
    """A replica as it now stands, and the activity that says so."""

    replica: Replica
    """Where it is, and how it stands."""
    activity: Activity
    """What was done: a copy, a check."""


@router.get("", response_model=Entry, summary="One dataset")
def get_entry(request: Request, catalog: Reading, pid: AskPid) -> Response:
    """Give a dataset with what the catalog says of it; its ETag begins with its revision."""
    entry = catalog.entry(pid)
    return tagged(request, json_text(entry.document()), entry.revision)


@router.get("/record", response_model=Dataset, summary="The record, byte for byte")
def get_record(request: Request, catalog: Reading, pid: AskPid) -> Response:
    """Give the record of a version exactly as it was posted, or as an amendment left it."""
    version = catalog.version(pid)
    return tagged(request, version.text, version.revision)


@router.patch(
    "",
    response_model=Entry,
    summary="Amend the record",
    responses=responses(412),
    openapi_extra=brings(Amendment, {"proposal": "20260123", "reason": "the logbook says so"}),
)
def amend(
    request: Request,
    catalog: Writing,
    pid: AskPid,
    amendment: Annotated[Amendment, Depends(posted(Amendment))],
) -> Response:
    """Change proposal, sample, people and the like, with a reason; If-Match names the revision."""
    entry = catalog.amend(pid, amendment, revision_asked(request))
    return tagged(request, json_text(entry.document()), entry.revision)


@router.post(
    "/annotations",
    status_code=201,
    response_model=Entry,
    summary="Annotate",
    openapi_extra=brings(Annotation, {"kind": "verdict", "verdict": "bad", "text": "beam lost"}),
)
def annotate(
    catalog: Writing,
    pid: AskPid,
    annotation: Annotated[Annotation, Depends(posted(Annotation))],
) -> Response:
    """Add a note, a verdict or a link; time and subject are the catalog's to say."""
    return answer(catalog.annotate(pid, annotation).document(), 201)


@router.get("/replicas", response_model=Replicas, summary="Where it lies")
def list_replicas(request: Request, catalog: Reading, pid: AskPid) -> Response:
    """List where a version lies, the place where it was made first."""
    found = [each.document() for each in catalog.replicas(pid)]
    return tagged(request, json_text({"replicas": found}))


@router.post(
    "/replicas",
    status_code=201,
    response_model=Replica,
    summary="Tell a replica",
    openapi_extra=brings(ReplicaTold),
)
def register_replica(
    catalog: Ingesting, pid: AskPid, told: Annotated[ReplicaTold, Depends(posted(ReplicaTold))]
) -> Response:
    """Keep how a replica of a version now stands, and the activity that says so."""
    catalog.register_replica(pid, told.replica, told.activity)
    return answer(told.replica.document(), 201)


@router.get("/lineage", response_model=Lineage, summary="Where it came from, what came of it")
def walk_lineage(
    request: Request,
    served: AskServed,
    catalog: Reading,
    pid: AskPid,
    up: Annotated[bool, Query(description="To what it came from.")] = True,
    down: Annotated[bool, Query(description="To what came of it.")] = True,
    depth: Annotated[int, Query(ge=0, description="At most so many activities away.")] = 6,
) -> Response:
    """Walk the provenance edges; what the caller may not see is a node that says nothing."""
    far = min(depth, served.limits.walk)
    walked = catalog.lineage(pid, up=up, down=down, depth=far)
    return tagged(request, json_text(walked.document()))
