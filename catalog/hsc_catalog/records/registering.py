"""Taking a dataset in, with its words, its quantities and its provenance edges."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select, update

from hsc.errors import ConflictError
from hsc.model import Dataset, Edge, canonical_json, now
from hsc_catalog import tables
from hsc_catalog.auditing import Change
from hsc_catalog.searching import index_datasets


def put_dataset(connection: Connection, dataset: Dataset) -> list[Change]:
    """Keep a dataset; nothing changes when its version is there with the same root.

    Returns
    -------
    What changed.

    Raises
    ------
    ConflictError
        Its version is there with another root.
    """
    pid = str(dataset.pid.latest())
    table = tables.dataset.c
    known = connection.execute(
        select(table.version, table.root).where(table.pid == pid).order_by(table.version)
    ).all()
    roots = {row.version: row.root for row in known}
    root = roots.get(dataset.version)
    if root is None:
        newest = dataset.version > max(roots, default=0)
        document = _insert(connection, dataset, pid, newest=newest)
        return [Change("register", "dataset", f"{pid}@{dataset.version}", None, document)]
    if root != dataset.root:
        raise ConflictError(
            f"the catalog has root {root}, this one has {dataset.root}",
            where=f"{pid}@{dataset.version}",
            next_step="a version never changes: register other content as the next version",
        )
    return []


def put_edges(connection: Connection, edges: Iterable[Edge], activity: str) -> list[Change]:
    """Keep the provenance edges that an activity states, each once; give what changed."""
    rows = [{**edge.document(), "role": edge.role or ""} for edge in edges]
    if not tables.insert_new(connection, tables.edge, rows):
        return []
    return [Change("state", "edges", activity, None, _text(rows))]


def _insert(connection: Connection, dataset: Dataset, pid: str, *, newest: bool) -> str:
    if newest:
        older = tables.dataset.c.pid == pid
        connection.execute(update(tables.dataset).where(older).values(newest=False))
    row = connection.scalars(
        insert(tables.dataset).returning(tables.dataset.c.id),
        {
            "pid": pid,
            "version": dataset.version,
            "newest": newest,
            "title": dataset.title,
            "facility": dataset.facility,
            "instrument": dataset.instrument,
            "proposal": dataset.proposal,
            "sample": dataset.sample,
            "technique": dataset.technique,
            "kind": dataset.kind.value,
            "created": tables.microseconds(dataset.created),
            "root": dataset.root,
            "source_id": dataset.source_id,
            "updated": tables.microseconds(now()),
        },
    ).one()
    document = tables.written(dataset)
    connection.execute(tables.dataset_document.insert().values(dataset=row, json=document))
    index_datasets(connection, [(row, dataset)])
    return document


def _text(rows: list[dict[str, str]]) -> str:
    return canonical_json(rows).decode("utf-8", "surrogatepass")
