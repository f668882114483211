"""Comparing the small rows that searches filter by with the documents that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, exists, func, or_, select

from hsc.model import NOUNS, Activity, Dataset, Replica
from hsc_catalog import tables
from hsc_catalog.access import instrument_name, read_sets
from hsc_catalog.checking.checked import Checked
from hsc_catalog.wording import FOREIGN_KINDS

_BATCH = 500  # rows at once
_SHOWN = ("version", "title", "facility", "instrument", "proposal", "sample", "technique", "root")


def check_datasets(connection: Connection, found: Checked) -> Iterator[str]:
    """Say which documents of datasets can't be read, and which rows are not as they say."""
    row, document = tables.dataset, tables.dataset_document
    wanted = select(row, document.c.json).join(document).order_by(row.c.id)
    for each in connection.execute(wanted, execution_options={"yield_per": _BATCH}):
        found.datasets += 1
        name = f"dataset {each.pid}@{each.version}"
        try:
            dataset = tables.read(Dataset, each.json)
        except (ValidationError, ValueError) as error:
            yield f"{name} can't be read: {str(error).splitlines()[0]}"
            continue
        told = {key: getattr(dataset, key) for key in _SHOWN}
        told = {
            key: tables.kept_word(connection, value) if isinstance(value, str) else value
            for key, value in told.items()
        }
        told |= {"pid": str(dataset.pid.latest()), "kind": dataset.kind.value}
        told |= {"created": tables.microseconds(dataset.created), "source_id": dataset.source_id}
        wrong = sorted(key for key, value in told.items() if getattr(each, key) != value)
        if wrong:
            yield f"{name} is listed by another {', '.join(wrong)} than its record has"
    yield from _bare(connection, row, document, document.c.dataset)


def check_activities(connection: Connection, found: Checked) -> Iterator[str]:
    """Say which documents of activities can't be read, and which rows are not as they say."""
    row, document = tables.activity, tables.activity_document
    wanted = select(row, document.c.json).join(document).order_by(row.c.id)
    rows = connection.execute(wanted, execution_options={"yield_per": _BATCH})
    for some in rows.partitions():
        read = []
        for each in some:
            found.activities += 1
            try:
                activity = tables.read(Activity, each.json)
            except (ValidationError, ValueError) as error:
                yield f"activity {each.id} can't be read: {str(error).splitlines()[0]}"
                continue
            read.append((each, activity))
            state, began = activity.state.value, tables.microseconds(activity.started)
            told = (activity.id, activity.type, state, began)
            if told != (each.id, each.type, each.state, each.started):
                yield f"activity {each.id} is listed by other facts than its record has"
        yield from _recorded_by_others(connection, [each for each, _ in read])
        yield from _elsewhere(connection, [each for each, _ in read if each.instrument])
    yield from _bare(connection, row, document, document.c.activity)


def _recorded_by_others(connection: Connection, rows: list[Any]) -> Iterator[str]:
    """Say whose activities stand under another account than the log has for their first change."""
    log, person = tables.audit.c, tables.person.c
    ids = [each.id for each in rows]
    first = (
        select(log.key, func.min(log.number).label("number"))
        .where(log.kind == "activity", log.key.in_(ids))
        .group_by(log.key)
        .subquery()
    )
    wanted = (
        select(log.key, log.actor, log.action, person.subject)
        .join(first, first.c.number == log.number)
        .outerjoin(tables.person, person.id == log.actor)
    )
    known = {each.key: each for each in connection.execute(wanted)}
    for each in rows:
        noted = known.get(each.id)
        if noted is None:
            continue  # that it is not in the log is told elsewhere
        who = noted.subject or ""
        may = {noted.actor, noted.subject}  # the pseudonym, once the account is erased
        if who.startswith("operator:") or noted.action == "upgrade":
            may = {noted.actor, None}
        if each.recorder not in may:
            yield f"activity {each.id} has another recorder than the audit log"


