"""Finding datasets for SciCat's clients: visible ones, filtered, in order, worded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from hsc.errors import DatasetNotFoundError, InvalidPidError, InvalidQueryError
from hsc.model import Activity, Dataset, Pid
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
from hsc_catalog.faces.scicat.documents import FACE, of_datasets
from hsc_catalog.faces.scicat.facets import counted
from hsc_catalog.faces.scicat.narrowing import (
    count_native,
    in_columns,
    named,
    narrowed,
    ordered_by_columns,
    ordered_by_time,
)
from hsc_catalog.faces.scicat.standing import discreet, posted_inputs, standing_with, without
from hsc_catalog.faces.scicat.wording import Standing, worded

MOST_LOOKED_AT = 10_000
"""Datasets that one request looks at, where no column answers what it asks."""

_row = tables.dataset.c
_posted = tables.foreign_document.c
_BATCH = 500  # ids in one statement


@dataclass(frozen=True)
class Found:
    """What a request found."""

    total: int
    """How many datasets meet its conditions."""
    page: tuple[Standing, ...]
    """Those asked for, in order, with their history."""


class Finding:
    """Finds datasets for one caller, in one transaction; looks at so many of them at most."""

    def __init__(
        self, connection: Connection, caller: Caller, now: datetime, most: int = MOST_LOOKED_AT
    ) -> None:
        self.connection = connection
        self._caller = caller
        self._now = now
        self._most = most

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
            It leaves more to be looked at than one request may.
        """
        wanted = self._wanted(asked)
        page = None if _has_conditions(asked) else self._page(wanted, asked)
        total = 0
        if page is not None:
            total = self._count(wanted)
        else:
            pairs = self._looked_at(wanted, asked)
            total = len(pairs)
            ordered = asked.ordered([record for _, record in pairs])
            by_pid = {record["pid"]: standing for standing, record in pairs}
            cut = ordered[asked.skip : asked.skip + asked.limit]
            page = [by_pid[record["pid"]] for record in cut]
        return Found(total, tuple(self._with_history(page)))

    def _page(self, wanted: Select[Any], asked: Asked) -> list[Standing] | None:
        """Give a page of all there are, as the database orders them; None: it can't."""
        if (ordered := ordered_by_columns(wanted, asked.sort)) is not None:
            return self._standings(ordered.limit(asked.limit).offset(asked.skip))
        if [name for name, _ in asked.sort] != ["creationTime"]:
            return None
        down = asked.sort[0][1]
        pids = ordered_by_time(self.connection, wanted, down, asked.skip, asked.limit)
        found = {str(each.record.pid.latest()): each for each in self._some(pids)}
        return [found[pid] for pid in pids]

    def _some(self, pids: Sequence[str]) -> list[Standing]:
        some = (pids[first : first + _BATCH] for first in range(0, len(pids), _BATCH))
        return [
            each
            for part in some
            for each in self._standings(self._rows().where(_row.pid.in_(part)))
        ]

    def every(self, asked: Asked) -> list[dict[str, Any]]:
        """Give all datasets that are meant, worded without their history.

        Raises
        ------
        InvalidQueryError
            That is more than one request may look at.
        """
        return [record for _, record in self._looked_at(self._wanted(asked), asked)]

    def counts(self, asked: Asked, names: Sequence[str]) -> tuple[dict[str, Counter[Any]], int]:
        """Count all datasets that are meant by the values of fields; give their number, too.

        Raises
        ------
        InvalidQueryError
            Columns do not answer it, and more are left than one request may look at.
        """
        wanted = self._wanted(asked)
        if _has_conditions(asked) or not all(map(in_columns, names)):
            records = [record for _, record in self._looked_at(wanted, asked)]
            return {name: counted(records, name) for name in names}, len(records)
        counts = count_native(self.connection, wanted, names)
        if names:
            posted = self._looked_at(wanted.where(_posted.id.is_not(None)), asked)
            for name, some in counts.items():
                some.update(counted([record for _, record in posted], name))
        return counts, self._count(wanted)

    def count(self, asked: Asked) -> int:
        """Count the datasets that are meant.

        Raises
        ------
        InvalidQueryError
            Conditions leave more than one request may look at.
        """
        wanted = self._wanted(asked)
        if _has_conditions(asked):
            return len(self._looked_at(wanted, asked))
        return self._count(wanted)

    def _count(self, wanted: Select[Any]) -> int:
        return self.connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0

    def _looked_at(
        self, wanted: Select[Any], asked: Asked
    ) -> list[tuple[Standing, dict[str, Any]]]:
        """Look at each one, the newest first; at all of them or, where they are many, at none."""
        if (total := self._count(wanted)) > self._most:
            raise InvalidQueryError(
                f"this leaves {total} datasets to look at, over {self._most}",
                next_step="name PIDs, a proposal, a sample or words to search for as well",
            )
        meets = asked.predicate()
        looked_at = self._standings(_newest_first(wanted))
        # What is hidden decides nothing: else it could be asked for until it is found.
        hidden = self._hidden({pid for each in looked_at for pid in posted_inputs(each)})
        told = (
            replace(each, document=without(each, hidden, self._caller)) if hidden else each
            for each in looked_at
        )
        return [(each, record) for each in told if meets(record := worded(each))]

    def _wanted(self, asked: Asked) -> Select[Any]:
        conditions = narrowed(asked.where)
        if words := tables.words(asked.text):
            conditions.append(_row.id.in_(tables.having_words(self.connection, words)))
        return self._rows().where(*conditions)

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
                access = discreet(access, kept)
            record = tables.read(Dataset, row.json)
            found.append(standing_with(record, access, kept, row.updated, row.registered))
        return found

    def _with_history(self, found: Sequence[Standing]) -> list[Standing]:
        """Add what each was derived from and made by, as far as the caller may know."""
        versions = {str(each.record.pid.at(each.record.version)): each for each in found}
        edges = self._edges(versions, ("was_derived_from", "was_generated_by"))
        named = {pid for each in found for pid in posted_inputs(each)}
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
                    document=without(standing, hidden, self._caller),
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


def _has_conditions(asked: Asked) -> bool:
    """Tell whether it asks more than the statement does already."""
    by_pid = set(asked.where) <= {"pid"} and named(asked.where.get("pid", "")) is not None
    return bool(asked.scientific) or not by_pid
