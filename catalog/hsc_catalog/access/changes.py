"""Changing who may see a dataset: tightening goes down by itself, loosening asks its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from hsc.errors import ConflictError, ForbiddenError
from hsc.model import AccessChange
from hsc_catalog import tables
from hsc_catalog.access.caller import Caller
from hsc_catalog.access.inheritance import Restood, met, restand, settle, tighten_outputs
from hsc_catalog.access.inputs import inputs_of
from hsc_catalog.access.predicate import dataset_visible
from hsc_catalog.access.rights import may, require, require_move
from hsc_catalog.access.sets import CLASSES, VISIBILITIES, AccessSet, Clause
from hsc_catalog.access.standing import Standing, standings


def change(
    connection: Connection, caller: Caller, entry: Standing, asked: AccessChange, now: datetime
) -> list[Restood]:
    """Change who may see a dataset that the caller sees; give all that stands otherwise then.

    What came of it is tightened with it. Where the change loosens, each input has to stand as
    loose by then, or the caller has to have the right to share that one too.

    Raises
    ------
    ForbiddenError
        The caller may not share it, or inputs stand in the way.
    """
    require(caller, "share", entry)
    moment = tables.microseconds(now)
    after = _changed(entry, asked)
    _ask_inputs(connection, caller, entry, after, now)
    done = [restand(connection, entry, after)]
    if _is_stricter(after, entry) or (entry.access.is_free(moment) > after.access.is_free(moment)):
        # While it was looser, what its inputs ask may have been left out.
        done = merged(done, settle(connection, [entry.pid], moment))
    return merged(done, _outputs(connection, done, moment))


def move(
    connection: Connection, caller: Caller, before: Standing, after: Standing, now: datetime
) -> list[Restood]:
    """Let access follow a dataset that belongs elsewhere by an amendment, and never get looser.

    ``after`` is `moved`; the dataset's rows tell the new proposal and instrument already.

    Raises
    ------
    ForbiddenError
        The caller may not take it out of its proposal, or not put it into that one.
    """
    require_move(caller, before, after)
    moment = tables.microseconds(now)
    done = [restand(connection, before, after)]
    done = merged(done, settle(connection, [before.pid], moment))
    return merged(done, _outputs(connection, done, moment))


def merged(first: Iterable[Restood], then: Iterable[Restood]) -> list[Restood]:
    """Give what changed in two steps, each dataset once."""
    found = {each.after.pid: each for each in first}
    for each in then:
        known = found.get(each.after.pid)
        found[each.after.pid] = Restood(known.before if known else each.before, each.after)
    return [each for each in found.values() if each.before != each.after]


def _changed(entry: Standing, asked: AccessChange) -> Standing:
    access = entry.access
    visibility = asked.visibility or access.visibility
    if asked.add_groups and visibility == "private":
        raise ConflictError(
            f"while it is private it is shared with nobody, nor with {asked.add_groups[0]}",
            where=entry.pid,
            next_step="make it visible to its group in the same change",
        )
    if others := set(asked.remove_groups) - entry.groups():
        raise ConflictError(
            f"it is not shared with {min(others)}",
            where=entry.pid,
            next_step="make it private to hide it from the members of its proposal",
        )
    embargo = access.embargo
    if asked.release_embargo:
        embargo = None
    elif asked.embargo_until is not None:
        embargo = tables.microseconds(asked.embargo_until)
    new = frozenset(asked.add_groups)
    after = AccessSet(
        visibility,
        asked.access_class or access.access_class,
        embargo,
        entry.readers(visibility, (entry.groups() | new) - set(asked.remove_groups)),
        # Who was added is named in every clause, or it would open nothing.
        frozenset(clause | new for clause in access.inherited),
    )
    flagged = None if asked.clear_flag else entry.flagged
    return replace(entry, access=after.collapsed(), flagged=flagged)


def _ask_inputs(
    connection: Connection, caller: Caller, before: Standing, after: Standing, now: datetime
) -> None:
    """Refuse to make something looser than an input that the caller may not loosen."""
    moment = tables.microseconds(now)
    new = frozenset() if after.access.is_free(moment) else after.groups() - before.groups()
    if caller.sees_everything or not (new or _is_looser(after, before)):
        return
    pids = inputs_of(connection, [before.pid]).get(before.pid, set())
    known = standings(connection, pids)
    strict = {
        pid
        for pid in pids
        if pid not in known
        or (_is_in_the_way(known[pid], after, new, moment) and not may(caller, "share", known[pid]))
    }
    if not strict:
        return
    row = tables.dataset.c
    wanted = select(row.pid).where(row.pid.in_(sorted(strict)[:500]), dataset_visible(caller, now))
    named = sorted(set(connection.scalars(wanted)))
    if unseen := len(strict) - len(named):
        named.append(f"{unseen} not known to you")
    raise ForbiddenError(
        f"it would be looser than what it was made from: {', '.join(named)}",
        where=before.pid,
        next_step="who may share those has to loosen them first, or to make this change",
    )


def _is_in_the_way(source: Standing, after: Standing, new: Clause, now: int) -> bool:
    if source.access.is_free(now):
        return False
    names = (source.access.own, *source.access.inherited)
    asked = met(after, [source.access], now)
    return _is_looser(after, asked) or any(not new <= clause for clause in names)


def _is_looser(one: Standing, other: Standing) -> bool:
    """Tell whether something stands looser than something else, names aside."""
    a, b = one.access, other.access
    return (
        VISIBILITIES.index(a.visibility) < VISIBILITIES.index(b.visibility)
        or CLASSES.index(a.access_class) < CLASSES.index(b.access_class)
        or (b.embargo is not None and (a.embargo is None or a.embargo < b.embargo))
    )


def _is_stricter(one: Standing, other: Standing) -> bool:
    """Tell whether something stands stricter than something else in any way, names aside."""
    return _is_looser(other, one)


def _outputs(connection: Connection, done: Iterable[Restood], now: int) -> list[Restood]:
    """Tighten what came of those that now ask more than before; of others nothing changes.

    What somebody made looser than its input, with every right, stays so while that input does not
    become stricter.
    """
    return tighten_outputs(connection, [each.after.pid for each in done if _asks_more(each)], now)


def _asks_more(step: Restood) -> bool:
    before, after = step.before.access, step.after.access
    had = (before.own, *before.inherited)
    names = after.plain or all(
        any(known <= clause for known in had) for clause in (after.own, *after.inherited)
    )
    return _is_stricter(step.after, step.before) or not names
