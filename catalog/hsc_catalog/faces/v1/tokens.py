"""API tokens of whoever asks: made, listed, withdrawn."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from hsc.errors import UnauthenticatedError
from hsc.model import Record, UtcTime
from hsc_catalog.access import Caller, Scope
from hsc_catalog.faces.answers import NO_STORE, answer
from hsc_catalog.faces.asking import AskCaller, AskServed
from hsc_catalog.faces.posted import brings, posted
from hsc_catalog.faces.problems import responses
from hsc_catalog.identity import create_token, list_tokens, revoke_token

router = APIRouter(prefix="/tokens", tags=["tokens"])


class TokenAsked(Record):
    """A token that is to be made."""

    name: str = Field(min_length=1, max_length=200)
    """What to call it."""
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=5)
    """What it is to be good for."""
    days: float = Field(default=90, gt=0, le=365)
    """How long."""


class TokenKnown(BaseModel):
    """What is known of a token; its secret is not."""

    id: str
    """What it is withdrawn by."""
    subject: str
    """Whom it names."""
    name: str
    """What its maker called it."""
    scopes: list[Scope]
    """What it is good for."""
    created: UtcTime
    """When it was made."""
    expires: UtcTime
    """When it stops to count."""
    revoked: UtcTime | None
    """When it was withdrawn."""
    used: UtcTime | None
    """When it was last used, to the hour."""


class TokenMade(TokenKnown):
    """A new token, with its text."""

    token: str
    """What to send as bearer token; it is shown this once."""


class TokensKnown(BaseModel):
    """Tokens of whoever asks, newest first."""

    tokens: list[TokenKnown]
    """All, those that do not count any more included."""


def get_person(caller: AskCaller) -> Caller:
    """Give who asks, if somebody signed in.

    Raises
    ------
    UnauthenticatedError
        Nobody did.
    """
    if caller.subject is None and not caller.operator:
        raise UnauthenticatedError(
            "tokens belong to whoever is signed in", next_step="send a token"
        )
    return caller


AskPerson = Annotated[Caller, Depends(get_person)]


@router.get("", response_model=TokensKnown, summary="List your tokens")
def tell_tokens(served: AskServed, caller: AskPerson) -> Response:
    """List the tokens of whoever asks; nobody else's."""
    found = list_tokens(served.database, caller)
    return answer({"tokens": [each.document() for each in found]}, headers=NO_STORE)


@router.post(
    "",
    status_code=201,
    response_model=TokenMade,
    summary="Make a token",
    openapi_extra=brings(TokenAsked, {"name": "beamline", "scopes": ["read", "ingest"]}),
)
def make_token(
    served: AskServed,
    caller: AskPerson,
    asked: Annotated[TokenAsked, Depends(posted(TokenAsked))],
) -> Response:
    """Make a token, good for no more than the one that asks; its text is shown this once."""
    made = create_token(
        served.database,
        caller,
        name=asked.name,
        scopes=asked.scopes,
        lasts=timedelta(days=asked.days),
    )
    return answer(made.document(), 201, NO_STORE)


@router.delete(
    "/{id}", response_model=TokenKnown, summary="Withdraw a token", responses=responses(404)
)
def withdraw_token(served: AskServed, caller: AskPerson, id: str) -> Response:
    """Withdraw a token at once."""
    return answer(revoke_token(served.database, caller, id).document(), headers=NO_STORE)
