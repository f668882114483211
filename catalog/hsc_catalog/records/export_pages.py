"""Exporting for one caller: every version that they see, with what made it, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from hsc_catalog import tables
from hsc_catalog.access import Sight
from hsc_catalog.records.ends import Ends, rows
from hsc_catalog.records.redacting import shown

_MADE = "was_generated_by"

_Edge = dict[str, Any]


def export_page(
    connection: Connection, sight: Sight, after: int, limit: int
) -> tuple[list[str], int | None]:
    """Give registrations as lines of JSON, in the order in which they came in.

    Parameters
    ----------
    connection
        The transaction.
    sight
        Who asks: what they may not see is in no line, and no edge leads to it.
    after
        Where the page before ended; 0: the first.
    limit
        How many versions to look at.

    Returns
    -------
    lines
        Dataset (as it was posted), activity and edges of each; no activity where nothing is known
        of how it was made: an import names such a line, and does not keep it.
    next
        Where this page ended; None: it is the last.
    """
    row = tables.dataset.c
    wanted = select(row.id, row.pid, row.version, tables.dataset_document.c.json).join(
        tables.dataset_document
    )
    found = connection.execute(
        wanted.where(sight.datasets(), row.id > after).order_by(row.id).limit(limit)
    ).all()
    texts = {f"{each.pid}@{each.version}": each.json for each in found}
    edges = _edges(connection, texts)
    made = {name: _maker(own) for name, own in edges.items()}
    activities = _activities(connection, sight, {id for id in made.values() if id})
    of_activities = _edges(connection, [f"activity:{id}" for id in activities])
    ends = Ends(connection, sight)
    for some in (*edges.values(), *of_activities.values()):
        ends.meet(each["object"] for each in some)
    lines = []
    for name, text in texts.items():
        maker = made.get(name) or ""
        own = [*edges.get(name, ()), *of_activities.get(f"activity:{maker}", ())]
        told = [each for each in own if not ends.is_hidden(each["object"])]
        parts = f'"edges":{json.dumps(told)}'
        if maker in activities:
            parts = f'"activity":{activities[maker]},{parts}'
        lines.append(f'{{"dataset":{_in_one_line(text)},{parts}}}')
    return lines, found[-1].id if len(found) == limit else None


def _edges(connection: Connection, subjects: Iterable[str]) -> dict[str, list[_Edge]]:
    edge = tables.edge.c
    wanted = select(edge.subject, edge.predicate, edge.object, edge.role).order_by(edge.id)
    kept: dict[str, list[_Edge]] = {}
    for each in rows(connection, wanted, edge.subject, subjects):
        told = dict(each._mapping)  # noqa: SLF001 - a row's own way to be a mapping
        kept.setdefault(each.subject, []).append({**told, "role": each.role or None})
    return kept


def _maker(edges: Iterable[_Edge]) -> str | None:
    for each in edges:
        if each["predicate"] == _MADE:
            return str(each["object"]).removeprefix("activity:")
    return None


def _activities(connection: Connection, sight: Sight, ids: Iterable[str]) -> dict[str, str]:
    row, document = tables.activity.c, tables.activity_document
    wanted = select(row.recorder, document.c.json).join(document).where(sight.activities())
    found = [(each.recorder, each.json) for each in rows(connection, wanted, row.id, ids)]
    told = shown(connection, sight, found)
    return {each.id: json.dumps(each.document(), allow_nan=False) for each in told}


def _in_one_line(text: str) -> str:
    # Line ends can only stand between values: inside of texts JSON has them escaped.
    return text.replace("\r", " ").replace("\n", " ")
