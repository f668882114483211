"""The wire form that every record shares: frozen, versioned, canonical JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from hsc.errors import FormatVersionError
from hsc.model.limits import shallow_json

_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_FORMAT = re.compile(r"(?P<name>hsc\.[a-z_]+)/(?P<number>[1-9][0-9]{0,5})")


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a zone, as in 2026-11-22T10:00:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time needs a year from 1 to 9999, in UTC too") from error


UtcTime = Annotated[datetime, AfterValidator(_aware)]
"""A moment with a zone, kept in UTC."""


class Record(BaseModel):
    """Base of all records: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def document(self) -> dict[str, Any]:
        """Give the record as plain JSON values."""
        return self.model_dump(mode="json")


class VersionedRecord(Record):
    """Base of records that stand alone: their ``format`` names the version of their wire form.

    A field that came after a form's release stands in ``grown`` and is left out of the form where
    it says nothing, so that what an older release wrote keeps its bytes.
    """

    grown: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields that the form got after its release."""

    @model_validator(mode="before")
    @classmethod
    def _of_this_version(cls, value: Any) -> Any:
        written = value.get("format") if isinstance(value, dict) else None
        known = str(cls.model_fields["format"].default)
        name, _, number = known.partition("/")
        match = _FORMAT.fullmatch(written) if isinstance(written, str) else None
        if match and match["name"] == name and int(match["number"]) > int(number):
            raise FormatVersionError(
                f"a newer hsc wrote this record: {written}; this release knows {known}",
                next_step="install a newer release of hanseatic-science-cloud",
            )
        return value

    # Without a return type, so that the schema of the form stays that of the fields.
    @model_serializer(mode="wrap")
    def _said(self, handler: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        document = handler(self)
        for name in self.grown:
            if name in document and document[name] in (None, "", (), [], {}):
                del document[name]
        return document


def canonical_json(value: Any) -> bytes:
    r"""Write JSON in one form only: sorted keys, no blanks, UTF-8, no NaN.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": ["å", 0.1]})
    b'{"a":["\xc3\xa5",0.1],"b":1}'
    """
    return _CANONICAL.encode(value).encode("utf-8", "surrogatepass")


def now() -> datetime:
    """Give the present moment, to the millisecond, in UTC."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def plain_json(value: dict[str, Any]) -> dict[str, Any]:
    """Check that JSON can hold a value and give it as JSON would give it back.

    Raises
    ------
    ValueError
        It holds NaN, an infinity, or something that is no JSON; or it is too deep or too large.
    """
    shallow_json(value)
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
