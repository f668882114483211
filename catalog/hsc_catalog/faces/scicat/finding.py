"""Finding datasets for SciCat's clients: visible ones, filtered, in order, worded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from hsc.errors import DatasetNotFoundError, InvalidPidError, InvalidQueryError
from hsc.model import Access, Activity, Dataset, Kind, Pid
from hsc_catalog import tables
from hsc_catalog.access import (
    Caller,
    activity_visible,
    dataset_visible,
    knows_access,
    pid_of,
    standings,
)
from hsc_catalog.faces.scicat.asking import Asked
from hsc_catalog.faces.scicat.documents import FACE, Kept, of_datasets
from hsc_catalog.faces.scicat.fields import OLD_NAMES
from hsc_catalog.faces.scicat.taking import groups_of
from hsc_catalog.faces.scicat.wording import Standing, worded

MOST_LOOKED_AT = 10_000
"""Datasets that one request looks at, where no index answers its conditions."""

_row = tables.dataset.c
_posted = tables.foreign_document.c
_COLUMNS = {"pid": _row.pid, "proposalIds": _row.proposal, "sampleIds": _row.sample}
_BATCH = 500  # ids in one statement


@dataclass(frozen=True)
class Found:
    """What a request found."""

    total: int
    """How many datasets meet its conditions."""
    page: tuple[Standing, ...]
    """Those asked for, in order, with their history."""


class Finding:
    """Finds datasets for one caller, in one transaction."""

    def __init__(self, connection: Connection, caller: Caller, now: datetime) -> None:
        self.connection = connection
        self._caller = caller
        self._now = now

    def standing(self, pid: str) -> Standing:
        """Give how one dataset stands, with its history.

        Raises
        ------
        DatasetNotFoundError
            There is none, or the caller may not see it.
        """
        found = self._standings(self._rows().where(_row.pid == known_pid(pid)))
        if not found:
            raise DatasetNotFoundError(
                f"Dataset #{pid} not found", next_step="`hsc search` lists the known ones"
            )
        return self._with_history(found)[0]

    def find(self, asked: Asked) -> Found:
        """Find datasets.

        Raises
        ------
        InvalidQueryError
            Its conditions leave more to be looked at than one request may.
        """
        wanted = self._rows().where(*self._narrowed(asked))
        if _is_answered_by_index(asked):
            page = self._standings(_newest_first(wanted).limit(asked.limit).offset(asked.skip))
            total = self._count(wanted)
        else:
            pairs, total = self._looked_at(wanted, asked)
            ordered = asked.ordered([record for _, record in pairs])
            by_pid = {record["pid"]: standing for standing, record in pairs}
            cut = ordered[asked.skip : asked.skip + asked.limit]
            page = [by_pid[record["pid"]] for record in cut]
        return Found(total, tuple(self._with_history(page)))

    def every(self, asked: Asked) -> tuple[list[dict[str, Any]], int]:
        """Give all datasets that are meant, worded without their history, and how many there are.

        Raises
        ------
        InvalidQueryError
            That is more than one request may look at.
        """
        pairs, total = self._looked_at(self._rows().where(*self._narrowed(asked)), asked)
        return [record for _, record in pairs], total

    def count(self, asked: Asked) -> int:
        """Count the datasets that are meant.

        Raises
        ------
        InvalidQueryError
            Conditions leave more than one request may look at.
        """
        wanted = self._rows().where(*self._narrowed(asked))
        return self._looked_at(wanted, asked)[1] if _has_conditions(asked) else self._count(wanted)

    def _count(self, wanted: Select[Any]) -> int:
        return self.connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0

    def _looked_at(
        self, wanted: Select[Any], asked: Asked
    ) -> tuple[list[tuple[Standing, dict[str, Any]]], int]:
        """Look at each of the newest; without conditions the others are counted only."""
        total = self._count(wanted)
        if total > MOST_LOOKED_AT and _has_conditions(asked):
            raise InvalidQueryError(
                f"the conditions leave {total} datasets to look at, over {MOST_LOOKED_AT}",
                next_step="name PIDs, a proposal, a sample or words to search for as well",
            )
        meets = asked.predicate()
        looked_at = self._standings(_newest_first(wanted).limit(MOST_LOOKED_AT))
        pairs = [(each, record) for each in looked_at if meets(record := worded(each))]
        return pairs, len(pairs) if _has_conditions(asked) else total

    def _rows(self) -> Select[Any]:
        posted = and_(_posted.face == FACE, _posted.kind == "dataset", _posted.key == _row.pid)
        return (
            select(
                _row.pid,
                _row.registered,
                _row.updated,
                tables.dataset_document.c.json,
                _posted.id.label("posted"),
            )
            .join(tables.dataset_document, tables.dataset_document.c.dataset == _row.id)
            .outerjoin(tables.foreign_document, posted)
            .where(_row.newest, dataset_visible(self._caller, self._now))
        )

    def _narrowed(self, asked: Asked) -> list[ColumnElement[bool]]:
        conditions = _narrowed(asked.where)
        if words := tables.words(asked.text):
            conditions.append(_row.id.in_(tables.having_words(self.connection, words)))
        return conditions

    def _standings(self, wanted: Select[Any]) -> list[Standing]:
        rows = self.connection.execute(wanted).all()
        pids = [row.pid for row in rows]
        stand = standings(self.connection, pids)
        posted = of_datasets(self.connection, "dataset", [row.pid for row in rows if row.posted])
        found = []
        for row in rows:
            kept = next(iter(posted.get(row.pid, ())), None)
            standing = stand[row.pid]
            access = standing.document()
            if not knows_access(self._caller, standing):
                access = _discreet(access, kept)
            record = tables.read(Dataset, row.json)
            found.append(_standing(record, access, kept, row.updated, row.registered))
        return found

    def _with_history(self, found: Sequence[Standing]) -> list[Standing]:
        """Add what each was derived from and made by, as far as the caller may know."""
        versions = {str(each.record.pid.at(each.record.version)): each for each in found}
        edges = self._edges(versions, ("was_derived_from", "was_generated_by"))
        named = {pid for each in found for pid in _posted_inputs(each)}
        named |= {end.partition("@")[0] for _, predicate, end in edges if predicate[4] == "d"}
        hidden = self._hidden(named)
        activities = self._activities({end for _, predicate, end in edges if predicate[4] == "g"})
        complete = []
        for version, standing in versions.items():
            mine = [(predicate, end) for subject, predicate, end in edges if subject == version]
            # Files of a run are no datasets: they stand there by their source id.
            inputs = [end for predicate, end in mine if predicate == "was_derived_from"]
            inputs = [end for end in inputs if pid_of(end) is not None]
            made = [activities[end] for _, end in mine if end in activities]
            complete.append(
                replace(
                    standing,
                    inputs=tuple(
                        Pid.parse(end) for end in inputs if end.partition("@")[0] not in hidden
                    ),
                    activity=made[0] if made else None,
                    document=_without(standing, hidden, self._caller),
                )
            )
        return complete

    def _edges(
        self, subjects: Iterable[str], predicates: Sequence[str]
    ) -> list[tuple[str, str, str]]:
        edge, every, found = tables.edge.c, sorted(subjects), []
        for first in range(0, len(every), _BATCH):
            wanted = select(edge.subject, edge.predicate, edge.object).where(
                edge.subject.in_(every[first : first + _BATCH]), edge.predicate.in_(predicates)
            )
            found += [(row.subject, row.predicate, row.object) for row in self._ordered(wanted)]
        return found

    def _ordered(self, wanted: Select[Any]) -> Sequence[Any]:
        return self.connection.execute(wanted.order_by(tables.edge.c.id)).all()

    def _hidden(self, pids: set[str]) -> set[str]:
        """Give those that are here and that the caller may not see."""
        see, every, hidden = dataset_visible(self._caller, self._now), sorted(pids), set[str]()
        for first in range(0, len(every), _BATCH):
            some = select(_row.pid).where(_row.pid.in_(every[first : first + _BATCH]), _row.newest)
            there = set(self.connection.scalars(some))
            hidden |= there - set(self.connection.scalars(some.where(see)))
        return hidden

    def _activities(self, ends: set[str]) -> Mapping[str, Activity]:
        ids = sorted(end.removeprefix("activity:") for end in ends)
        row, document = tables.activity.c, tables.activity_document.c
        wanted = (
            select(row.id, document.json)
            .join(tables.activity_document, document.activity == row.id)
            .where(row.id.in_(ids), activity_visible(self._caller, self._now))
        )
        found = self.connection.execute(wanted) if ids else ()
        return {f"activity:{each.id}": tables.read(Activity, each.json) for each in found}


def known_pid(text: str) -> str:
    """Give a PID as the tables have it; what is none is a dataset that is not there.

    Raises
    ------
    DatasetNotFoundError
        The text is no PID.
    """
    try:
        return str(Pid.parse(text).latest())
    except InvalidPidError as error:
        raise DatasetNotFoundError(
            f"Dataset #{text} not found", next_step="`hsc search` lists the known ones"
        ) from error


def _newest_first(wanted: Select[Any]) -> Select[Any]:
    return wanted.order_by(_row.created.desc(), _row.pid.desc())


def _standing(
    record: Dataset, access: Access, kept: Kept | None, updated: int, created: int
) -> Standing:
    registered = tables.moment(created)
    if kept is None:
        changed = tables.moment(max(updated, created))
        return Standing(record, access, created=registered, updated=changed)
    return Standing(
        record,
        access,
        created=kept.created,
        updated=kept.updated,
        document=kept.document["posted"],
        registered_by=kept.created_by,
        updated_by=kept.updated_by,
        size=kept.document["size"],
        files=kept.document["files"],
    )


def _discreet(access: Access, kept: Kept | None) -> Access:
    """Give of an access what everybody may know who sees the dataset."""
    groups = groups_of(kept.document["posted"]) if kept else ()
    return access.model_copy(update={"owner": None, "groups": groups, "flagged": None})


def _posted_inputs(standing: Standing) -> list[str]:
    named = (standing.document or {}).get("inputDatasets") or []
    related = (standing.document or {}).get("relationships") or []
    targets = [each.get("pid") or each.get("identifier") for each in related]
    return [str(each) for each in [*named, *targets] if each]


def _without(standing: Standing, hidden: set[str], caller: Caller) -> Mapping[str, Any] | None:
    """Leave what the caller may not see out of what somebody else posted."""
    document = standing.document
    mine = caller.subject is not None and caller.subject == standing.registered_by
    if document is None or mine or not hidden & set(_posted_inputs(standing)):
        return document
    shown = dict(document)
    if document.get("inputDatasets"):
        shown["inputDatasets"] = [pid for pid in document["inputDatasets"] if pid not in hidden]
    if document.get("relationships"):
        shown["relationships"] = [
            each
            for each in document["relationships"]
            if (each.get("pid") or each.get("identifier")) not in hidden
        ]
    return shown


def _narrowed(where: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Give conditions on columns that hold for all that is meant, and for little else."""
    conditions: list[ColumnElement[bool]] = []
    for key, value in where.items():
        name, values = OLD_NAMES.get(key, key), _named(value)
        if key == "$and" and isinstance(value, list):
            for each in value:
                conditions += _narrowed(each)
        elif values is None:
            continue
        elif name == "pid":
            conditions.append(_row.pid.in_(values))
        elif name in _COLUMNS:
            # Of what was posted the column has only the first.
            conditions.append(or_(_COLUMNS[name].in_(values), _posted.id.is_not(None)))
        elif name == "type" and set(values) <= set(Kind):
            conditions.append(_row.kind.in_(values))
    return conditions


def _named(value: Any) -> list[str] | None:
    """Give the texts of which one is asked for; None: something else is."""
    if isinstance(value, Mapping):
        one = set(value) <= {"$eq", "$in"} and len(value) == 1
        return _named(next(iter(value.values()))) if one else None
    values = value if isinstance(value, list) else [value]
    return values if all(isinstance(each, str) for each in values) else None


def _is_answered_by_index(asked: Asked) -> bool:
    pids = set(asked.where) <= {"pid"} and _named(asked.where.get("pid", "")) is not None
    newest = asked.sort in ((), (("createdAt", True),))
    return pids and newest and not asked.scientific


def _has_conditions(asked: Asked) -> bool:
    return bool(asked.scientific or set(asked.where) - {"pid"})
