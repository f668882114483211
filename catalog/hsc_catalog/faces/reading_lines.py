"""Reading one line of an import: a dataset with what made it, or a record that comes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsc.errors import InvalidPidError, InvalidRecordError
from hsc.model import NOUNS, Access, Activity, Dataset, Noun, Pid, Registration, Replica
from hsc_catalog.faces.checked import check_record
from hsc_catalog.faces.strict_json import DEPTH, read_json, read_members
from hsc_catalog.records import Posted


@dataclass(frozen=True)
class Alone:
    """An activity that made no dataset, a replica, or a noun."""

    record: Activity | Replica | Noun
    """What is told."""
    of: Pid | None = None
    """The version that a replica is of."""
    text: str | None = None
    """The document of a noun as it was posted."""


def read_line(line: bytes, *, depth: int = DEPTH) -> Posted | Alone:
    """Read a line as an export writes it.

    Parameters
    ----------
    line
        A JSON document in UTF-8: ``{"dataset", "activity", "edges"}``, with ``access`` where it is
        to stand as it did elsewhere and ``dataset_text`` where the document had several lines;
        ``{"activity"}``; ``{"replica", "of"}``; or ``{"noun", "kind"}``.
    depth
        How deep the document may be.

    Raises
    ------
    InvalidRecordError
        It is none of these; its ``faults`` point to what is wrong.
    """
    document, texts = read_members(line, depth=depth)
    if not isinstance(document, dict):
        raise InvalidRecordError("the line is no JSON object", faults=[("", "no JSON object")])
    if "replica" in document:
        of = _pid(document.get("of"))
        return Alone(check_record(Replica, document["replica"], "/replica"), of)
    if "noun" in document:
        return _noun(document, texts["noun"])
    if "activity" in document and "dataset" not in document:
        return Alone(check_record(Activity, document["activity"], "/activity"))
    return _registration(document, texts)


def _registration(document: dict[str, Any], texts: dict[str, str]) -> Posted:
    text = document.pop("dataset_text", texts.get("dataset"))
    document.pop("activity_text", None)
    access = document.pop("access", None)
    told = check_record(Registration, document)
    if text != texts["dataset"]:
        _check_same(Dataset, text, told.dataset, "dataset")
    stands = None if access is None else check_record(Access, access, "/access")
    return Posted(told.dataset, told.activity, told.edges, text, access=stands)


def _noun(document: dict[str, Any], written: str) -> Alone:
    made = {str(name): each for name, each in NOUNS.items()}.get(str(document.get("kind")))
    if made is None:
        kinds = ", ".join(sorted(map(str, NOUNS)))
        why = f"{document.get('kind')!r} is none of {kinds}"
        raise InvalidRecordError(why, faults=[("/kind", why)])
    record = check_record(made, document["noun"], "/noun")
    text = document.get("noun_text", written)
    if text != written:
        _check_same(made, text, record, "noun")
    return Alone(record, text=text)


def _check_same(kind: type[Any], text: Any, record: Any, name: str) -> None:
    pointer = f"/{name}_text"
    if not isinstance(text, str) or check_record(kind, read_json(text.encode())) != record:
        why = f"{name}_text says something else than {name}"
        raise InvalidRecordError(why, faults=[(pointer, why)])


def _pid(of: Any) -> Pid:
    try:
        return Pid.parse(of)
    except InvalidPidError as error:
        raise InvalidRecordError(error.message, faults=[("/of", error.message)]) from error
