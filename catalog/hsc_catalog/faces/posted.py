"""Posted records: from the bytes of a request to a record, with a pointer to each wrong field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from hsc.errors import FormatVersionError, InvalidRecordError
from hsc_catalog.faces.asking import AskCaller, AskServed
from hsc_catalog.faces.strict_json import escape, read_json

M = TypeVar("M", bound=BaseModel)

_TYPES = ("application/json", "application/merge-patch+json")
_TOLD = 3  # faults that the one line names; all stand in the list

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


def check_record(model: type[M], document: Any, pointer: str = "") -> M:
    """Give a document as a record; ``pointer`` is where it stands in the body.

    Raises
    ------
    InvalidRecordError
        Fields are wrong, missing or unknown; its ``faults`` point to them.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise invalid_record(error, pointer) from error
    except FormatVersionError as error:
        faults = [(pointer + _newer_format(document, error.message), error.message)]
        raise InvalidRecordError(error.message, faults=faults) from error


def _newer_format(document: Any, told: str) -> str:
    """Give the pointer of the format that an error tells of: it does not say in which record."""
    if isinstance(document, dict):
        if isinstance(written := document.get("format"), str) and written and written in told:
            return "/format"
        for name, inner in document.items():
            if found := _newer_format(inner, told):
                return f"/{escape(name)}{found}"
    return ""


def invalid_record(error: ValidationError, pointer: str = "") -> InvalidRecordError:
    """Word what is wrong with a record, with a pointer to each wrong field."""
    faults = [
        (pointer + pointer_of(fault["loc"]), fault["msg"])
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return InvalidRecordError(told(faults), faults=faults)


def told(faults: Iterable[tuple[str, str]]) -> str:
    """Give the first faults in one line."""
    lines = [f"{pointer or 'the body'}: {why}" for pointer, why in faults]
    more = f" and {len(lines) - _TOLD} more" if len(lines) > _TOLD else ""
    return "; ".join(lines[:_TOLD]) + more


def pointer_of(loc: Iterable[str | int]) -> str:
    """Give the JSON pointer (RFC 6901) of a place as pydantic names it.

    Examples
    --------
    >>> pointer_of(("arrays", 0, "shape"))
    '/arrays/0/shape'
    """
    return "".join(f"/{escape(part)}" for part in loc)


def brings(model: type[BaseModel], example: Any = None) -> dict[str, Any]:
    """Give the part of a route's OpenAPI description that tells which record it reads."""
    POSTED[model.__name__] = model
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {_TYPES[0]: content}}}
