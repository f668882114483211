"""Problems: how an error of hsc is told over HTTP (RFC 9457), in one place."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hsc import errors
from hsc.errors import HscError
from hsc_catalog.faces.strict_json import escape

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

# The nearest class up the tree counts; what is not here is a defect of the server.
STATUS: Mapping[str, int] = {
    "InvalidPidError": 422,
    "InvalidQueryError": 422,
    "InvalidRecordError": 422,
    "UnauthenticatedError": 401,
    "ForbiddenError": 403,
    "DatasetNotFoundError": 404,
    "ActivityNotFoundError": 404,
    "RecordNotFoundError": 404,
    "TokenNotFoundError": 404,
    "ConflictError": 409,
    "RevisionError": 412,
    "TooLargeError": 413,
    "TooManyRequestsError": 429,
    "CatalogUnavailableError": 503,
    "StoreUnavailableError": 503,
    "ObjectMissingError": 404,
    "MissingShardError": 404,
    "ArchivedError": 409,
    "LocationRefusedError": 409,
    "DependencyMissingError": 501,
}
# Their texts name files and machines of the server, which is nobody's business outside.
_SILENT = {"CatalogUnavailableError", "StoreUnavailableError"}

_log = logging.getLogger("hsc.catalog.problems")


class Fault(BaseModel):
    """One wrong part of a request."""

    pointer: str
    """JSON pointer into the body; into the query, path or headers a slash and the name."""
    detail: str
    """What is wrong there."""
    place: str = Field("body", alias="in")
    """``body``, ``query``, ``path`` or ``header``."""


class Problem(BaseModel):
    """What every error is answered with, as ``application/problem+json``."""

    type: str
    """``urn:hsc:`` and the name of the error."""
    title: str
    """What this kind of error is."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong this time, with its value."""
    next: str = ""
    """What can be done."""
    instance: str = ""
    """``urn:hsc:request:`` and the number under which the server's log has the request."""
    errors: tuple[Fault, ...] = ()
    """The wrong parts of the request."""


def problem_of(error: HscError, request_id: str) -> Response:
    """Tell an error of hsc; one that is no answer to a request is told as a defect."""
    known = _known(error)
    if known is None:
        return defect(error, request_id)
    status = STATUS[known]
    if known in _SILENT:
        _log.error("request %s: %s", request_id, str(error).replace("\n", " "))
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = str(math.ceil(getattr(error, "retry_after_s", RETRY_AFTER_S)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(status, _said(error, known), request_id, headers)


def problem_document(error: HscError) -> dict[str, Any]:
    """Give type, detail, next and wrong fields of an error, for one part of a larger answer."""
    known = _known(error)
    if known is None:
        _log.error("a part of a request failed", exc_info=error)
        return {"type": "urn:hsc:Defect", "detail": "a defect of the server"}
    return _said(error, known)


def _known(error: HscError) -> str | None:
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((name for name in names if name in STATUS), None)


def _said(error: HscError, known: str) -> dict[str, Any]:
    """Word an error: what is nobody's business outside is left out."""
    said = error.document()
    name = said["error"]
    if known in _SILENT:
        said = {"message": "not now", "next": "try again"}
    document: dict[str, Any] = {"type": f"urn:hsc:{name}", "detail": said["message"]}
    if said["next"]:
        document["next"] = said["next"]
    faults = getattr(error, "faults", ())
    if not faults and known == "InvalidRecordError" and error.where.startswith("/"):
        faults = [(error.where, error.message)]
    if faults:
        document["errors"] = [_fault("body", pointer, why) for pointer, why in faults]
    return document


def invalid_request(error: RequestValidationError, request_id: str) -> Response:
    """Tell which parts of a request are wrong, each by its pointer."""
    faults = [_place(fault["loc"], str(fault["msg"])) for fault in error.errors()]
    said = {
        "type": "urn:hsc:InvalidRecordError",
        "detail": "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults[:3]),
        "errors": faults,
    }
    return _answer(422, said, request_id)


def refused(error: HTTPException, request_id: str) -> Response:
    """Tell what the routing refused: no such route, another method."""
    name = HTTPStatus(error.status_code).phrase.title().replace(" ", "")
    said = {"type": f"urn:hsc:{name}", "detail": str(error.detail)}
    return _answer(error.status_code, said, request_id, error.headers)


def defect(error: BaseException, request_id: str) -> Response:
    """Log an error that nobody foresaw under the request's number, and tell only that."""
    _log.error("request %s failed", request_id, exc_info=error)
    said = {
        "type": "urn:hsc:Defect",
        "detail": "a defect of the server",
        "next": "tell the operator the number of the request",
    }
    return _answer(500, said, request_id)


def _answer(
    status: int,
    said: Mapping[str, Any],
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    name = str(said["type"]).rpartition(":")[2]
    document = {
        "type": said["type"],
        "title": _title(name, status),
        "status": status,
        **said,
        "instance": f"urn:hsc:request:{request_id}",
    }
    body = json.dumps(document, allow_nan=False).encode()
    return Response(body, status, dict(headers or {}), MEDIA_TYPE)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Give the errors of a route as its OpenAPI description lists them."""
    return {
        status: {
            "model": Problem,
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def _title(name: str, status: int) -> str:
    kind = getattr(errors, name, None)
    written = (kind.__doc__ or "").partition("\n")[0] if isinstance(kind, type) else ""
    return written or HTTPStatus(status).phrase


def _place(loc: Iterable[str | int], why: str) -> dict[str, str]:
    first, *rest = loc
    pointer = "".join(f"/{escape(part)}" for part in rest)
    return _fault(str(first), pointer, why)


def _fault(place: str, pointer: str, why: str) -> dict[str, str]:
    return {"in": place, "pointer": pointer, "detail": why}
