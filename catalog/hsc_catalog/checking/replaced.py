"""Comparing the history of documents with the digests that the audit log has of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, select

from hsc.model import NOUNS
from hsc_catalog import tables
from hsc_catalog.auditing import digest_of
from hsc_catalog.checking.log_keys import BATCH, log_keys

_KINDS = ("dataset", "activity", *map(str, NOUNS))

_log, _row = tables.audit.c, tables.history.c


def unlike_its_log(connection: Connection) -> Iterator[str]:
    """Say which documents that were replaced are gone, or not as the log has them."""
    kept = select(_row.kind, _row.key, _row.json).order_by(_row.kind, _row.key, _row.revision)
    rows = connection.execute(kept, execution_options={"yield_per": BATCH})
    things = (
        (name, Counter(digest_of(each.json) for each in mine))
        for name, mine in groupby(rows, key=lambda each: (each.kind, each.key))
    )
    while some := list(islice(things, BATCH)):
        for kind in {kind for (kind, _), _ in some}:
            noted = _replaced(connection, kind, [key for (of, key), _ in some if of == kind])
            for (of, key), digests in some:
                if of == kind and noted.get(key, Counter()) != digests:
                    yield f"history of {kind} {key} is not as the audit log has it"
    for kind in _KINDS:
        yield from _gone(connection, kind)


def _gone(connection: Connection, kind: str) -> Iterator[str]:
    for keys in log_keys(connection, _log.kind == kind, _log.before.is_not(None)):
        some = select(_row.key).where(_row.kind == kind, _row.key.in_(keys)).distinct()
        there = set(connection.scalars(some))
        if missing := [key for key in keys if key not in there]:
            for key, digests in _replaced(connection, kind, missing).items():
                if digests:
                    yield f"history of {kind} {key} is gone: the audit log has it"


def _replaced(connection: Connection, kind: str, keys: Iterable[str]) -> dict[str, Counter[Any]]:
    """Give the digests of what was replaced: each change's document before, as erasing left it."""
    some = _log.key.in_(list(keys))
    wanted = select(_log.key, _log.kind, _log.action, _log.before, _log.after)
    found: dict[str, Counter[Any]] = {}
    both = _log.kind.in_([kind, f"{kind} history"])
    for key, of, action, before, after in connection.execute(
        wanted.where(both, some).order_by(_log.number)
    ):
        digests = found.setdefault(key, Counter())
        if of != kind:
            digests[before] -= 1
            digests[after] += 1
        elif before is not None and action != "erase":
            digests[before] += 1
    return {key: +digests for key, digests in found.items()}
