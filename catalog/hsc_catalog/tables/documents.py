"""Documents: records as the text that the tables keep, and back."""

from __future__ import annotations

import json
from typing import TypeVar

from hsc.model import Record

Noun = TypeVar("Noun", bound=Record)

_ENCODER = json.JSONEncoder(allow_nan=False)


def written(record: Record) -> str:
    """Write a record as the text of its document."""
    return _ENCODER.encode(record.document())


def read(kind: type[Noun], document: str) -> Noun:
    """Read a record from the text of its document."""
    # Not pydantic's own JSON reader: it refuses the lone surrogates of undecodable file names.
    return kind.model_validate(json.loads(document))
