"""Answers: documents as JSON, with the ETag that a later request can name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from hsc.errors import InvalidRecordError

JSON = "application/json"
NO_STORE = {"Cache-Control": "no-store"}
"""Headers of answers that hold a secret, or tell of one."""

_REVISION = re.compile(r'"(\d{1,18})(?:-[0-9a-f]+)?"')


def json_text(document: Any) -> str:
    """Write a document as JSON; what is no Unicode, as some file names are, is escaped."""
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Make the answer that gives a document."""
    return Response(json_text(document), status, dict(headers or {}), JSON)


def tagged(
    request: Request,
    body: str | bytes,
    revision: int | None = None,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Make the answer that gives a body under its ETag, or says that the asker has it already.

    The ETag begins with the revision, which a change can name, and goes on with a digest: what a
    caller sees of one revision may still differ from what another does.
    """
    raw = body.encode() if isinstance(body, str) else body
    digest = hashlib.sha256(raw).hexdigest()[:16]
    tag = f'"{digest}"' if revision is None else f'"{revision}-{digest}"'
    told = {"ETag": tag, "Vary": "Authorization", **(headers or {})}
    asked = request.headers.get("if-none-match", "")
    if asked.strip() == "*" or tag in (
        part.strip().removeprefix("W/") for part in asked.split(",")
    ):
        return Response(status_code=304, headers=told)
    return Response(raw, 200, told, media_type)


def revision_asked(request: Request) -> int | None:
    """Give the revision that a change is to be made on, from If-Match; None: any.

    Raises
    ------
    InvalidRecordError
        The header names no revision.
    """
    asked = request.headers.get("if-match")
    if asked is None or asked.strip() == "*":
        return None
    match = _REVISION.fullmatch(asked.strip())
    if match is None:
        why = 'give the ETag of the dataset, as in "3-0123456789abcdef"'
        raise InvalidRecordError(
            f"If-Match {asked[:80]!r} names no revision", next_step=why, faults=[("/if-match", why)]
        )
    return int(match[1])
