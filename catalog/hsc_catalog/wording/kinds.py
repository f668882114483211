"""The kinds of things: which rows each has, and the text of them that the audit log digests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from hsc.model import NOUNS, canonical_json
from hsc_catalog import tables
from hsc_catalog.access import read_sets, standings
from hsc_catalog.wording.access import set_text, standing_text
from hsc_catalog.wording.agents import Agents

Worded = Callable[[Connection, Agents, Sequence[str] | None], Iterator[tuple[str, str]]]
"""Gives key and text of things, those of one key one after another; of all, or by their keys."""

_AT_ONCE = 500

_edge = tables.edge.c
_EVERY_EDGE = select(_edge.subject, _edge.predicate, _edge.object, _edge.role).order_by(
    _edge.subject
)
_EDGES = tables.Prepared(_EVERY_EDGE.where(_edge.subject.in_(bindparam("keys", expanding=True))))


def texts_now(connection: Connection, kind: str, keys: Iterable[str]) -> dict[str, str]:
    """Word things of a kind as they stand, by their keys; those that are not there are left out."""
    wanted, agents = sorted(set(keys)), Agents(connection, writing=True)
    found: dict[str, str] = {}
    for first in range(0, len(wanted), _AT_ONCE):
        found.update(WORDED[kind](connection, agents, wanted[first : first + _AT_ONCE]))
    return found


def text_now(connection: Connection, kind: str, key: str) -> str | None:
    """Word a thing as it stands; None: it is not there."""
    return texts_now(connection, kind, [key]).get(key)


def annotation_text(kind: str, at: int, by: str, json: str) -> str:
    """Word what somebody said of a dataset."""
    return _text([kind, at, by, json])


def _text(value: Any) -> str:
    return canonical_json(value).decode("utf-8", "surrogatepass")


def _rows(connection: Connection, wanted: Select[Any]) -> Iterator[Any]:
    yield from connection.execute(wanted, execution_options={"yield_per": _AT_ONCE})


def _some(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while some := list(islice(rows, _AT_ONCE)):
        yield some


def _among(
    wanted: Select[Any], column: ColumnElement[Any], keys: Sequence[str] | None
) -> Select[Any]:
    return wanted if keys is None else wanted.where(column.in_(keys))


def _versions(wanted: Select[Any], keys: Sequence[str] | None) -> Select[Any]:
    row = tables.dataset.c
    if keys is None:
        return wanted.order_by(row.pid, row.version)
    # Other versions come along: SQLite has no index for lists of pairs.
    pids = {key.rpartition("@")[0] for key in keys}
    return wanted.where(row.pid.in_(sorted(pids))).order_by(row.pid, row.version)


def _datasets(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row, document = tables.dataset.c, tables.dataset_document
    wanted = select(row.pid, row.version, document.c.json).join(document)
    for pid, version, text in _rows(connection, _versions(wanted, keys)):
        if keys is None or f"{pid}@{version}" in keys:
            yield f"{pid}@{version}", text


def _activities(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.activity_document.c
    wanted = select(row.activity, row.json).order_by(row.activity)
    yield from map(tuple, _rows(connection, _among(wanted, row.activity, keys)))


def _replicas(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row, copy = tables.dataset.c, tables.replica
    wanted = select(row.pid, row.version, copy.c.json).join(copy)
    for pid, version, text in _rows(connection, _versions(wanted, keys)):
        if keys is None or f"{pid}@{version}" in keys:
            yield f"{pid}@{version}", text


def _edges(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    if keys is not None:
        found = iter(sorted(_EDGES.among(connection, "keys", keys)))
    else:
        found = _rows(connection, _EVERY_EDGE)
    for subject, mine in groupby(found, key=lambda each: each[0]):
        yield subject, _text(sorted(list(each)[1:] for each in mine))


def _annotations(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.annotation.c
    wanted = select(tables.annotation).order_by(row.pid, row.version, row.id)
    if keys is not None:
        wanted = wanted.where(row.pid.in_({key.partition("@")[0] for key in keys}))
    for each in _rows(connection, wanted):
        key = each.pid if each.version is None else f"{each.pid}@{each.version}"
        if keys is None or key in keys:
            yield key, annotation_text(each.kind, each.at, each.by, each.json)


def _access(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.dataset.c
    wanted = select(row.pid).where(row.newest).order_by(row.pid)
    for some in _some(_rows(connection, _among(wanted, row.pid, keys))):
        stand = standings(connection, [pid for (pid,) in some])
        for pid in sorted(stand):
            yield pid, standing_text(stand[pid], agents)


def _activity_access(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.activity.c
    wanted = select(row.id, row.access).where(row.access.is_not(None)).order_by(row.id)
    for some in _some(_rows(connection, _among(wanted, row.id, keys))):
        sets = read_sets(connection, (access for _, access in some))
        for id, access in some:
            yield id, set_text(sets.get(access), agents)


def _nouns(
    kind: str, connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.noun.c
    wanted = select(row.key, row.json).where(row.kind == kind).order_by(row.key)
    yield from map(tuple, _rows(connection, _among(wanted, row.key, keys)))


def _noun_access(
    kind: str, connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.noun.c
    wanted = select(row.key, row.access).where(row.kind == kind).order_by(row.key)
    for some in _some(_rows(connection, _among(wanted, row.key, keys))):
        sets = read_sets(connection, (access for _, access in some if access is not None))
        for key, access in some:
            yield key, set_text(sets.get(access), agents)


def _foreign(
    kind: str, connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.foreign_document.c
    wanted = select(tables.foreign_document).where(row.face == "scicat", row.kind == kind)
    for some in _some(_rows(connection, _among(wanted, row.key, keys).order_by(row.key))):
        sets = read_sets(connection, (each.access for each in some if each.access is not None))
        for each in some:
            who = [agents.of(each.created_by), agents.of(each.updated_by)]
            seen = set_text(sets.get(each.access), agents)
            yield each.key, _text([each.pid, each.created, each.updated, *who, seen, each.json])


def _tokens(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.api_token.c
    # When it was last used is noted every hour, and no change.
    wanted = select(
        row.id, row.digest, row.name, row.scopes, row.created, row.expires, row.revoked, row.subject
    ).order_by(row.id)
    for id, *told, subject in _rows(connection, _among(wanted, row.id, keys)):
        yield id, _text([*told, agents.of(subject)])


def _links(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row, opened = tables.reviewer_link.c, tables.reviewer_link_dataset.c
    wanted = select(
        row.id, row.digest, row.note, row.created, row.expires, row.revoked, row.subject
    ).order_by(row.id)
    for some in _some(_rows(connection, _among(wanted, row.id, keys))):
        named = select(opened.link, opened.pid).where(opened.link.in_([each.id for each in some]))
        pids: dict[str, list[str]] = {}
        for link, pid in connection.execute(named.order_by(opened.link, opened.pid)):
            pids.setdefault(link, []).append(pid)
        for id, *told, subject in some:
            yield id, _text([*told, agents.of(subject), pids.get(id, [])])


def _roles(
    connection: Connection, agents: Agents, keys: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    row = tables.granted_role.c
    for subject, role, granted in _rows(
        connection, select(row.subject, row.role, row.granted).order_by(row.subject, row.role)
    ):
        key = f"{role}:{agents.of(subject)}"
        if keys is None or key in keys:
            yield key, _text([role, agents.of(subject), granted])


FOREIGN_KINDS = ("dataset", "origdatablock", "attachment", "sample", "proposal", "instrument")
"""Kinds of documents of SciCat's clients."""

WORDED: Mapping[str, Worded] = {
    "dataset": _datasets,
    "activity": _activities,
    "replica": _replicas,
    "edges": _edges,
    "annotation": _annotations,
    "access": _access,
    "activity access": _activity_access,
    **{str(kind): partial(_nouns, str(kind)) for kind in NOUNS},
    **{f"{kind} access": partial(_noun_access, str(kind)) for kind in NOUNS},
    **{f"scicat {kind}": partial(_foreign, kind) for kind in FOREIGN_KINDS},
    "token": _tokens,
    "link": _links,
    "role": _roles,
}
"""By kind, as the audit log names it."""

SEVERAL = frozenset({"replica", "annotation"})
"""Kinds of which several things may stand under one key."""
