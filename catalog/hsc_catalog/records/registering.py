"""Taking datasets in, many at once: rows, documents, activities and provenance edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import is_
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, update

from hsc.errors import ConflictError
from hsc.model import Dataset, Edge, now
from hsc_catalog import tables
from hsc_catalog.access import Admission, Admitted, Sight
from hsc_catalog.auditing import Change
from hsc_catalog.records.activities import put_activities
from hsc_catalog.records.granting import tell_restood
from hsc_catalog.records.posted import Posted
from hsc_catalog.searching import index_datasets
from hsc_catalog.wording import Agents, standing_text, texts_now

_BATCH = 500  # values in one statement

_row = tables.dataset.c
_ROOTS = tables.Prepared(
    select(_row.pid, _row.version, _row.root).where(_row.pid.in_(bindparam("pids", expanding=True)))
)


def register_items(connection: Connection, sight: Sight, items: Sequence[Posted]) -> list[Change]:
    """Keep datasets with their activities and edges, with few statements however many they are.

    A version that is there with the same root stays as it is; its activity and edges are kept all
    the same, for they state what happened. Who may see them follows from what they are and from
    what they were made of, and what was made of them is tightened.

    Parameters
    ----------
    connection
        The transaction.
    sight
        Who tells it.
    items
        What comes in, in this order.

    Returns
    -------
    What changed.

    Raises
    ------
    ConflictError
        A version is there with another root, or something else's id was used.
    ForbiddenError
        The caller may not create one of them.
    """
    door = Admission(connection, sight.caller, sight.now)
    door.expect([(item.dataset, item.activity, item.edges) for item in items])
    admitted = [door.admit(item.dataset, item.activity, item.edges, item.groups) for item in items]
    items = [
        item if _same(item.edges, each.edges) else replace(item, edges=each.edges)
        for item, each in zip(items, admitted, strict=True)
    ]
    stand = {each.standing.pid: each for each in admitted}
    agents = Agents(connection, writing=True)
    new = (each for each in admitted if each.before is None)
    stood = [
        Change("stand", "access", each.standing.pid, None, standing_text(each.standing, agents))
        for each in new
    ]
    changes = _keep(connection, sight, items, stand)
    return [*changes, *stood, *tell_restood(connection, door.settle())]


def _same(some: Sequence[Edge], others: Sequence[Edge]) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))


def _keep(
    connection: Connection,
    sight: Sight,
    items: Sequence[Posted],
    stand: Mapping[str, Admitted],
) -> list[Change]:
    roots = _roots(connection, {str(item.dataset.pid.latest()) for item in items})
    last = {pid: max(versions) for pid, versions in roots.items()}
    new = _new(items, roots)
    newest = {pid: max(versions) for pid, versions in roots.items()}
    _insert(connection, new, last, newest, stand)
    changes = [Change("register", "dataset", item.name, None, item.document) for item in new]
    told = put_activities(
        connection,
        [item.activity for item in items],
        sight.caller,
        {item.activity.id: stand[str(item.dataset.pid.latest())].standing for item in items},
    )
    return [*changes, *told, *_put_edges(connection, items, {id(item) for item in new})]


def _roots(connection: Connection, pids: set[str]) -> dict[str, dict[int, str]]:
    """Give the root of each version of datasets."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for pid, version, root in _ROOTS.among(connection, "pids", pids):
        found[pid][version] = root
    return dict(found)


def _new(items: Iterable[Posted], roots: dict[str, dict[int, str]]) -> list[Posted]:
    """Give those whose version is not there, and add their roots."""
    new = []
    for item in items:
        versions = roots.setdefault(str(item.dataset.pid.latest()), {})
        root = versions.get(item.dataset.version)
        if root is None:
            versions[item.dataset.version] = item.dataset.root
            new.append(item)
        elif root != item.dataset.root:
            raise ConflictError(
                f"the catalog has root {root}, this one has {item.dataset.root}",
                where=item.name,
                next_step="a version never changes: register other content as the next version",
            )
    return new


def _insert(
    connection: Connection,
    new: Sequence[Posted],
    last: Mapping[str, int],
    newest: Mapping[str, int],
    stand: Mapping[str, Admitted],
) -> None:
    if not new:
        return
    outdated = [pid for pid, version in last.items() if newest[pid] > version]
    for some in _batches(outdated):
        older = and_(_row.pid.in_(some), _row.newest)
        connection.execute(update(tables.dataset).where(older).values(newest=False))
    at = tables.microseconds(now())
    rows = [_values(item.dataset, newest, at, stand) for item in new]
    ids = tables.insert_numbered(connection, tables.dataset, rows)
    documents = [
        {"dataset": row, "json": item.document} for row, item in zip(ids, new, strict=True)
    ]
    tables.insert_rows(connection, tables.dataset_document, documents)
    index_datasets(connection, [(row, each.dataset) for row, each in zip(ids, new, strict=True)])


def _values(
    dataset: Dataset, newest: Mapping[str, int], at: int, stand: Mapping[str, Admitted]
) -> dict[str, Any]:
    pid = str(dataset.pid.latest())
    admitted = stand[pid]
    return {
        "pid": pid,
        "version": dataset.version,
        "newest": dataset.version == newest[pid],
        "title": dataset.title,
        "facility": dataset.facility,
        "instrument": dataset.instrument,
        "proposal": dataset.proposal,
        "sample": dataset.sample,
        "technique": dataset.technique,
        "kind": dataset.kind.value,
        "created": tables.microseconds(dataset.created),
        "registered": at,
        "updated": at,
        "root": dataset.root,
        "source_id": dataset.source_id,
        "access": admitted.access,
        "owner": admitted.standing.owner,
        "flagged": admitted.standing.flagged,
    }


def _put_edges(
    connection: Connection, items: Sequence[Posted], fresh: set[int]
) -> Iterator[Change]:
    """Keep edges, each once; what is stated of something is noted whole where any of it is new."""
    every = [(id(item) in fresh, _edge_rows(item)) for item in items]
    new = [row for is_new, rows in every if is_new for row in rows]
    tables.insert_new(connection, tables.edge, new)
    for is_new, rows in every:
        if not is_new and rows and tables.insert_new(connection, tables.edge, rows):
            new += rows
    for key, text in texts_now(connection, "edges", (row["subject"] for row in new)).items():
        yield Change("state", "edges", key, None, text)


def _edge_rows(item: Posted) -> list[dict[str, str]]:
    return [
        {
            "subject": edge.subject,
            "predicate": edge.predicate,
            "object": edge.object,
            "role": edge.role or "",
        }
        for edge in item.edges
    ]


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    every = sorted(set(values))
    for first in range(0, len(every), _BATCH):
        yield every[first : first + _BATCH]
