"""Exporting for one caller: lines of JSON, each the text that was posted, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select, tuple_

from hsc_catalog import tables
from hsc_catalog.access import Sight, standings
from hsc_catalog.records.ends import Ends, rows
from hsc_catalog.records.redacting import shown

_MADE = "was_generated_by"
_PAGE = 500  # rows at once

_Edge = dict[str, Any]
_Page = tuple[list[str], Any]


@dataclass(frozen=True)
class Place:
    """Where a page of an export ended."""

    part: int = 0
    """Which part it was of: datasets, other activities, replicas, nouns."""
    after: Any = None
    """The last key of it; None: nothing of the part was read yet."""


START = Place()
"""Where an export begins."""


def export_lines(connection: Connection, sight: Sight) -> Iterator[str]:
    """Give all lines of `export_page` from one transaction: as the catalog stood at one moment."""
    place: Place | None = START
    while place is not None:
        lines, place = export_page(connection, sight, place, _PAGE)
        yield from lines


def export_page(
    connection: Connection, sight: Sight, place: Place, limit: int
) -> tuple[list[str], Place | None]:
    """Give some of what the caller sees as lines of JSON, what others need first.

    First comes each dataset (as it was posted) with the activity that made it and the edges of
    both, in the order in which they were registered; no activity where nothing is known of how it
    was made: an import names such a line, and does not keep it. Whoever sees everything gets who
    may see each dataset, too, and after them the activities that made none, replicas and nouns.

    Parameters
    ----------
    connection
        The transaction.
    sight
        Who asks: what they may not see is in no line, and no edge leads to it.
    place
        Where the page before ended.
    limit
        How many rows to look at.

    Returns
    -------
    lines
        JSON documents, without the ends of the lines.
    next
        Where this page ended; None: it is the last.
    """
    lines, after = _PARTS[place.part](connection, sight, place.after, limit)
    if after is not None:
        return lines, Place(place.part, after)
    last = place.part + 1 == len(_PARTS) or not sight.caller.sees_everything
    return lines, None if last else Place(place.part + 1)


def _datasets(connection: Connection, sight: Sight, after: Any, limit: int) -> _Page:
    row, document = tables.dataset.c, tables.dataset_document
    wanted = select(row.id, row.pid, row.version, document.c.json).join(document)
    found = connection.execute(
        wanted.where(sight.datasets(), row.id > (after or 0)).order_by(row.id).limit(limit)
    ).all()
    names = [f"{each.pid}@{each.version}" for each in found]
    edges = _edges(connection, names)
    makers = {name: _maker(own) for name, own in edges.items()}
    activities = _activities(connection, sight, {id for id in makers.values() if id})
    edges |= _edges(connection, [f"activity:{id}" for id in activities])
    whole = sight.caller.sees_everything
    if not whole:
        _leave_out_hidden(connection, sight, edges)
    stands = standings(connection, {each.pid for each in found}) if whole else {}
    lines = []
    for name, each in zip(names, found, strict=True):
        maker = makers.get(name) or ""
        both = [*edges.get(name, ()), *edges.get(f"activity:{maker}", ())]
        line = _member("dataset", each.json)
        if maker in activities:
            line += f", {_member('activity', activities[maker])}"
        line += f', "edges": {json.dumps(both)}'
        if (standing := stands.get(each.pid)) is not None:
            # Owners are accounts of this catalog; elsewhere whoever imports becomes the owner.
            unowned = standing.document().model_copy(update={"owner": None})
            line += f', "access": {tables.written(unowned)}'
        lines.append(f"{{{line}}}")
    return lines, found[-1].id if len(found) == limit else None


def _edges(connection: Connection, subjects: Iterable[str]) -> dict[str, list[_Edge]]:
    edge = tables.edge.c
    wanted = select(edge.subject, edge.predicate, edge.object, edge.role).order_by(edge.id)
    kept: dict[str, list[_Edge]] = {}
    for each in rows(connection, wanted, edge.subject, subjects):
        told = dict(each._mapping)  # noqa: SLF001 - a row's own way to be a mapping
        kept.setdefault(each.subject, []).append({**told, "role": each.role or None})
    return kept


def _leave_out_hidden(connection: Connection, sight: Sight, edges: dict[str, list[_Edge]]) -> None:
    ends = Ends(connection, sight)
    for some in edges.values():
        ends.meet(each["object"] for each in some)
    for subject, some in edges.items():
        edges[subject] = [each for each in some if not ends.is_hidden(each["object"])]


def _maker(edges: Iterable[_Edge]) -> str | None:
    for each in edges:
        if each["predicate"] == _MADE:
            return str(each["object"]).removeprefix("activity:")
    return None


def _activities(connection: Connection, sight: Sight, ids: Iterable[str]) -> dict[str, str]:
    row, document = tables.activity.c, tables.activity_document
    wanted = select(row.id, row.recorder, document.c.json).join(document)
    found = list(rows(connection, wanted.where(sight.activities()), row.id, ids))
    if sight.caller.sees_everything:
        return {each.id: each.json for each in found}
    told = shown(connection, sight, [(each.recorder, each.json) for each in found])
    return {each.id: json.dumps(each.document(), allow_nan=False) for each in told}


def _other_activities(connection: Connection, _: Sight, after: Any, limit: int) -> _Page:
    """Give those that made no dataset: all others came with what they made."""
    kept, edge = tables.activity_document.c, tables.edge.c
    made = select(edge.id).where(
        edge.object == "activity:" + kept.activity, edge.predicate == _MADE
    )
    wanted = select(kept.activity, kept.json).where(~made.exists())
    found = _rows(connection, wanted, kept.activity, after, limit)
    return [f"{{{_member('activity', text)}}}" for _, text in found], _end(found, limit)


def _replicas(connection: Connection, _: Sight, after: Any, limit: int) -> _Page:
    row, copy = tables.dataset.c, tables.replica.c
    wanted = select(copy.id, row.pid, row.version, copy.json).join(tables.dataset)
    found = _rows(connection, wanted, copy.id, after, limit)
    lines = [
        f'{{{_member("replica", text)}, "of": "{pid}@{version}"}}'
        for _, pid, version, text in found
    ]
    return lines, _end(found, limit)


def _nouns(connection: Connection, _: Sight, after: Any, limit: int) -> _Page:
    noun = tables.noun.c
    wanted = select(noun.kind, noun.key, noun.json)
    key = tuple_(noun.kind, noun.key)
    if after is not None:
        wanted = wanted.where(key > tuple_(*after))
    found = connection.execute(wanted.order_by(noun.kind, noun.key).limit(limit)).all()
    lines = [f'{{{_member("noun", text)}, "kind": "{kind}"}}' for kind, _, text in found]
    return lines, tuple(found[-1][:2]) if len(found) == limit else None


_PARTS = (_datasets, _other_activities, _replicas, _nouns)


def _rows(
    connection: Connection, wanted: Select[Any], key: Any, after: Any, limit: int
) -> list[Any]:
    more = wanted if after is None else wanted.where(key > after)
    return list(connection.execute(more.order_by(key).limit(limit)))


def _end(found: list[Any], limit: int) -> Any:
    return found[-1][0] if len(found) == limit else None


def _member(name: str, text: str) -> str:
    # A document of several lines would break the line: its text goes as a text.
    if "\n" in text or "\r" in text:
        return f'"{name}": {json.dumps(json.loads(text))}, "{name}_text": {json.dumps(text)}'
    return f'"{name}": {text}'
