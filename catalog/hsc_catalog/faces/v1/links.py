"""Reviewer links of a dataset: made, listed, withdrawn by whoever may share it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import Response

from hsc.model import Pid, Record, UtcTime, now
from hsc_catalog.access import Caller, require, require_link, visible_standing
from hsc_catalog.faces.answers import NO_STORE, answer
from hsc_catalog.faces.asking import AskCaller, AskServed, check_scope
from hsc_catalog.faces.posted import brings, posted
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.served import Served
from hsc_catalog.faces.v1.asked import AskPid
from hsc_catalog.identity import create_link, list_links, revoke_link

router = APIRouter(
    prefix="/datasets/{prefix}/{id}/links", tags=["access"], responses=responses(404)
)


class LinkAsked(Record):
    """A reviewer link that is to be made."""

    note: str = Field(default="", max_length=500)
    """What it is for."""
    days: float = Field(default=90, gt=0, le=365)
    """How long."""
    pids: tuple[Pid, ...] = Field(default=(), max_length=999)
    """Further datasets that it is to open."""


class LinkKnown(BaseModel):
    """What is known of a reviewer link; its secret is not."""

    id: str
    """What it is withdrawn by."""
    subject: str
    """Who made it."""
    pids: list[str]
    """The datasets it opens."""
    note: str
    """What it was made for."""
    created: UtcTime
    """When it was made."""
    expires: UtcTime
    """When it stops to count."""
    revoked: UtcTime | None
    """When it was withdrawn."""


class LinkMade(LinkKnown):
    """A new reviewer link, with its secret."""

    link: str
    """What to send as ``HSC-Reviewer-Link`` or ``?link=``; it is shown this once."""


class LinksKnown(BaseModel):
    """Reviewer links of a dataset, newest first."""

    links: list[LinkKnown]
    """All, those that do not count any more included."""


def _check(served: Served, caller: Caller, *pids: Pid) -> None:
    check_scope(caller, "share")
    with served.database.reading() as connection:
        for pid in pids:
            require(caller, "share", visible_standing(connection, caller, pid, now()))


@router.get("", response_model=LinksKnown, summary="List reviewer links")
def tell_links(served: AskServed, caller: AskCaller, pid: AskPid) -> Response:
    """List the links that open a dataset."""
    _check(served, caller, pid)
    found = [each.document() for each in list_links(served.database, pid, caller)]
    return answer({"links": found}, headers=NO_STORE)


@router.post(
    "",
    status_code=201,
    response_model=LinkMade,
    summary="Make a reviewer link",
    openapi_extra=brings(LinkAsked, {"note": "for the referees", "days": 30}),
)
def make_link(
    served: AskServed,
    caller: AskCaller,
    pid: AskPid,
    asked: Annotated[LinkAsked, Depends(posted(LinkAsked))],
) -> Response:
    """Make a link that opens datasets for reading, without an account; shown this once."""
    pids = (pid, *asked.pids)
    check_scope(caller, "share")

    def allowed(connection: Connection) -> None:
        for each in pids:
            require_link(
                connection, caller, visible_standing(connection, caller, each, now()), now()
            )

    lasts = timedelta(days=asked.days)
    made = create_link(served.database, caller, pids, note=asked.note, lasts=lasts, allowed=allowed)
    return answer(made.document(), 201, NO_STORE)


@router.delete("/{link_id}", response_model=LinkKnown, summary="Withdraw a reviewer link")
def withdraw_link(served: AskServed, caller: AskCaller, pid: AskPid, link_id: str) -> Response:
    """Withdraw a link at once."""
    _check(served, caller, pid)
    return answer(revoke_link(served.database, caller, pid, link_id).document(), headers=NO_STORE)
