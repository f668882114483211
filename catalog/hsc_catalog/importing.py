"""Importing lines of JSON into a catalog, many in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from hsc.errors import CatalogUnavailableError, HscError, InvalidRecordError
from hsc.model import NOUNS, Access, Activity, Dataset, Pid, Registration, Replica
from hsc_catalog.access import Admission, Sight, require, standings
from hsc_catalog.auditing import Change, note
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.strict_json import read_json, read_members
from hsc_catalog.records import (
    Posted,
    put_activities,
    put_noun,
    put_replica,
    register_items,
    stand_as,
    uncollected,
)

AT_ONCE = 1000
"""Lines that are kept in one transaction."""


@dataclass
class Imported:
    """What became of the lines."""

    kept: int = 0
    """Lines that were kept, or were there before."""
    wrong: int = 0
    """Lines that were not."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """The first wrong ones: ``line``, ``error``, ``message``."""

    def document(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Single:
    """An activity, a replica or a noun that comes alone."""

    kind: str
    record: Any
    of: Pid | None
    text: str | None


_Read = Posted | _Single


def import_lines(
    catalog: SqlCatalog,
    lines: Iterable[bytes],
    *,
    at_once: int = AT_ONCE,
    shown: Callable[[int], None] = lambda kept: None,
) -> Imported:
    """Keep lines as `hsc catalog export` or others wrote them; a wrong one keeps none back.

    Parameters
    ----------
    catalog
        Where to.
    lines
        JSON in UTF-8, one document each: ``{"dataset", "activity", "edges"}``, with ``access``
        where it is to stand as it did elsewhere, or one of
        ``{"activity"}``, ``{"replica", "of"}`` and ``{"noun", "kind"}``.
    at_once
        How many in one transaction.
    shown
        Is told how many lines were worked on so far.
    """
    done = Imported()
    numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
    while some := list(islice(numbered, at_once)):
        with uncollected():
            _keep_some(catalog, some, done)
        shown(done.kept + done.wrong)
    return done


def _keep_some(catalog: SqlCatalog, some: list[tuple[int, bytes]], done: Imported) -> None:
    read = list(_read_all(some, done))
    try:
        _keep(catalog, [each for _, each in read])
        done.kept += len(read)
    except CatalogUnavailableError:
        raise
    except HscError:
        _keep_singly(catalog, read, done)


def _keep_singly(catalog: SqlCatalog, read: list[tuple[int, _Read]], done: Imported) -> None:
    for number, each in read:
        try:
            _keep(catalog, [each])
            done.kept += 1
        except CatalogUnavailableError:
            raise
        except HscError as error:
            _refuse(done, number, error)


def _keep(catalog: SqlCatalog, read: list[_Read]) -> None:
    if not read:
        return
    sight, caller = catalog.sight(), catalog.caller
    with catalog.database.writing() as connection:
        changes: list[Change] = []
        posted = [each for each in read if isinstance(each, Posted)]
        if posted:
            told = _told_access(connection, sight, posted)
            changes += register_items(connection, sight, posted)
            for pid, access in told.items():
                changes += stand_as(connection, sight, pid, access)
        for each in read:
            if isinstance(each, Posted):
                continue
            if each.kind == "activity":
                Admission(connection, caller, sight.now).admit_activity(each.record)
                changes += put_activities(connection, [each.record], caller)
            elif each.kind == "replica" and each.of is not None:
                require(caller, "administer")
                changes += put_replica(connection, sight, each.of, each.record)
            else:
                require(caller, "administer")
                changes += put_noun(connection, sight, each.record, each.text)
        note(connection, caller.actor, changes)


def _told_access(connection: Connection, sight: Sight, posted: list[Posted]) -> dict[str, Access]:
    """Give how those are to stand that are not there yet, where their lines tell."""
    told = {str(each.dataset.pid): each.access for each in posted if each.access is not None}
    if told:
        require(sight.caller, "administer")
    there = standings(connection, told)
    return {pid: access for pid, access in told.items() if pid not in there}


def _read_all(lines: Iterable[tuple[int, bytes]], done: Imported) -> Iterator[tuple[int, _Read]]:
    for number, line in lines:
        try:
            yield number, _read(line)
        except HscError as error:
            _refuse(done, number, error)


def _read(line: bytes) -> _Read:
    document, texts = read_members(line)
    if not isinstance(document, dict):
        raise InvalidRecordError("the line is no JSON object")
    if "dataset" in document:
        text = document.pop("dataset_text", texts["dataset"])
        document.pop("activity_text", None)
        access = document.pop("access", None)
        if "activity" not in document:
            raise InvalidRecordError("a dataset needs the activity that made it")
        told = _record(Registration, document)
        if text != texts["dataset"] and _record(Dataset, read_json(text.encode())) != told.dataset:
            raise InvalidRecordError("dataset_text says something else than dataset")
        stands = None if access is None else _record(Access, access)
        return Posted(told.dataset, told.activity, told.edges, text, access=stands)
    return _read_single(document, texts)


def _read_single(document: dict[str, Any], texts: dict[str, str]) -> _Single:
    if "activity" in document:
        return _Single("activity", _record(Activity, document["activity"]), None, None)
    if "replica" in document:
        of = Pid.parse(document.get("of"))
        return _Single("replica", _record(Replica, document["replica"]), of, None)
    kind = document.get("kind")
    made = {str(name): each for name, each in NOUNS.items()}.get(str(kind))
    if "noun" in document and made is not None:
        text = document.get("noun_text", texts["noun"])
        return _Single(str(kind), _record(made, document["noun"]), None, text)
    raise InvalidRecordError("the line is none of: dataset with activity, activity, replica, noun")


def _record(kind: type[Any], document: Any) -> Any:
    model: type[BaseModel] = kind
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(map(str, first["loc"]))
        raise InvalidRecordError(f"/{place}: {first['msg']}") from error


def _refuse(done: Imported, number: int, error: HscError) -> None:
    done.wrong += 1
    if len(done.lines) < 100:
        told = {"error": type(error).__name__, "message": error.message, "where": error.where}
        done.lines.append({"line": number, **told})
