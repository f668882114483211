"""Who may see a dataset, and changing that."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from hsc.model import Access, AccessChange, Entry
from hsc_catalog.faces.answers import json_text, revision_asked, tagged
from hsc_catalog.faces.asking import Reading, Sharing
from hsc_catalog.faces.posted import brings, posted
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.v1.asked import AskPid

router = APIRouter(prefix="/datasets/{prefix}/{id}", tags=["access"], responses=responses(404))


@router.get("/access", response_model=Access, summary="Who may see it")
def get_access(request: Request, catalog: Reading, pid: AskPid) -> Response:
    """Give who may see a dataset, all its versions alike."""
    return tagged(request, json_text(catalog.access(pid).document()))


@router.patch(
    "/access",
    response_model=Entry,
    summary="Share, revoke, embargo",
    responses=responses(412),
    openapi_extra=brings(AccessChange, {"visibility": "public", "reason": "the paper is out"}),
)
def change_access(
    request: Request,
    catalog: Sharing,
    pid: AskPid,
    change: Annotated[AccessChange, Depends(posted(AccessChange))],
) -> Response:
    """Change who may see a dataset; what came of it is never left looser than it."""
    entry = catalog.change_access(pid, change, revision_asked(request))
    return tagged(request, json_text(entry.document()), entry.revision)
