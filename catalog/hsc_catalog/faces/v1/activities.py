"""Activities: what was done, what runs, what failed and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from hsc.model import Activity, ActivityState, Record
from hsc_catalog.faces.answers import answer, json_text, tagged
from hsc_catalog.faces.asking import Ingesting, Reading
from hsc_catalog.faces.posted import brings, posted
from hsc_catalog.faces.problems import responses

router = APIRouter(prefix="/activities", tags=["activities"])


class Activities(Record):
    """Activities, newest first."""

    activities: tuple[Activity, ...]
    """As they now stand."""


@router.get("", response_model=Activities, summary="List activities")
def list_activities(
    request: Request,
    catalog: Reading,
    state: Annotated[ActivityState | None, Query(description="Only these.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Begun then or later.")] = None,
    limit: Annotated[int, Query(ge=0, le=10_000, description="At most this many.")] = 100,
) -> Response:
    """List what was done, newest first."""
    begun: datetime | None = since
    found = catalog.activities(state=state, since=begun, limit=limit)
    return tagged(request, json_text({"activities": [each.document() for each in found]}))


@router.post(
    "",
    status_code=201,
    response_model=Activity,
    summary="Tell an activity",
    openapi_extra=brings(Activity),
)
def record_activity(
    catalog: Ingesting, activity: Annotated[Activity, Depends(posted(Activity))]
) -> Response:
    """Keep an activity as it now stands, in place of what was known of it."""
    catalog.record(activity)
    where = f"/v1/activities/{quote(activity.id, safe='')}"
    return answer(activity.document(), 201, {"Location": where})


@router.get("/{id}", response_model=Activity, summary="One activity", responses=responses(404))
def get_activity(request: Request, catalog: Reading, id: str) -> Response:
    """Give an activity as it now stands."""
    return tagged(request, json_text(catalog.activity(id).document()))
