"""Comparing the tables with the audit log: what was changed, put in or taken out behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, select

from hsc_catalog import tables
from hsc_catalog.auditing import digest_of
from hsc_catalog.checking.log_keys import BATCH, log_keys
from hsc_catalog.wording import SEVERAL, WORDED, Agents

Told = Callable[[str, int], None]
"""Is told what is looked at, and how many of it were."""

_log = tables.audit.c


def unlike_the_log(connection: Connection, told: Told) -> Iterator[str]:
    """Say what of each kind is not as the log has it, is not in it, or is gone.

    Memory holds some hundred things at a time, however many there are.
    """
    agents = Agents(connection)
    for kind in WORDED:
        yield from _changed(connection, agents, kind, told)
        yield from _gone(connection, agents, kind)
    yield from _strangers(connection)


def _changed(connection: Connection, agents: Agents, kind: str, told: Told) -> Iterator[str]:
    things = (
        (key, [text for _, text in mine])
        for key, mine in groupby(WORDED[kind](connection, agents, None), key=lambda each: each[0])
    )
    count = 0
    while some := list(islice(things, BATCH)):
        noted = _noted(connection, kind, [key for key, _ in some])
        for key, texts in some:
            if key not in noted:
                yield f"{kind} {key} is not in the audit log"
            elif Counter(map(digest_of, texts)) != noted[key]:
                yield f"{kind} {key} is not as the audit log has it"
        count += len(some)
        told(kind, count)


def _gone(connection: Connection, agents: Agents, kind: str) -> Iterator[str]:
    for keys in log_keys(connection, _log.kind == kind):
        there = {key for key, _ in WORDED[kind](connection, agents, keys)}
        if missing := [key for key in keys if key not in there]:
            for key, digests in _noted(connection, kind, missing).items():
                if digests:
                    yield f"{kind} {key} is gone: the audit log has it"


def _noted(connection: Connection, kind: str, keys: Iterable[str]) -> dict[str, Counter[Any]]:
    """Give the digests of what has to be there under each key, by all the log has of it."""
    wanted = select(_log.key, _log.before, _log.after).where(
        _log.kind == kind, _log.key.in_(list(keys))
    )
    found: dict[str, Counter[Any]] = {}
    for key, before, after in connection.execute(wanted.order_by(_log.number)):
        if kind not in SEVERAL:
            found[key] = Counter([after] if after is not None else [])
            continue
        digests = found.setdefault(key, Counter())
        if before is not None:
            digests[before] -= 1
        if after is not None:
            digests[after] += 1
    return {key: +digests for key, digests in found.items()}


def _strangers(connection: Connection) -> Iterator[str]:
    """Say which pseudonyms of the log nobody stands behind, not even somebody erased."""
    there = select(tables.person.c.id)
    for agent in connection.scalars(select(_log.actor).where(_log.actor.not_in(there)).distinct()):
        yield f"person {agent} is gone: the audit log has it"
