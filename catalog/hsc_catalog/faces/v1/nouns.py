"""Facilities, instruments, proposals, samples, publications: each under its key."""

# Annotations are evaluated here: those of the routes name the kind that they are made for.
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, create_model
from starlette.responses import Response

from hsc.model import NOUNS, NounKind
from hsc_catalog.faces.answers import JSON, json_text, revision_asked, tagged
from hsc_catalog.faces.asking import Keeping, Reading
from hsc_catalog.faces.posted import Body, brings, posted
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.v1.asked import wrong

PLURALS: dict[NounKind, str] = {
    "facility": "facilities",
    "instrument": "instruments",
    "proposal": "proposals",
    "sample": "samples",
    "publication": "publications",
}
"""Kinds of nouns, as paths name them."""


def _routes_of(kind: NounKind, many: str) -> APIRouter:
    """Make the routes of one kind."""
    noun: Any = NOUNS[kind]
    fields: Any = {many: (list[noun], ...)}
    told = f"All {many} that the caller sees."
    listed: type[BaseModel] = create_model(many.capitalize(), __doc__=told, **fields)
    routes = APIRouter(prefix=f"/{many}", tags=[many])

    @routes.get("", response_model=listed, summary=f"List {many}", name=f"list_{many}")
    def list_nouns(request: Request, catalog: Reading) -> Response:
        found = [each.document() for each in catalog.nouns(kind)]
        return tagged(request, json_text({many: found}))

    @routes.get(
        "/{key:path}",
        response_model=noun,
        summary=f"One {kind}",
        name=f"get_{kind}",
        responses=responses(404),
    )
    def get_noun(request: Request, catalog: Reading, key: str) -> Response:
        _, revision, text = catalog.found(kind, key)
        return tagged(request, text, revision)

    @routes.put(
        "/{key:path}",
        response_model=noun,
        summary=f"Keep a {kind}",
        name=f"keep_{kind}",
        responses=responses(412),
        openapi_extra=brings(noun),
    )
    def keep_noun(
        request: Request,
        catalog: Keeping,
        key: str,
        body: Body,
        kept: Annotated[Any, Depends(posted(noun))],
    ) -> Response:
        if kept.key != key:
            raise wrong("path", "key", f"the {kind} that was sent has the key {kept.key!r}")
        text = body.decode().strip()
        catalog.keep(kept, text=text, revision=revision_asked(request))
        # Whoever keeps a record may not be one of those who see it.
        return Response(text, 200, {"Location": f"/v1/{many}/{quote(key)}"}, JSON)

    return routes


router = APIRouter()
for _kind, _many in PLURALS.items():
    router.include_router(_routes_of(_kind, _many))
