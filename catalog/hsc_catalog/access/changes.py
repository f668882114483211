"""Changing who may see a dataset: tightening goes down by itself, loosening asks its inputs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from hsc.errors import ConflictError, ForbiddenError
from hsc.model import AccessChange
from hsc_catalog import tables
from hsc_catalog.access.caller import Caller
from hsc_catalog.access.inheritance import Restood, merged, met, restand, settle, spread
from hsc_catalog.access.inputs import inputs_of
from hsc_catalog.access.predicate import dataset_visible
from hsc_catalog.access.rights import may, require, require_move
from hsc_catalog.access.sets import VISIBILITIES, AccessSet, Clause
from hsc_catalog.access.standing import Standing, standings

_LINK = "link:"  # whoever has a link, as if they were a group


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
    done = [restand(connection, entry, after, moment)]
    narrower = VISIBILITIES.index(after.access.visibility) > VISIBILITIES.index(
        entry.access.visibility
    )
    if narrower or (entry.access.is_free(moment) and not after.access.is_free(moment)):
        # While it was looser, what its inputs ask may have been left out.
        done = merged(done, settle(connection, [entry.pid], moment))
    return spread(connection, done, moment)


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
    done = [restand(connection, before, after, moment)]
    if after.access.is_looser(before.access):
        done = merged(done, settle(connection, [before.pid], moment))
    return spread(connection, done, moment)


def require_link(connection: Connection, caller: Caller, entry: Standing, now: datetime) -> None:
    """Pass where a caller may open a dataset by a link to people without an account.

    That is sharing it with one more group: inputs that they may not share stand in the way.

    Raises
    ------
    ForbiddenError
        The caller may not share it, or inputs stand in the way.
    """
    require(caller, "share", entry)
    access = replace(entry.access, own=entry.access.own | {_LINK})
    _ask_inputs(connection, caller, entry, replace(entry, access=access), now)


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
    if caller.sees_everything or not (new or after.access.is_looser(before.access)):
        return
    strict: set[str] = set()
    frontier, met_before = {before.pid}, {before.pid}
    while frontier:
        # An input that the caller may loosen may stand as it does for the sake of one further up.
        inputs: set[str] = set().union(*inputs_of(connection, frontier).values()) - met_before
        known = standings(connection, inputs)
        frontier = {
            pid for pid in inputs & known.keys() if _is_in_the_way(known[pid], after, new, moment)
        }
        strict |= inputs - known.keys()
        strict |= {pid for pid in frontier if not may(caller, "share", known[pid])}
        frontier -= strict
        met_before |= inputs
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
    return after.access.is_looser(asked.access) or any(not new <= clause for clause in names)
