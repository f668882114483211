"""Taking words out of documents, edges and what was said, each noted in the audit log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Table, select, update

from hsc.errors import InvalidRecordError
from hsc.model import NOUNS, Activity, Annotation, Dataset, Record, Replica
from hsc_catalog import tables
from hsc_catalog.auditing import Change
from hsc_catalog.erasing.words import Words
from hsc_catalog.records import SHOWN
from hsc_catalog.searching import reword
from hsc_catalog.wording import annotation_text, text_now

_KINDS: dict[str, type[Record]] = {str(kind): made for kind, made in NOUNS.items()}


def redact_documents(connection: Connection, words: Words, changes: list[Change]) -> dict[str, int]:
    """Take words out of all that the tables hold of records; tell in how many of each kind.

    Raises
    ------
    InvalidRecordError
        A record would be none without them.
    """
    count: Counter[str] = Counter()
    for change in (
        *_datasets(connection, words),
        *_activities(connection, words),
        *_replicas(connection, words),
        *_annotations(connection, words),
        *_nouns(connection, words),
        *_edges(connection, words),
        *_posted(connection, words),
        *_history(connection, words),
    ):
        count[change.kind] += 1
        changes.append(change)
    if count["dataset"]:
        tables.merge_words(connection)
    return dict(count)


def _found(connection: Connection, words: Words, table: Table, *more: Any) -> list[Any]:
    mine = words.stand_in(table.c.json, postgresql=tables.is_postgresql(connection))
    wanted = select(table, *more)
    if more:
        wanted = wanted.join(tables.dataset)
    rows = connection.execute(wanted.where(mine)).all()
    return [(row, text) for row in rows if (text := words.out_of_json(row.json)) != row.json]


def _checked(kind: type[Record], name: str, text: str) -> Any:
    try:
        return tables.read(kind, text)
    except (ValidationError, ValueError) as error:
        raise InvalidRecordError(
            f"without the words to be erased this would be no record: {str(error)[:200]}",
            where=name,
            next_step="amend it first, then erase again",
        ) from error


def _datasets(connection: Connection, words: Words) -> Iterator[Change]:
    row, document = tables.dataset.c, tables.dataset_document
    for each, text in _found(connection, words, document, row.pid, row.version):
        name = f"{each.pid}@{each.version}"
        before, after = tables.read(Dataset, each.json), _checked(Dataset, name, text)
        here = document.c.dataset == each.dataset
        connection.execute(update(document).where(here).values(json=text))
        shown = {key: getattr(after, key) for key in SHOWN}
        connection.execute(update(tables.dataset).where(row.id == each.dataset).values(shown))
        reword(connection, each.dataset, before, after)
        yield Change("erase", "dataset", name, each.json, text)


def _activities(connection: Connection, words: Words) -> Iterator[Change]:
    document = tables.activity_document
    for each, text in _found(connection, words, document):
        _checked(Activity, f"activity {each.activity}", text)
        here = document.c.activity == each.activity
        connection.execute(update(document).where(here).values(json=text))
        yield Change("erase", "activity", each.activity, each.json, text)


def _replicas(connection: Connection, words: Words) -> Iterator[Change]:
    row, copy = tables.dataset.c, tables.replica
    for each, text in _found(connection, words, copy, row.pid, row.version):
        name = f"{each.pid}@{each.version}"
        values = {"json": text, "location": _checked(Replica, name, text).location}
        connection.execute(update(copy).where(copy.c.id == each.id).values(values))
        yield Change("erase", "replica", name, each.json, text)


def _annotations(connection: Connection, words: Words) -> Iterator[Change]:
    said = tables.annotation
    for each, text in _found(connection, words, said):
        name = each.pid if each.version is None else f"{each.pid}@{each.version}"
        _checked(Annotation, name, text)
        connection.execute(update(said).where(said.c.id == each.id).values(json=text))
        texts = (annotation_text(each.kind, each.at, each.by, json) for json in (each.json, text))
        yield Change("erase", "annotation", name, *texts)


def _nouns(connection: Connection, words: Words) -> Iterator[Change]:
    noun = tables.noun
    for each, text in _found(connection, words, noun):
        _checked(_KINDS[each.kind], f"{each.kind} {each.key}", text)
        here = (noun.c.kind == each.kind, noun.c.key == each.key)
        connection.execute(update(noun).where(*here).values(json=text))
        yield Change("erase", each.kind, each.key, each.json, text)


def _edges(connection: Connection, words: Words) -> Iterator[Change]:
    edge = tables.edge
    postgresql = tables.is_postgresql(connection)
    mine = words.stand_in(edge.c.object, postgresql=postgresql)
    mine |= words.stand_in(edge.c.role, postgresql=postgresql)
    found = connection.execute(select(edge).where(mine)).all()
    before = {each.subject: text_now(connection, "edges", each.subject) for each in found}
    for each in found:
        prefix, colon, rest = each.object.partition(":")
        target = f"{prefix}:{words.out_of(rest)}" if colon else words.out_of(each.object)
        values = {"object": target, "role": words.out_of(each.role)}
        connection.execute(update(edge).where(edge.c.id == each.id).values(values))
    for subject, text in sorted(before.items()):
        after = text_now(connection, "edges", subject)
        if after != text:
            yield Change("erase", "edges", subject, text, after)


def _posted(connection: Connection, words: Words) -> Iterator[Change]:
    posted = tables.foreign_document
    for each, text in _found(connection, words, posted):
        kind = f"scicat {each.kind}"
        before = text_now(connection, kind, each.key)
        connection.execute(update(posted).where(posted.c.id == each.id).values(json=text))
        yield Change("erase", kind, each.key, before, text_now(connection, kind, each.key))


def _history(connection: Connection, words: Words) -> Iterator[Change]:
    kept = tables.history
    for each, text in _found(connection, words, kept):
        here = (kept.c.kind == each.kind, kept.c.key == each.key)
        connection.execute(
            update(kept).where(*here, kept.c.revision == each.revision).values(json=text)
        )
        yield Change("erase", f"{each.kind} history", each.key, each.json, text)
