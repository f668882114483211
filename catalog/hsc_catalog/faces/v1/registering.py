"""Registering datasets: one, many at once, any number line by line."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, Field
from starlette.responses import Response

from hsc.errors import InvalidRecordError, TooLargeError
from hsc.model import Draft, Record, Registration
from hsc_catalog.faces.answers import JSON, json_text
from hsc_catalog.faces.asking import AskServed, Ingesting
from hsc_catalog.faces.checked import check_record
from hsc_catalog.faces.posted import Body, brings, posted
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.strict_json import items, members, read_json
from hsc_catalog.records import Once, Posted

router = APIRouter(tags=["datasets"])

_KEY = Header(
    alias="Idempotency-Key",
    min_length=1,
    max_length=200,
    description="The sender's own name of this request: sent again, it gets the first answer.",
)
AskKey = Annotated[str | None, _KEY]


class Registrations(Record):
    """Datasets to be kept together: all of them or none."""

    items: tuple[Registration, ...] = Field(min_length=1)
    """Each with its activity and edges."""


class Registered(BaseModel):
    """A dataset that is kept."""

    pid: str
    """Its PID, with the version."""


class RegisteredMany(BaseModel):
    """Datasets that are kept."""

    pids: list[str]
    """Their PIDs, with the version, in the order in which they came."""


@router.post(
    "/datasets",
    status_code=201,
    response_model=Registered,
    summary="Register a dataset",
    responses=responses(409, 413),
    openapi_extra=brings(Registration),
)
def register(served: AskServed, catalog: Ingesting, body: Body, key: AskKey = None) -> Response:
    """Keep a dataset, the activity that made it and their edges, all or nothing.

    The same version with the same root again changes nothing.
    """
    document = read_json(body, depth=served.limits.json_depth)
    posted = posted_of(document, body.decode(), "")
    answered = json_text({"pid": posted.name})
    answered = catalog.post([posted], _once(key, body, answered)) or answered
    return Response(answered, 201, {"Location": f"/v1/datasets/{posted.name}"}, JSON)


@router.post(
    "/datasets:check",
    status_code=204,
    summary="Ask whether a dataset could be registered",
    responses=responses(409),
    openapi_extra=brings(Draft),
)
def may_register(catalog: Ingesting, draft: Annotated[Draft, Depends(posted(Draft))]) -> Response:
    """Say whether the caller may register such a dataset, and keep nothing.

    To be asked before the first byte of it is written.
    """
    catalog.may_register(draft)
    return Response(status_code=204)


@router.post(
    "/datasets:batch",
    status_code=201,
    response_model=RegisteredMany,
    summary="Register datasets, all or none",
    responses=responses(409, 413),
    openapi_extra=brings(Registrations),
)
def register_many(
    served: AskServed, catalog: Ingesting, body: Body, key: AskKey = None
) -> Response:
    """Keep many datasets in one transaction: all of them, or none when one can't be kept."""
    document = read_json(body, depth=served.limits.json_depth)
    listed = _items(document)
    if len(listed) > served.limits.batch:
        raise TooLargeError(
            f"{len(listed)} datasets are more than the {served.limits.batch} of one batch",
            next_step="send smaller batches, or lines to /v1/import",
        )
    texts = items(members(body.decode())["items"])
    posted = [
        posted_of(each, text, f"/items/{place}")
        for place, (each, text) in enumerate(zip(listed, texts, strict=True))
    ]
    answered = json_text({"pids": [each.name for each in posted]})
    answered = catalog.post(posted, _once(key, body, answered)) or answered
    return Response(answered, 201, None, JSON)


def _items(document: object) -> list[object]:
    # The items are checked one by one, so that each keeps its own text.
    found = document.get("items") if isinstance(document, dict) else None
    if isinstance(document, dict) and len(document) == 1 and isinstance(found, list) and found:
        return found
    check_record(Registrations, document)
    raise InvalidRecordError("a batch has items, and nothing else")


def posted_of(document: object, text: str, pointer: str) -> Posted:
    """Give what is to be kept of a registration and of the text that it came as.

    Raises
    ------
    InvalidRecordError
        Fields are wrong; its ``faults`` begin with ``pointer``.
    """
    told = check_record(Registration, document, pointer)
    written = members(text).get("dataset")
    return Posted(told.dataset, told.activity, told.edges, written)


def _once(key: str | None, body: bytes, answered: str) -> Once | None:
    if key is None:
        return None
    return Once(key, hashlib.sha256(body).hexdigest(), answered)
