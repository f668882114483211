"""Inheritance: what came of something is never looser than it, however long the chain.

Tightening goes down by itself, in the transaction that tightened. Nothing here loosens anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, case, update

from hsc_catalog import tables
from hsc_catalog.access.inputs import inputs_of, outputs_of
from hsc_catalog.access.sets import CLASSES, AccessSet, interned
from hsc_catalog.access.standing import Standing, standings

UNKNOWN_INPUT = "an input is not known to this catalog"
"""The flag of what was made from something that is not here."""


@dataclass(frozen=True, slots=True)
class Restood:
    """A dataset that stands otherwise than before."""

    before: Standing
    """How it stood."""
    after: Standing
    """How it stands."""

    def asks_more(self) -> bool:
        """Tell whether it is stricter than before in any way: somebody may see it no more."""
        before, after = self.before.access, self.after.access
        had = (before.own, *before.inherited)
        names = after.plain or all(
            any(known <= clause for known in had) for clause in (after.own, *after.inherited)
        )
        return before.is_looser(after) or not names

    def closes_links(self) -> bool:
        """Tell whether links that were made before open more than they were made for.

        That is: its visibility or class is stricter, or its inputs ask for other people.
        """
        before, after = self.before.access, self.after.access
        had = () if before.plain else (before.own, *before.inherited)
        asked = all(any(known <= clause for known in had) for clause in after.inherited)
        return not asked or replace(before, embargo=None).is_looser(replace(after, embargo=None))


def restand(connection: Connection, before: Standing, after: Standing, now: int) -> Restood:
    """Keep how a dataset stands, for all its versions, each in a new revision."""
    after = replace(after, access=after.access.collapsed())
    if after != before:
        row = tables.dataset.c
        values = {
            "access": interned(connection, after.access),
            "flagged": after.flagged,
            "revision": row.revision + 1,
            "updated": case((row.updated > now, row.updated), else_=now),
        }
        connection.execute(update(tables.dataset).where(row.pid == after.pid).values(values))
    return Restood(before, after)


def tighten_outputs(connection: Connection, pids: Iterable[str], now: int) -> list[Restood]:
    """Tighten what came of datasets to what those ask, and what came of that, in circles too.

    Sets only ever become stricter here, and there are finitely many: it ends.
    """
    changed: dict[str, Restood] = {}
    frontier = set(pids)
    while frontier:
        outputs = outputs_of(connection, frontier)
        involved = frontier | {each for ends in outputs.values() for each in ends}
        stand = dict(standings(connection, involved))
        frontier = set()
        for source in sorted(outputs):
            for pid in sorted(outputs[source] & stand.keys()):
                if source not in stand:
                    continue
                tightened = met(stand[pid], [stand[source].access], now)
                if tightened.access != stand[pid].access:
                    step = restand(connection, stand[pid], tightened, now)
                    first = changed[pid].before if pid in changed else step.before
                    changed[pid] = Restood(first, step.after)
                    stand[pid] = step.after
                    frontier.add(pid)
    return list(changed.values())


def settle(connection: Connection, pids: Iterable[str], now: int) -> list[Restood]:
    """Tighten datasets to what their inputs ask by now, and then what came of them."""
    inputs = inputs_of(connection, pids)
    stand = standings(connection, set(inputs).union(*inputs.values()))
    changed = []
    for pid in sorted(inputs.keys() & stand.keys()):
        tightened = inherited(stand[pid], inputs[pid], stand, now)
        changed.append(restand(connection, stand[pid], tightened, now))
    return spread(connection, changed, now)


def spread(connection: Connection, done: Iterable[Restood], now: int) -> list[Restood]:
    """Tighten what came of those that ask more than before, and give all that changed.

    What somebody made looser than its input, with every right, stays so while that input asks no
    more than it did.
    """
    done = list(done)
    asking = [each.after.pid for each in done if each.asks_more()]
    return merged(done, tighten_outputs(connection, asking, now))


def merged(first: Iterable[Restood], then: Iterable[Restood]) -> list[Restood]:
    """Give what changed in two steps, each dataset once."""
    found = {each.after.pid: each for each in first}
    for each in then:
        known = found.get(each.after.pid)
        found[each.after.pid] = Restood(known.before if known else each.before, each.after)
    return [each for each in found.values() if each.before != each.after]


def inherited(
    entry: Standing, inputs: Iterable[str], known: Mapping[str, Standing], now: int
) -> Standing:
    """Give how something stands that was made from inputs, of which some may not be known."""
    there = [known[pid].access for pid in sorted(inputs) if pid in known]
    tightened = met(entry, there, now)
    if all(pid in known for pid in inputs):
        return tightened
    return flagged(private(tightened), UNKNOWN_INPUT)


def met(entry: Standing, sources: Iterable[AccessSet], now: int) -> Standing:
    """Give how something stands that is no looser than any of its sources."""
    access = entry.access
    if access.plain:  # its own names were left out while they said nothing
        access = replace(access, own=entry.readers("public", ()))
    for source in sources:
        access = access.meet(source, now)
    shared = access.own - entry.stewards() - {entry.group or ""}
    access = replace(access, own=entry.readers(access.visibility, shared))
    return replace(entry, access=access.collapsed())


def private(entry: Standing) -> Standing:
    """Give how something stands when only its stewards may see it."""
    access = replace(entry.access, visibility="private", own=entry.stewards())
    return replace(entry, access=access)


def flagged(entry: Standing, reason: str) -> Standing:
    """Give how something stands that somebody has to look at."""
    told = [] if entry.flagged is None else entry.flagged.split("; ")
    return replace(entry, flagged="; ".join(dict.fromkeys([*told, reason])))


def joined(known: Standing, wanted: Standing, *, newest: bool) -> Standing:
    """Give how a dataset stands when a version comes beside those that are there."""
    if newest:
        known = known.moved(wanted.proposal, wanted.instrument)
    embargoes = [each.access.embargo for each in (known, wanted)]
    access = replace(
        known.access,
        access_class=max(known.access.access_class, wanted.access.access_class, key=CLASSES.index),
        embargo=max((each for each in embargoes if each is not None), default=None),
    )
    return met(replace(known, access=access), (), 0)
