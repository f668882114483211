"""Posted records: from the bytes of a request to a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hsc_catalog.faces.asking import AskCaller, AskServed
from hsc_catalog.faces.checked import check_record
from hsc_catalog.faces.strict_json import read_json

M = TypeVar("M", bound=BaseModel)

_TYPES = ("application/json", "application/merge-patch+json")

POSTED: dict[str, type[BaseModel]] = {}
"""Every record that a route reads, by the name of its schema."""


async def get_body(request: Request, _: AskCaller) -> bytes:
    """Give the bytes of a JSON request, once it is known who sends them."""
    kind = request.headers.get("content-type", _TYPES[0]).partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise HTTPException(415, f"{kind!r} is not understood here: send {_TYPES[0]}")
    return await request.body()


Body = Annotated[bytes, Depends(get_body)]
"""The bytes of a JSON request, as they came."""


def posted(model: type[M]) -> Callable[..., M]:
    """Make the dependency that reads a record from a request's body."""
    POSTED[model.__name__] = model

    def read(body: Body, served: AskServed) -> M:
        return check_record(model, read_json(body, depth=served.limits.json_depth))

    return read


def brings(model: type[BaseModel], example: Any = None) -> dict[str, Any]:
    """Give the part of a route's OpenAPI description that tells which record it reads."""
    POSTED[model.__name__] = model
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {_TYPES[0]: content}}}
