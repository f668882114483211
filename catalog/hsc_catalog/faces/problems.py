"""Problems: how an error of hsc is told over HTTP (RFC 9457), in one place."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
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
    found = next((kind for kind in type(error).__mro__ if kind.__name__ in STATUS), None)
    if found is None:
        return defect(error, request_id)
    name, status = found.__name__, STATUS[found.__name__]
    said = error.document()
    detail, next_step = said["message"], said["next"]
    if name in _SILENT:
        _log.error("request %s: %s", request_id, str(error).replace("\n", " "))
        detail, next_step = "not now", "try again"
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = str(math.ceil(getattr(error, "retry_after_s", RETRY_AFTER_S)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    faults = getattr(error, "faults", ())
    return answer_problem(
        status,
        type(error).__name__,
        detail,
        request_id,
        next_step=next_step,
        faults=[_fault("body", pointer, why) for pointer, why in faults],
        headers=headers,
    )


def invalid_request(error: RequestValidationError, request_id: str) -> Response:
    """Tell which fields of a request are wrong, each by its pointer."""
    faults = [_place(fault["loc"], str(fault["msg"])) for fault in error.errors()]
    return answer_problem(
        422,
        "InvalidRecordError",
        "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults[:3]),
        request_id,
        faults=faults,
    )


def refused(error: HTTPException, request_id: str) -> Response:
    """Tell what the routing refused: no such route, another method."""
    status = HTTPStatus(error.status_code)
    return answer_problem(
        status,
        status.name.title().replace("_", ""),
        error.detail,
        request_id,
        headers=error.headers,
    )


def defect(error: BaseException, request_id: str) -> Response:
    """Log an error that nobody foresaw under the request's number, and tell only that."""
    _log.error("request %s failed", request_id, exc_info=error)
    return answer_problem(
        500,
        "Defect",
        "a defect of the server",
        request_id,
        next_step="tell the operator the number of the request",
    )


def answer_problem(
    status: int,
    name: str,
    detail: str,
    request_id: str,
    *,
    next_step: str = "",
    faults: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Make the answer that tells a problem."""
    document: dict[str, Any] = {
        "type": f"urn:hsc:{name}",
        "title": _title(name, status),
        "status": status,
        "detail": detail,
        "instance": f"urn:hsc:request:{request_id}",
    }
    if next_step:
        document["next"] = next_step
    if faults:
        document["errors"] = list(faults)
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
