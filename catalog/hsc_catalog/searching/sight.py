"""Sight: what of the list a caller sees, as scopes, so that searches and counts need no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from hsc_catalog import tables
from hsc_catalog.access import Caller, held_sets
from hsc_catalog.searching.listing import OPEN_TO_ALL


@dataclass(frozen=True, slots=True)
class Sight:
    """Which listed datasets a caller sees."""

    everything: bool
    """Whether nothing is hidden; the rest then says nothing."""
    scopes: tuple[int, ...] = ()
    """Scopes that are seen: no dataset is in two."""
    rows: tuple[int, ...] = ()
    """Rows of ``dataset`` that are seen whatever their scope, as by a reviewer's link."""

    def sees(self, scopes: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell for each row of ``dataset``, given all their scopes, whether it is seen."""
        if self.everything:
            return np.ones(scopes.size, bool)
        # Scopes count from -1 (hidden).
        seen = np.zeros(max(int(scopes.max(initial=0)), *self.scopes) + 2, bool)
        seen[np.array(self.scopes) + 1] = True
        visible: NDArray[np.bool_] = seen[scopes + 1]
        visible[[row for row in self.rows if row < visible.size]] = True
        return visible


def look(connection: Connection, caller: Caller, now: datetime) -> Sight:
    """Find out what a caller sees.

    What is open to all is one scope. Beside it stand the access sets that the caller has the keys
    of, and those whose embargo is over and which were not put into that scope yet: they are looked
    up at every call, so that an embargo ends by the clock alone.
    """
    if caller.sees_everything:
        return Sight(everything=True)
    waiting = tables.embargoed.c
    lifted = select(waiting.access).where(
        ~waiting.opened, waiting.embargo <= tables.microseconds(now)
    )
    scopes = {OPEN_TO_ALL, *connection.scalars(lifted)}
    held = held_sets(caller)
    if held is not None:
        scopes.update(connection.scalars(held))
    return Sight(everything=False, scopes=tuple(sorted(scopes)), rows=_opened(connection, caller))


def _opened(connection: Connection, caller: Caller) -> tuple[int, ...]:
    if not caller.datasets:
        return ()
    pids = sorted(str(pid.latest()) for pid in caller.datasets)
    row = tables.dataset.c
    wanted = select(row.id).where(row.pid.in_(pids), row.newest, row.withdrawn.is_(None))
    return tuple(connection.scalars(wanted))