def _elsewhere(connection: Connection, rows: list[Any]) -> Iterator[str]:
    """Say which activities are shown to an instrument's staff though nothing came from there."""
    edge, row = tables.edge.c, tables.dataset.c
    ends = [f"activity:{each.id}" for each in rows]
    wanted = select(edge.object, edge.subject).where(
        edge.predicate == "was_generated_by", edge.object.in_(ends)
    )
    made = [(end, subject.partition("@")[0]) for end, subject in connection.execute(wanted).all()]
    places: dict[str, set[str]] = {}
    pids = sorted({pid for _, pid in made})
    for first in range(0, len(pids), _BATCH):
        some = row.pid.in_(pids[first : first + _BATCH])
        told = connection.execute(select(row.pid, row.facility, row.instrument).where(some))
        for pid, facility, instrument in told:
            places.setdefault(pid, set()).add(instrument_name(facility, instrument or ""))
    there: dict[str, set[str]] = {}
    for end, pid in made:
        if pid in places:
            there.setdefault(end, set()).update(places[pid])
    for each in rows:
        known = there.get(f"activity:{each.id}")
        if known is not None and each.instrument not in known:
            yield f"activity {each.id} has another instrument than what it made"


def _bare(connection: Connection, row: Any, document: Any, key: Any) -> Iterator[str]:
    alone = select(row.c.id).where(~exists().where(key == row.c.id))
    for id in connection.scalars(alone):
        yield f"{row.name} {id} has no document"


def check_access(connection: Connection) -> Iterator[str]:
    """Say which datasets stand twice or not at all, and which access sets were changed."""
    row = tables.dataset.c
    for pid in connection.scalars(select(row.pid).where(row.access.is_(None))):
        yield f"dataset {pid} has no access set"
    newest = func.sum(func.cast(row.newest, row.id.type))
    last = func.max(row.version)
    shown = func.max(row.version).filter(row.newest)
    several = func.count(func.distinct(row.access))
    grouped = select(row.pid, newest, last, shown, several).group_by(row.pid)
    for pid, count, version, told, sets in connection.execute(
        grouped, execution_options={"yield_per": _BATCH}
    ):
        if count != 1:
            yield f"dataset {pid} has {count} newest versions"
        elif told != version:
            yield f"dataset {pid} has version {told} for the newest, and there is {version}"
        if sets > 1:
            yield f"dataset {pid} has {sets} access sets in its versions"
    access = tables.access_set.c
    kept = select(access.id, access.digest).order_by(access.id)
    for some in connection.execute(kept, execution_options={"yield_per": _BATCH}).partitions():
        sets_now = read_sets(connection, [each.id for each in some])
        for each in some:
            if sets_now[each.id].digest() != each.digest:
                yield f"access_set {each.id} is not what its digest says"


def check_strays(connection: Connection) -> Iterator[str]:
    """Say which rows nothing reads: of kinds that there are none of, beyond what they belong to."""
    noun, posted = tables.noun.c, tables.foreign_document.c
    for kind, key in connection.execute(
        select(noun.kind, noun.key).where(noun.kind.not_in([str(kind) for kind in NOUNS]))
    ):
        yield f"noun {kind} {key} is of no kind that there is"
    faces = posted.face != "scicat", posted.kind.not_in(FOREIGN_KINDS)
    for face, kind, key in connection.execute(
        select(posted.face, posted.kind, posted.key).where(or_(*faces))
    ):
        yield f"foreign_document {face} {kind} {key} is of no kind that there is"
    access, name = tables.access_set.c, tables.access_key.c
    beyond = select(name.access, name.name).join(tables.access_set, access.id == name.access)
    for key, word in connection.execute(beyond.where(name.clause >= access.clauses)):
        yield f"access_key {key} {word} is in no clause of its access set"
    copy = tables.replica.c
    for each in connection.execute(select(copy.id, copy.location, copy.json)):
        if tables.read(Replica, each.json).location != each.location:
            yield f"replica {each.id} is listed by another location than its record has"


def check_withdrawn(connection: Connection) -> Iterator[str]:
    """Say which datasets are hidden as withdrawn, which this release does to none."""
    row = tables.dataset.c
    hidden = select(row.pid, row.version).where(row.withdrawn.is_not(None))
    for pid, version in connection.execute(hidden):
        yield f"dataset {pid}@{version} is withdrawn, and the audit log has no word of it"
