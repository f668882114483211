"""Entries: a version of a dataset with all that the catalog knows of it beside its record."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select

from hsc.model import Annotation, Entry, Pid
from hsc_catalog import tables
from hsc_catalog.access import OPERATOR, Sight
from hsc_catalog.auditing import person_of
from hsc_catalog.records.granting import known_access
from hsc_catalog.records.reading import Version, get_version


def get_entry(connection: Connection, sight: Sight, pid: Pid) -> Entry:
    """Give all that the caller may know of a version.

    Raises
    ------
    DatasetNotFoundError
        There is none that the caller may see.
    """
    return _entry(connection, sight, get_version(connection, sight, pid))


def entry_now(connection: Connection, sight: Sight, version: Version) -> Entry:
    """Give all that the caller may know of a version that they just changed.

    They are told how it stands even if they don't see it any more by what they did.
    """
    everything = Sight(OPERATOR, sight.now)
    return _entry(connection, sight, get_version(connection, everything, version.pid))


def _entry(connection: Connection, sight: Sight, version: Version) -> Entry:
    access = known_access(connection, sight, version)
    return Entry(
        record=version.dataset(),
        access=access,
        revision=version.revision,
        created=tables.moment(version.registered),
        updated=tables.moment(version.updated),
        annotations=tuple(_annotations(connection, sight, version.pid, known=access is not None)),
        stale=tuple(_stale(connection, sight, version.pid)),
        replicas=_replicas(connection, version),
    )


def _annotations(
    connection: Connection, sight: Sight, pid: Pid, *, known: bool
) -> list[Annotation]:
    """Give what was said of a version, and of changes of access where they may be known.

    Who said it is told to whom may know who sees the dataset: not to all who see public data.
    """
    row = tables.annotation.c
    meant = row.version == pid.version
    if known:
        meant = or_(meant, row.version.is_(None))
    wanted = select(row.by, row.json).where(row.pid == str(pid.latest()), meant)
    found = connection.execute(wanted.order_by(row.at, row.id))
    # The document has no name in it: that stands in `person`, until it is erased.
    said = [(person_of(connection, who), tables.read(Annotation, text)) for who, text in found]
    mine = sight.caller.subject
    return [
        each.model_copy(update={"by": by if known or (mine is not None and by == mine) else None})
        for by, each in said
    ]


def _stale(connection: Connection, sight: Sight, pid: Pid) -> list[Pid]:
    edge, row = tables.edge.c, tables.dataset.c
    derived = (edge.subject == str(pid), edge.predicate == "was_derived_from")
    ends = connection.scalars(select(edge.object).where(*derived).order_by(edge.id)).all()
    used = [Pid.parse(end) for end in ends if ":" not in end]
    names = [str(each.latest()) for each in used]
    there = select(row.pid, row.version).where(row.pid.in_(names), row.newest, sight.datasets())
    newest = {found.pid: found.version for found in connection.execute(there)}
    return [each for each in used if newest.get(str(each.latest()), 0) > (each.version or 0) > 0]


def _replicas(connection: Connection, version: Version) -> int:
    row, here = tables.replica.c, version.dataset().location.rstrip("/")
    others = (row.dataset == version.row, row.location != here)
    told = connection.scalar(select(func.count()).select_from(tables.replica).where(*others))
    return (told or 0) + bool(here)
