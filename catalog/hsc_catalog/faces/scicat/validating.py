"""Looking a posted SciCat record over: which of its fields can't be as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hsc.model import shallow_json
from hsc_catalog.faces.scicat import fields
from hsc_catalog.faces.scicat.paths import moment

# As strict as has a use: an address that has no @ or no host reaches nobody.
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def faults(document: Mapping[str, Any], *, partly: bool = False) -> list[str]:
    """List what is wrong with a posted dataset, each with the name of its field.

    Parameters
    ----------
    document
        The dataset, old names already replaced.
    partly
        Whether fields may be absent, as in a change.

    Examples
    --------
    >>> faults({"contactEmail": "nobody", "size": 3}, partly=True)
    ['contactEmail must be an email']
    """
    found = [] if partly else [f"{name} is required" for name in _absent(document)]
    for name, value in document.items():
        if value is not None and (wrong := _wrong(name, value)):
            found.append(wrong)
    return found + _json_faults(document)


def _absent(document: Mapping[str, Any]) -> list[str]:
    return [name for name in fields.REQUIRED if document.get(name) is None]


def _wrong(name: str, value: Any) -> str | None:
    if name in fields.MADE_HERE:
        return None
    if name not in fields.KNOWN:
        return f"property {name} should not exist"
    if name in fields.TEXTS:
        return _wrong_text(name, value)
    if name in fields.TEXT_LISTS:
        good = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return None if good else f"{name} must be a list of texts"
    if name in fields.OBJECTS:
        return None if isinstance(value, Mapping) else f"{name} must be an object"
    if name in fields.OBJECT_LISTS:
        good = isinstance(value, list) and all(isinstance(each, Mapping) for each in value)
        return None if good else f"{name} must be a list of objects"
    if name in fields.FLAGS:
        return None if isinstance(value, bool) else f"{name} must be true or false"
    whole = isinstance(value, int) and not isinstance(value, bool)
    return None if whole else f"{name} must be a whole number"


def _wrong_text(name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        return f"{name} must be a text"
    if name in fields.TIMES and moment(value) is None:
        return f"{name} must be a time as in 2026-11-22T10:00:00Z"
    if name in fields.EMAILS:
        addresses = [each.strip() for each in value.split(";")]
        if not all(_EMAIL.fullmatch(each) for each in addresses):
            return f"{name} must be an email"
    if name == "sourceFolder" and not value.startswith("/"):
        return f"{name} must be an absolute path"
    if name in fields.REQUIRED and not value:
        return f"{name} must not be empty"
    return None


def _json_faults(document: Mapping[str, Any]) -> list[str]:
    try:
        shallow_json(dict(document))
    except ValueError as error:
        return [str(error)]
    return []


def file_list_faults(document: Mapping[str, Any]) -> list[str]:
    """List what is wrong with a posted list of files (an origdatablock)."""
    found = []
    if not isinstance(document.get("datasetId"), str):
        found.append("datasetId must be a text")
    if not _is_count(document.get("size")):
        found.append("size must be a whole number from 0")
    files = document.get("dataFileList")
    if not isinstance(files, list):
        return [*found, "dataFileList must be a list of files"]
    for number, each in enumerate(files):
        if not isinstance(each, Mapping) or not isinstance(each.get("path"), str):
            found.append(f"dataFileList.{number}.path must be a text")
        elif not _is_count(each.get("size")):
            found.append(f"dataFileList.{number}.size must be a whole number from 0")
        elif not isinstance(each.get("time"), str) or moment(each["time"]) is None:
            found.append(f"dataFileList.{number}.time must be a time")
        if len(found) > 20:
            return found
    return found


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
