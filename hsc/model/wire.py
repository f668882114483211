"""The wire form that every record shares: frozen, versioned, canonical JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a zone, as in 2026-11-22T10:00:00Z")
    return value.astimezone(UTC)


UtcTime = Annotated[datetime, AfterValidator(_aware)]
"""A moment with a zone, kept in UTC."""


class Record(BaseModel):
    """Base of all records: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def document(self) -> dict[str, Any]:
        """Give the record as plain JSON values."""
        return self.model_dump(mode="json")


def canonical_json(value: Any) -> bytes:
    r"""Write JSON in one form only: sorted keys, no blanks, UTF-8, no NaN.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": ["å", 0.1]})
    b'{"a":["\xc3\xa5",0.1],"b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8", "surrogatepass")


def now() -> datetime:
    """Give the present moment, to the millisecond, in UTC."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def plain_json(value: dict[str, Any]) -> dict[str, Any]:
    """Check that JSON can hold a value and give it as JSON would give it back.

    Raises
    ------
    ValueError
        It holds NaN, an infinity, or something that is no JSON.
    """
    try:
        plain: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    except TypeError as error:
        raise ValueError(str(error)) from error
    return plain


def plain_text(text: str) -> str:
    r"""Word text so that JSON and every catalog hold it: bytes that are no UTF-8 as ``\xNN``.

    Python has such bytes of file names and HDF5 names as lone surrogates.

    Examples
    --------
    >>> plain_text("bad\udcff.h5")
    'bad\\xff.h5'
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
