"""Signing in as SciCat's clients do: a password, or a provider's token, for a token of ours."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from hsc.errors import InvalidRecordError, UnauthenticatedError
from hsc_catalog.access import Scope
from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.asking import get_served
from hsc_catalog.faces.scicat.asked_by import Ask, PostedRecord
from hsc_catalog.faces.scicat.wording import instant
from hsc_catalog.identity import (
    EVERYDAY_SCOPES,
    SESSION,
    IssuedToken,
    LoginThrottle,
    Sources,
    create_token,
    sign_in,
)

_CREATED = 201

router = APIRouter()


@router.post("/login")
@router.post("/msad")
def login(request: Request, posted: PostedRecord) -> Response:
    """Give a token of a few hours to whoever knows name and password."""
    sources: Sources = request.app.state.sources
    throttle: LoginThrottle = request.app.state.throttle
    name, password = posted.get("username"), posted.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise InvalidRecordError("username and password must be texts")
    address = request.client.host if request.client else ""
    return _told(sign_in(name, password, sources, throttle, address))


@router.post("/oidc/token")
async def exchange(request: Request, posted: PostedRecord) -> Response:
    """Give a token of ours for one of the provider of accounts."""
    theirs = posted.get("idToken")
    if not isinstance(theirs, str):
        raise InvalidRecordError("idToken must be a text")
    served = await get_served(request)
    caller = served.authenticate(theirs, None)
    if caller.subject is None:
        raise UnauthenticatedError("the provider's token names nobody")
    scopes: list[Scope] = [each for each in EVERYDAY_SCOPES if each in caller.scopes]
    issued = create_token(served.database, caller, name="signed in", scopes=scopes, lasts=SESSION)
    return _told(issued)


@router.get("/whoami")
def whoami(ask: Ask) -> Response:
    """Tell who asks."""
    if ask.caller.subject is None:
        raise UnauthenticatedError("nobody signed in")
    return answer(_user(ask.caller.subject, sorted(ask.caller.groups)))


def _told(issued: IssuedToken) -> Response:
    token = issued.token
    ttl_s = int((token.expires - token.created).total_seconds())
    document = {
        "id": issued.text,
        "access_token": issued.text,
        "expires_in": ttl_s,
        "ttl": ttl_s,
        "created": instant(token.created),
        "userId": token.subject,
        "user": _user(token.subject, []),
    }
    return answer(document, _CREATED, {"Cache-Control": "no-store"})


def _user(subject: str, groups: list[str]) -> dict[str, Any]:
    return {"id": subject, "username": subject, "currentGroups": groups}
