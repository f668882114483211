"""Cursor: where a search goes on, as text that only this catalog reads."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import NamedTuple

from hsc.errors import InvalidQueryError
from hsc.model import Query, canonical_json

_CHECK = 8  # bytes


class Cursor(NamedTuple):
    """The last dataset that was shown: what follows is older, or as old with a smaller PID."""

    created: int
    pid: str


def write_cursor(query: Query, last: Cursor) -> str:
    """Write a cursor; it is good for this question alone."""
    told = canonical_json(list(last))
    return base64.urlsafe_b64encode(_check(query, told) + told).decode().rstrip("=")


def read_cursor(query: Query) -> Cursor | None:
    """Read the cursor of a query; None: it begins at the newest.

    Raises
    ------
    InvalidQueryError
        It was changed, or belongs to another question.
    """
    if query.cursor is None:
        return None
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        check, told = raw[:_CHECK], raw[_CHECK:]
        created, pid = json.loads(told)
    except (ValueError, UnicodeError, binascii.Error):
        check, told, created, pid = b"", b"", 0, ""
    if check != _check(query, told):
        raise InvalidQueryError(
            f"the cursor {query.cursor[:40]!r} is none of this question",
            next_step="give `next` as the answer before had it, with the same question; "
            "or leave it out to begin anew",
        )
    return Cursor(created, pid)


def _check(query: Query, told: bytes) -> bytes:
    # Guards against mistakes alone: nobody sees more by a cursor that they made up.
    asked = query.model_dump(mode="json", exclude={"cursor", "limit"})
    return hashlib.blake2b(canonical_json(asked) + told, digest_size=_CHECK).digest()
