"""Access sets as values: what stricter means, and the one row that all equal ones are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, select

from hsc.model import AccessClass, Visibility
from hsc_catalog import tables

VISIBILITIES: tuple[Visibility, ...] = ("public", "group", "private")
"""From the loosest to the strictest."""

CLASSES: tuple[AccessClass, ...] = ("open", "proprietary", "human")
"""From the loosest to the strictest."""

Clause = frozenset[str]
"""Names of groups, people and staff of which one is enough."""


@dataclass(frozen=True, slots=True)
class AccessSet:
    """Who may see something: what all datasets that stand alike share.

    Examples
    --------
    >>> raw = AccessSet("group", own=frozenset({"maxiv/1"}))
    >>> AccessSet("public").meet(raw, now=0).inherited
    frozenset({frozenset({'maxiv/1'})})
    """

    visibility: Visibility
    """As `hsc.model.Access` has it."""
    access_class: AccessClass = "open"
    """As `hsc.model.Access` has it."""
    embargo: int | None = None
    """Microseconds since 1970 before which public means group; None: no embargo."""
    own: Clause = frozenset()
    """Who sees the dataset by what it is itself."""
    inherited: frozenset[Clause] = frozenset()
    """What its inputs ask beside: whoever sees it by name has a name in each of them too."""

    @property
    def plain(self) -> bool:
        """Tell whether it is public, open, and never was under an embargo."""
        return (self.visibility, self.access_class, self.embargo) == ("public", "open", None)

    def is_free(self, now: int) -> bool:
        """Tell whether everybody may see it now and from now on."""
        lifted = self.embargo is None or self.embargo <= now
        return self.visibility == "public" and self.access_class == "open" and lifted

    def meet(self, source: AccessSet, now: int) -> AccessSet:
        """Give the set of something with this set that was made from what has the other.

        Whoever sees the result, now or later, sees the source. ``now`` is in microseconds.
        """
        asked = frozenset() if source.is_free(now) else source.inherited | {source.own}
        embargoes = [each for each in (self.embargo, source.embargo) if each is not None]
        return replace(
            self,
            visibility=max(self.visibility, source.visibility, key=VISIBILITIES.index),
            access_class=max(self.access_class, source.access_class, key=CLASSES.index),
            embargo=max(embargoes, default=None),
            inherited=shortest(self.inherited | asked),
        )

    def is_looser(self, other: AccessSet) -> bool:
        """Tell whether it is looser than another in any way, names aside."""
        return (
            VISIBILITIES.index(self.visibility) < VISIBILITIES.index(other.visibility)
            or CLASSES.index(self.access_class) < CLASSES.index(other.access_class)
            or (
                other.embargo is not None and (self.embargo is None or self.embargo < other.embargo)
            )
        )

    def collapsed(self) -> AccessSet:
        """Give the same without names where they say nothing: all that is plainly public."""
        return AccessSet("public") if self.plain else self

    def clauses(self) -> list[list[str]]:
        """Give all clauses, its own first, sorted."""
        return [sorted(self.own), *sorted(map(sorted, self.inherited))]

    def digest(self) -> str:
        """Give the digest by which equal sets are found."""
        text = json.dumps([self.visibility, self.access_class, self.embargo, *self.clauses()])
        return hashlib.sha256(text.encode()).hexdigest()


def shortest(clauses: Iterable[Clause]) -> frozenset[Clause]:
    """Leave out the clauses that another one implies, having fewer names."""
    every = sorted(set(clauses), key=len)
    kept: list[Clause] = []
    for clause in every:
        if not any(other <= clause for other in kept):
            kept.append(clause)
    return frozenset(kept)


_sets, _keys = tables.access_set.c, tables.access_key.c
_KNOWN = tables.Prepared(select(_sets.id).where(_sets.digest == bindparam("digest")))
_SETS = tables.Prepared(
    select(_sets.id, _sets.visibility, _sets.access_class, _sets.embargo, _sets.clauses).where(
        _sets.id.in_(bindparam("ids", expanding=True))
    )
)
_KEYS = tables.Prepared(
    select(_keys.access, _keys.clause, _keys.name).where(
        _keys.access.in_(bindparam("ids", expanding=True))
    )
)


def interned(connection: Connection, wanted: AccessSet) -> int:
    """Give the row of a set; make it when there is none."""
    access = wanted.collapsed()
    digest = access.digest()
    known = _KNOWN.value(connection, digest=digest)
    if known is not None:
        return int(known)
    clauses = access.clauses()
    row = {
        "digest": digest,
        "visibility": access.visibility,
        "access_class": access.access_class,
        "embargo": access.embargo,
        "clauses": len(clauses),
    }
    (made,) = tables.insert_numbered(connection, tables.access_set, [row])
    keys = [
        {"access": made, "clause": number, "name": name}
        for number, clause in enumerate(clauses)
        for name in clause
    ]
    tables.insert_rows(connection, tables.access_key, keys)
    return made


def read_sets(connection: Connection, ids: Iterable[int]) -> Mapping[int, AccessSet]:
    """Give sets by their rows."""
    wanted, names = set(ids), dict[tuple[int, int], set[str]]()
    for access, clause, name in _KEYS.among(connection, "ids", wanted):
        names.setdefault((access, clause), set()).add(name)
    found: dict[int, AccessSet] = {}
    for id, visibility, access_class, embargo, count in _SETS.among(connection, "ids", wanted):
        own, *others = (frozenset(names.get((id, n), ())) for n in range(count))
        found[id] = AccessSet(visibility, access_class, embargo, own, frozenset(others))
    return found
