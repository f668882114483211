"""Errors as SciCat's backend words them: ``{"statusCode", "message", "error"}``."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from hsc.errors import HscError, UnauthenticatedError
from hsc_catalog.faces.problems import STATUS

# SciCat's clients know 400 for what /v1 answers with 422.
_BAD = HTTPStatus.UNPROCESSABLE_ENTITY
# Their texts name files and machines of the server.
_SILENT = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}

_log = logging.getLogger("hsc.catalog.scicat")


def word_errors(app: FastAPI) -> None:
    """Let an application word every error as SciCat's backend does."""

    async def of_hsc(request: Request, error: Exception) -> Response:
        assert isinstance(error, HscError)  # noqa: S101 - by its registration below
        return answer_error(error, signed_in="authorization" in request.headers)

    async def of_fields(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        faults = [f"{'.'.join(map(str, each['loc']))} {each['msg']}" for each in error.errors()]
        return nest(HTTPStatus.BAD_REQUEST, faults)

    async def of_routing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        status = HTTPStatus(error.status_code)
        return nest(status, f"Cannot {request.method} {request.url.path}", error.headers)

    app.add_exception_handler(HscError, of_hsc)
    app.add_exception_handler(RequestValidationError, of_fields)
    app.add_exception_handler(HTTPException, of_routing)


def answer_error(error: HscError, *, signed_in: bool = True) -> Response:
    """Word an error of hsc."""
    names = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in STATUS]
    if not names:
        raise error
    status = HTTPStatus(STATUS[names[0]])
    if status == _BAD:
        status = HTTPStatus.BAD_REQUEST
    if isinstance(error, UnauthenticatedError) and not signed_in:
        status = HTTPStatus.FORBIDDEN  # as SciCat's guards answer who sent no token
    headers = {}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    if (wait_s := getattr(error, "retry_after_s", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait_s))
    if status in _SILENT:
        _log.error("%s", str(error).replace("\n", " "))
        return nest(status, "not now: try again", headers)
    faults = getattr(error, "faults", ())
    wrong = [f"{pointer.strip('/')} {why}".strip() for pointer, why in faults]
    return nest(status, wrong or error.document()["message"], headers)


def nest(
    status: HTTPStatus, message: str | list[str], headers: Mapping[str, str] | None = None
) -> Response:
    """Make the answer that tells an error."""
    document = {"statusCode": status.value, "message": message, "error": status.phrase}
    return JSONResponse(document, status.value, headers)
