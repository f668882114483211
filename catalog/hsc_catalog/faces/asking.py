"""Who asks: from a request to its caller, and to the catalog as that caller sees it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPBearer

from hsc.errors import ForbiddenError, UnauthenticatedError
from hsc_catalog.access import Caller
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.served import Served, reads_object

LINK = "HSC-Reviewer-Link"
"""Header that carries the secret of a reviewer link; so does ``link`` in the query."""

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="An API token of this catalog, or one of the provider of accounts it trusts.",
)


async def get_served(request: Request) -> Served:
    """Give what the application serves."""
    served: Served = request.app.state.served
    return served


AskServed = Annotated[Served, Depends(get_served)]


def get_caller(
    request: Request,
    served: AskServed,
    _: Annotated[Any, Security(_bearer)],
    link: Annotated[str | None, Query(description="The secret of a reviewer link.")] = None,
) -> Caller:
    """Give who asks; without token and link the anonymous.

    Raises
    ------
    UnauthenticatedError
        The token or link that came does not count.
    TooManyRequestsError
        They ask too often.
    """
    caller = served.authenticate(bearer_of(request), request.headers.get(LINK, link))
    if served.rate is not None:
        served.rate.admit_caller(caller.subject, objects=reads_object(request.scope["path"]))
    return caller


def bearer_of(request: Request) -> str | None:
    """Give the bearer token of a request; None without one.

    Raises
    ------
    UnauthenticatedError
        It signs in in another way, or twice.
    """
    sent = request.headers.getlist("authorization")
    if not sent:
        return None
    scheme, _, token = sent[0].partition(" ")
    if len(sent) > 1 or scheme.lower() != "bearer":
        raise UnauthenticatedError(
            "this catalog takes one bearer token", next_step="send Authorization: Bearer TOKEN"
        )
    return token.strip()


AskCaller = Annotated[Caller, Depends(get_caller)]


def check_scope(caller: Caller, scope: str) -> None:
    """Check that a caller's token is good for something.

    Raises
    ------
    UnauthenticatedError
        Nobody signed in.
    ForbiddenError
        The token has no such scope.
    """
    if scope in caller.scopes:
        return
    if caller.subject is None:
        raise UnauthenticatedError(
            "only who has signed in may do this", next_step="send a token: set HSC_TOKEN"
        )
    raise ForbiddenError(
        f"the token is not good for this: it has no scope {scope!r}",
        next_step=f"make one that has the scope {scope!r}",
    )


class CatalogFor:
    """Gives a route the catalog as its caller sees it, if their token has one of some scopes."""

    def __init__(self, *scopes: str) -> None:
        self._scopes = scopes

    def __call__(self, served: AskServed, caller: AskCaller) -> SqlCatalog:
        """Give the catalog."""
        held = (scope for scope in self._scopes if scope in caller.scopes)
        check_scope(caller, next(held, self._scopes[0]))
        return SqlCatalog(served.database, caller)


Reading = Annotated[SqlCatalog, Depends(CatalogFor("read"))]
Ingesting = Annotated[SqlCatalog, Depends(CatalogFor("ingest"))]
Writing = Annotated[SqlCatalog, Depends(CatalogFor("write"))]
# Ingestors keep nouns with the scope ingest, all others with write: the catalog asks which.
Keeping = Annotated[SqlCatalog, Depends(CatalogFor("write", "ingest"))]
Sharing = Annotated[SqlCatalog, Depends(CatalogFor("share"))]
