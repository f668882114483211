"""Checking what comes in against a record, with a pointer to each wrong field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hsc.errors import FormatVersionError, InvalidRecordError
from hsc_catalog.faces.strict_json import escape

M = TypeVar("M", bound=BaseModel)

_TOLD = 3  # faults that the one line names; all stand in the list


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
