"""Taking SciCat datasets in: new ones, with who may see them and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from ulid import ULID

from hsc.errors import ConflictError, ForbiddenError, InvalidPidError, InvalidRecordError
from hsc.model import Activity, ActivityState, Agent, Dataset, Edge, Origin, Pid
from hsc.provenance import environment
from hsc_catalog import tables
from hsc_catalog.access import Caller, Sight
from hsc_catalog.auditing import note
from hsc_catalog.faces.scicat.documents import keep
from hsc_catalog.faces.scicat.taking import dataset_from, groups_of, kept_document
from hsc_catalog.faces.scicat.validating import faults
from hsc_catalog.records import Posted, register_items


@dataclass(frozen=True)
class Site:
    """Which facility a SciCat face stands for."""

    facility: str
    """Short id of the facility that datasets are registered for."""
    pid_prefix: str
    """Prefix of the PIDs that are made."""
    url: str
    """Address of the face, without ``/v3`` or ``/v4``: what records name as their origin."""


def register(
    connection: Connection, caller: Caller, posted: Mapping[str, Any], site: Site, at: datetime
) -> Pid:
    """Keep a posted dataset, what it was made from, and what was posted; all or nothing.

    Raises
    ------
    InvalidRecordError
        Fields of it can't be as they are.
    ForbiddenError
        The caller is not in the group that it shall belong to, and no ingestor.
    ConflictError
        Its PID is taken.
    """
    document = checked(kept_document(posted))
    check_owner(caller, document)
    pid = _pid(posted.get("pid"), site)
    origin = Origin(catalog=site.url, pid=str(pid), folder=document["sourceFolder"])
    record = dataset_from(document, pid=pid, facility=site.facility, origin=origin, created=at)
    activity = _activity(connection, document, record, caller, at)
    edges = _edges(record, activity)
    if _is_taken(connection, pid):
        raise ConflictError(
            f"{pid} can't be registered: it is taken or reserved",
            next_step="leave pid out: one is made then",
        )
    item = Posted(record, activity, edges, groups=groups_of(document))
    changes = register_items(connection, Sight(caller, at), [item])
    kept = {"posted": document, "size": 0, "files": 0}
    who = caller.subject or "operator"
    changes.append(keep(connection, "dataset", str(pid), kept, by=who, at=at, pid=str(pid)))
    note(connection, caller.actor, changes)
    return pid


def _is_taken(connection: Connection, pid: Pid) -> bool:
    there = select(tables.dataset.c.id).where(tables.dataset.c.pid == str(pid)).limit(1)
    return connection.scalar(there) is not None


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """Give a posted dataset when it can be kept as it is.

    Raises
    ------
    InvalidRecordError
        It can't.
    """
    if found := faults(document):
        raise InvalidRecordError("; ".join(found[:5]), faults=[("", each) for each in found])
    return document


def check_owner(caller: Caller, document: Mapping[str, Any]) -> None:
    """Pass where a caller may post what shall belong to a group.

    Raises
    ------
    ForbiddenError
        They are not in it, and no ingestor.
    """
    group = str(document.get("ownerGroup"))
    trusted = caller.sees_everything or "ingestor" in caller.roles
    if not trusted and group not in caller.keys():  # noqa: SIM118 - a method, not a mapping's
        raise ForbiddenError(
            f"{caller.subject or 'nobody in particular'} is not in the group {group!r}",
            next_step="name a group of yours as ownerGroup",
        )


def _pid(posted: Any, site: Site) -> Pid:
    if posted is None:
        return Pid.generate(site.pid_prefix)
    text = str(posted)
    try:
        return Pid.parse(text if "/" in text else f"{site.pid_prefix}/{text}").latest()
    except InvalidPidError as error:
        raise InvalidRecordError(
            error.message, next_step=error.next_step, faults=[("pid", error.message)]
        ) from error


def _activity(
    connection: Connection,
    document: Mapping[str, Any],
    record: Dataset,
    caller: Caller,
    at: datetime,
) -> Activity:
    programs = [str(each) for each in document.get("usedSoftware") or () if each]
    agents = [Agent(kind="software", id=name) for name in programs]
    if caller.subject is not None:
        agents.append(Agent(kind="person", id=caller.subject))
    return Activity(
        id=str(ULID()),
        type="register",
        state=ActivityState.DONE,
        started=at,
        ended=at,
        parameters=dict(document.get("jobParameters") or {}),
        environment=environment(),
        agents=tuple(dict.fromkeys(agents)),
        used=tuple(_inputs(connection, document)),
        generated=(record.pid,),
    )


def _inputs(connection: Connection, document: Mapping[str, Any]) -> list[str]:
    """Give the inputs, each in the newest version where it is here."""
    named = []
    for text in document.get("inputDatasets") or ():
        try:
            named.append(Pid.parse(text).latest())
        except InvalidPidError:
            continue  # it stays in the document; what is no PID is no end of an edge
    row = tables.dataset.c
    pids = [str(pid) for pid in named]
    newest = select(row.pid, row.version).where(row.pid.in_(pids[:1000]), row.newest)
    versions = {row.pid: row.version for row in connection.execute(newest)}
    return [str(pid.at(versions.get(str(pid), 1))) for pid in dict.fromkeys(named)]


def _edges(record: Dataset, activity: Activity) -> list[Edge]:
    made, did = str(record.pid.at(record.version)), f"activity:{activity.id}"
    edges = [Edge(subject=made, predicate="was_generated_by", object=did)]
    for used in activity.used:
        edges.append(Edge(subject=did, predicate="used", object=used))
        edges.append(Edge(subject=made, predicate="was_derived_from", object=used))
    return edges + [
        Edge(subject=did, predicate="was_associated_with", object=f"agent:{agent.id}")
        for agent in activity.agents
    ]
