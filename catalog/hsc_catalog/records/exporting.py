"""Exporting a catalog as lines of JSON, each the text that was posted."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select

from hsc_catalog import tables
from hsc_catalog.access import Sight, standings

_BATCH = 500  # rows at once


def export_lines(connection: Connection, sight: Sight) -> Iterator[str]:
    """Give all that the caller may see, a JSON document a line, what others need first.

    Whoever sees everything gets each dataset with its activity and edges and who may see it, then
    the activities that made none, replicas and nouns. Others get the datasets alone: activities and
    edges might name what is hidden from them.
    """
    whole = sight.caller.sees_everything
    told: set[str] = set()
    row, kept = tables.dataset.c, tables.dataset_document
    wanted = select(row.id, row.pid, row.version, kept.c.json).join(kept).where(sight.datasets())
    for batch in _batches(connection, wanted, row.id):
        names = {f"{pid}@{version}": text for _, pid, version, text in batch}
        edges = _edges(connection, names) if whole else {}
        activities = _activities(connection, edges)
        stands = standings(connection, {pid for _, pid, _, _ in batch}) if whole else {}
        for name, text in names.items():
            mine = edges.get(name, [])
            made = next((e["object"] for e in mine if e["predicate"] == "was_generated_by"), "")
            line = _member("dataset", text)
            if made in activities:
                told.add(made)
                line += f", {_member('activity', activities[made])}"
                line += f', "edges": {json.dumps([*mine, *edges.get(made, [])])}'
            if (entry := stands.get(name.partition("@")[0])) is not None:
                line += f', "access": {tables.written(entry.document())}'
            yield f"{{{line}}}"
    if whole:
        yield from _others(connection, told)


def _member(name: str, text: str) -> str:
    # A document of several lines would break the line: its text goes as a text.
    if "\n" in text or "\r" in text:
        return f'"{name}": {json.dumps(json.loads(text))}, "{name}_text": {json.dumps(text)}'
    return f'"{name}": {text}'


def _batches(connection: Connection, wanted: Any, key: Any) -> Iterator[list[Any]]:
    last = None
    while True:
        more = wanted if last is None else wanted.where(key > last)
        rows = connection.execute(more.order_by(key).limit(_BATCH)).all()
        if not rows:
            return
        yield list(rows)
        last = rows[-1][0]


def _edges(connection: Connection, names: Iterable[str]) -> dict[str, list[dict[str, str | None]]]:
    """Give the edges of datasets, and of the activities that made them."""
    found: dict[str, list[dict[str, str | None]]] = defaultdict(list)
    wanted = list(names)
    while wanted:
        made = set()
        columns = tables.edge.c
        told = select(columns.subject, columns.predicate, columns.object, columns.role)
        some = columns.subject.in_(wanted)
        for subject, predicate, target, role in connection.execute(
            told.where(some).order_by(columns.id)
        ):
            edge = {"subject": subject, "predicate": predicate, "object": target}
            found[subject].append({**edge, "role": role or None})
            if predicate == "was_generated_by":
                made.add(target)
        wanted = sorted(made - found.keys())
    return dict(found)


def _activities(
    connection: Connection, edges: dict[str, list[dict[str, str | None]]]
) -> dict[str, str]:
    ends = {str(e["object"]) for mine in edges.values() for e in mine}
    ids = sorted(end.removeprefix("activity:") for end in ends if end.startswith("activity:"))
    kept, found = tables.activity_document.c, {}
    for first in range(0, len(ids), _BATCH):
        some = kept.activity.in_(ids[first : first + _BATCH])
        for id, text in connection.execute(select(kept.activity, kept.json).where(some)):
            found[f"activity:{id}"] = text
    return found


def _others(connection: Connection, told: set[str]) -> Iterator[str]:
    kept = tables.activity_document.c
    for batch in _batches(connection, select(kept.activity, kept.json), kept.activity):
        for id, text in batch:
            if f"activity:{id}" not in told:
                yield f"{{{_member('activity', text)}}}"
    row, copy = tables.dataset.c, tables.replica.c
    wanted = select(copy.id, row.pid, row.version, copy.json).join(tables.dataset)
    for batch in _batches(connection, wanted, copy.id):
        for _, pid, version, text in batch:
            yield f'{{{_member("replica", text)}, "of": "{pid}@{version}"}}'
    noun = tables.noun.c
    for kind, text in connection.execute(select(noun.kind, noun.json).order_by(noun.kind)):
        yield f'{{{_member("noun", text)}, "kind": "{kind}"}}'
