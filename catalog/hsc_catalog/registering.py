"""Taking a dataset in, with its words, its quantities and its provenance edges."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, insert, select, update

from hsc.errors import ConflictError
from hsc.model import Dataset, Edge, Quantity
from hsc_catalog import schema
from hsc_catalog.dialects import insert_new, keep_words
from hsc_catalog.words import words


def put_dataset(connection: Connection, dataset: Dataset) -> None:
    """Keep a dataset; nothing changes when its version is there with the same root.

    Raises
    ------
    ConflictError
        Its version is there with another root.
    """
    pid = str(dataset.pid.latest())
    table = schema.dataset.c
    known = connection.execute(
        select(table.version, table.root).where(table.pid == pid).order_by(table.version)
    ).all()
    roots = {row.version: row.root for row in known}
    root = roots.get(dataset.version)
    if root is None:
        _insert(connection, dataset, pid, newest=dataset.version > max(roots, default=0))
    elif root != dataset.root:
        raise ConflictError(
            f"the catalog has root {root}, this one has {dataset.root}",
            where=f"{pid}@{dataset.version}",
            next_step="a version never changes: register other content as the next version",
        )


def put_edges(connection: Connection, edges: Iterable[Edge]) -> None:
    """Keep provenance edges, each once."""
    rows = [{**edge.document(), "role": edge.role or ""} for edge in edges]
    if rows:
        insert_new(connection, schema.edge, rows)


def _insert(connection: Connection, dataset: Dataset, pid: str, *, newest: bool) -> None:
    if newest:
        older = schema.dataset.c.pid == pid
        connection.execute(update(schema.dataset).where(older).values(newest=False))
    row = connection.scalars(
        insert(schema.dataset).returning(schema.dataset.c.id),
        {
            "pid": pid,
            "version": dataset.version,
            "newest": newest,
            "title": dataset.title,
            "facility": dataset.facility,
            "instrument": dataset.instrument,
            "proposal": dataset.proposal,
            "technique": dataset.technique,
            "kind": dataset.kind.value,
            "created": schema.microseconds(dataset.created),
            "root": dataset.root,
            "source_id": dataset.source_id,
        },
    ).one()
    document = json.dumps(dataset.document(), allow_nan=False)
    connection.execute(schema.dataset_document.insert().values(dataset=row, json=document))
    keep_words(connection, row, _search_words(dataset))
    numbers = [_number(row, name, value) for name, value in dataset.quantities.items()]
    if numbers:
        connection.execute(schema.quantity.insert(), numbers)


def _number(row: int, name: str, quantity: Quantity) -> dict[str, object]:
    value, dimension = schema.comparable(quantity)
    return {"dataset": row, "name": name, "dimension": dimension, "value": value}


def _search_words(dataset: Dataset) -> list[str]:
    parts = (
        dataset.title,
        dataset.sample,
        dataset.proposal,
        dataset.instrument,
        dataset.facility,
        dataset.technique,
        str(dataset.pid.latest()),
        *dataset.keywords,
    )
    return words(" ".join(filter(None, parts)))
