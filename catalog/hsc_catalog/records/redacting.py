"""Redacting: activities without the names of what their reader may not see."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from hsc.model import Activity
from hsc_catalog import tables
from hsc_catalog.access import Sight, pid_of
from hsc_catalog.records.ends import rows

_PID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*/[0-9A-HJKMNP-TV-Z]{26}")

Told = tuple[str | None, str]
"""Who recorded an activity, and its document."""


def shown(connection: Connection, sight: Sight, told: Sequence[Told]) -> list[Activity]:
    """Give activities as the caller may read them.

    Datasets that are hidden from the caller go by ``hidden:<n>``, wherever the document names
    them; their roots are left out. Whoever recorded an activity reads what they wrote.
    """
    if sight.caller.sees_everything:
        return [tables.read(Activity, text) for _, text in told]
    documents = [(recorder, json.loads(text)) for recorder, text in told]
    mine = sight.caller.subject
    others = [each for recorder, each in documents if mine is None or recorder != mine]
    hidden = _hidden(connection, sight, others)
    for document in others:
        _redact(document, hidden)
    return [Activity.model_validate(each) for _, each in documents]


def _hidden(connection: Connection, sight: Sight, documents: Sequence[Any]) -> set[str]:
    named = {pid for each in documents for pid in _mentioned(each)}
    row = tables.dataset.c
    wanted = select(row.pid, sight.datasets().label("visible"))
    found = list(rows(connection, wanted, row.pid, named))
    return {pid for pid, _ in found} - {pid for pid, visible in found if visible}


def _named(document: Any) -> set[str]:
    ends = [*document.get("used", ()), *document.get("generated", ())]
    return {pid for end in ends if (pid := pid_of(end)) is not None}


def _mentioned(document: Any) -> set[str]:
    """Give what a document names, and what looks like a PID anywhere in it."""
    return _named(document) | set(_PID.findall(json.dumps(document)))


def _redact(document: Any, hidden: set[str]) -> None:
    gone = sorted(_mentioned(document) & hidden)
    if not gone:
        return
    for ends, roots in (("used", "input_roots"), ("generated", "output_roots")):
        _drop_roots(document, ends, roots, hidden)
    made = document.get("generated", ())
    document["generated"] = [each for each in made if pid_of(each) not in hidden]
    numbers = {pid: f"hidden:{n}" for n, pid in enumerate(gone, 1)}
    # Rather too much than too little: what only begins like a hidden one goes too.
    pattern = re.compile("|".join(f"{re.escape(pid)}(?:@[0-9]+)?" for pid in gone[::-1]))
    for name, value in document.items():
        document[name] = _replaced(value, pattern, numbers)


def _drop_roots(document: Any, ends: str, roots: str, hidden: set[str]) -> None:
    known = document.get(roots) or []
    pids = [pid_of(each) for each in document.get(ends, ())]
    if len(known) == len(pids):
        document[roots] = [root for root, pid in zip(known, pids, strict=True) if pid not in hidden]
    elif known:
        document[roots] = []


def _replaced(value: Any, pattern: re.Pattern[str], numbers: dict[str, str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(lambda found: numbers[found[0].partition("@")[0]], value)
    if isinstance(value, list):
        return [_replaced(each, pattern, numbers) for each in value]
    if isinstance(value, dict):
        return {
            str(_replaced(name, pattern, numbers)): _replaced(each, pattern, numbers)
            for name, each in value.items()
        }
    return value
