"""The one predicate that decides what a caller sees: datasets, activities, nouns.

Every statement that reads for somebody has it among its conditions; nothing else in the catalog
decides about seeing. The time comes in as an argument.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    distinct,
    exists,
    func,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from hsc_catalog import tables
from hsc_catalog.access.caller import Caller, person_key

_ACTIVITY = "activity:"


def visible_sets(caller: Caller, now: datetime) -> Select[Any] | None:
    """Select the ids of the access sets that a caller may see; None: all there are.

    Those that are public, open and under no embargo any more, and those of which the caller has a
    key in every clause. A derived dataset has a clause for what each of its inputs asks, so that
    whoever sees it might see them all.
    """
    if caller.sees_everything:
        return None
    free = select(tables.access_set.c.id).where(_is_free(now))
    held = held_sets(caller)
    if held is None:
        return free
    both = union(free, held).subquery("visible")
    return select(both.c.id)


def held_sets(caller: Caller) -> Select[Any] | None:
    """Select the ids of the access sets that a caller has the keys of, whatever else may see them.

    None: the caller has no keys. For counts that have the free ones in one sum already.
    """
    names = sorted(caller.keys())
    if not names:
        return None
    sets, keys = tables.access_set.c, tables.access_key.c
    return (
        select(keys.access)
        .join(tables.access_set, sets.id == keys.access)
        .where(keys.name.in_(names))
        .group_by(keys.access, sets.clauses)
        .having(func.count(distinct(keys.clause)) == sets.clauses)
    )


def dataset_visible(caller: Caller, now: datetime) -> ColumnElement[bool]:
    """Give the condition on rows of ``dataset`` that a caller sees them."""
    row = tables.dataset.c
    sets = visible_sets(caller, now)
    if sets is None:
        return true()
    opened: list[ColumnElement[bool]] = [row.access.in_(sets)]
    if caller.datasets:
        opened.append(row.pid.in_(sorted(str(pid.latest()) for pid in caller.datasets)))
    return and_(or_(*opened), row.withdrawn.is_(None))


def activity_visible(caller: Caller, now: datetime) -> ColumnElement[bool]:
    """Give the condition on rows of ``activity`` that a caller sees them.

    That is who sees a dataset that it generated, who recorded it, staff of its instrument, and
    while it generated none the members of its proposal.
    """
    if caller.sees_everything:
        return true()
    row, edge = tables.activity.c, tables.edge.c
    # OFFSET 0 keeps PostgreSQL from hashing all that any activity made to ask about a few.
    made = (
        select(edge.id)
        .where(
            edge.object == _ACTIVITY + row.id,
            edge.predicate == "was_generated_by",
            tables.dataset.c.pid == before(edge.subject, "@"),
            dataset_visible(caller, now),
        )
        .offset(0)
        .exists()
    )
    conditions: list[ColumnElement[bool]] = [made]
    if caller.subject is not None:
        conditions.append(row.recorder == caller.subject)
    if caller.staff_of:
        conditions.append(row.instrument.in_(sorted(caller.staff_of)))
    held = held_sets(caller)
    if held is not None:
        conditions.append(row.access.in_(held))
    return or_(*conditions)


def activities_by_what_is_seen(caller: Caller, now: datetime) -> list[ColumnElement[bool]]:
    """Give `activity_visible` in parts, each to be looked up by an index; for who sees little.

    It comes from the datasets that are seen, where the other one comes from the activities.
    """
    row, edge, seen = tables.activity.c, tables.edge.c, tables.dataset.c
    # "@" comes just before "A": what stands between the two is any version of the PID.
    versions = and_(edge.subject >= seen.pid + "@", edge.subject < seen.pid + "A")
    made = (
        select(func.substr(edge.object, len(_ACTIVITY) + 1))
        .select_from(tables.dataset.join(tables.edge, versions))
        .where(
            edge.predicate == "was_generated_by",
            func.substr(edge.object, 1, len(_ACTIVITY)) == _ACTIVITY,
            dataset_visible(caller, now),
        )
    )
    parts: list[ColumnElement[bool]] = [row.id.in_(made)]
    if caller.subject is not None:
        parts.append(row.recorder == caller.subject)
    held = held_sets(caller)
    if held is not None:
        parts.append(row.access.in_(held))
    return parts + [row.instrument == each for each in sorted(caller.staff_of)]


def noun_visible(caller: Caller, now: datetime) -> ColumnElement[bool]:
    """Give the condition on rows of ``noun`` that a caller sees them.

    By their access set; and proposals and samples that a dataset names which the caller sees.
    """
    sets = visible_sets(caller, now)
    if sets is None:
        return true()
    row, named = tables.noun.c, tables.dataset.c
    facility, name = before(row.key, "/"), after(row.key, "/")
    seen = and_(named.facility == facility, dataset_visible(caller, now))
    # A sample's key is facility/proposal/name. Without a proposal anybody may name any: so the
    # dataset has to be of somebody who sees the sample by its own set.
    key = tables.access_key.c
    owned = exists().where(key.access == row.access, key.name == person_key("") + named.owner)
    of_sample = and_(
        named.sample == after(name, "/"),
        func.coalesce(named.proposal, "-") == before(name, "/"),
        or_(named.proposal.is_not(None), named.owner.is_(None), owned),
    )
    return or_(
        row.access.in_(sets),
        and_(row.kind == "proposal", exists().where(named.proposal == name, seen)),
        and_(row.kind == "sample", exists().where(of_sample, seen)),
    )


def is_free(visibility: str, access_class: str, embargo: int | None, now: int) -> bool:
    """Tell whether anybody may see something that stands so; times in microseconds."""
    return visibility == "public" and access_class == "open" and (embargo is None or embargo <= now)


def _is_free(now: datetime) -> ColumnElement[bool]:
    row = tables.access_set.c
    lifted = or_(row.embargo.is_(None), row.embargo <= tables.microseconds(now))
    return and_(row.visibility == "public", row.access_class == "open", lifted)


class before(GenericFunction[str]):  # noqa: N801  a function in SQL
    """The part of a text before the first of a sign; nothing without it."""

    type = String()
    name = "before"
    inherit_cache = True


class after(GenericFunction[str]):  # noqa: N801  a function in SQL
    """The part of a text after the first of a sign; all of it without one."""

    type = String()
    name = "after"
    inherit_cache = True


@compiles(before)
def _before(element: before, compiler: Any, **options: Any) -> str:
    text, sign = (compiler.process(part, **options) for part in element.clauses)
    find = "strpos" if compiler.dialect.name == "postgresql" else "instr"
    # At least 0: PostgreSQL refuses a negative length.
    ends = f"{find}({text}, {sign})"
    return f"substr({text}, 1, CASE WHEN {ends} = 0 THEN 0 ELSE {ends} - 1 END)"


@compiles(after)
def _after(element: after, compiler: Any, **options: Any) -> str:
    text, sign = (compiler.process(part, **options) for part in element.clauses)
    find = "strpos" if compiler.dialect.name == "postgresql" else "instr"
    return f"substr({text}, {find}({text}, {sign}) + 1)"
