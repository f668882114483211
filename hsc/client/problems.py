"""Problems: from an answer that tells one (RFC 9457) back to the error that the server raised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hsc import errors
from hsc.errors import (
    CatalogError,
    CatalogUnavailableError,
    ForbiddenError,
    HscError,
    UnauthenticatedError,
)

_URN = "urn:hsc:"
_LONGEST = 2000
_SIGN_IN = "set HSC_TOKEN, or run `hsc login URL`; whoever runs the catalog gives tokens"
_NOT_THERE = "check HSC_CATALOG: it is the address before /v1"


def error_of(status: int, body: bytes, where: str, headers: Mapping[str, str]) -> HscError:
    """Make the error that an answer tells.

    Parameters
    ----------
    status, body, headers
        The answer: status 400 and above.
    where
        What was asked.
    """
    document = _document(body, headers)
    if document is None:
        return _foreign(status, where)
    detail = _text(document.get("detail")) or f"HTTP {status}"
    next_step = _text(document.get("next"))
    kind = getattr(errors, _text(document.get("type")).removeprefix(_URN), None)
    if not (isinstance(kind, type) and issubclass(kind, HscError)):
        kind = CatalogError
        number = _text(document.get("instance")).removeprefix(f"{_URN}request:")
        where = f"{where}, request {number}" if number else where
    pointers = _pointers(document)
    if issubclass(kind, UnauthenticatedError):
        next_step = next_step or _SIGN_IN
    made: HscError = kind(detail, where=", ".join(pointers) or where, next_step=next_step)
    return made


def _document(body: bytes, headers: Mapping[str, str]) -> dict[str, Any] | None:
    if headers.get("content-type", "").partition(";")[0].strip() != "application/problem+json":
        return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _foreign(status: int, where: str) -> HscError:
    """Word an answer that no catalog gave."""
    if status == 401:
        return UnauthenticatedError("the server wants a token", where=where, next_step=_SIGN_IN)
    if status == 403:
        return ForbiddenError("the server refuses", where=where, next_step=_SIGN_IN)
    what = f"no catalog answers there: HTTP {status}"
    return CatalogUnavailableError(what, where=where, next_step=_NOT_THERE)


def _pointers(document: Mapping[str, Any]) -> list[str]:
    faults = document.get("errors")
    listed = faults if isinstance(faults, list) else []
    return [_text(each.get("pointer")) for each in listed[:9] if isinstance(each, dict)]


def _text(value: object) -> str:
    # What a server says goes to a terminal: no more of it than a person reads, nothing unseen.
    text = value if isinstance(value, str) else ""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text[:_LONGEST])
