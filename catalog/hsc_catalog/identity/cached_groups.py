"""Remembering for a short while what a slow source of groups said."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from hsc_catalog.identity.limits import Seconds
from hsc_catalog.identity.membership import Membership
from hsc_catalog.identity.sources import GroupSource

_MOST_SUBJECTS = 10_000


class CachedGroups:
    """Remembers a source's answers (`GroupSource`), in memory, of at most 10,000 subjects.

    For sources that look at the subject alone: what a token claims is not what is remembered.

    Parameters
    ----------
    source
        What is asked.
    lasts_s
        For how many seconds an answer counts: for so long nobody notices that groups changed.
    clock
        Gives seconds; a parameter for tests.
    """

    def __init__(
        self, source: GroupSource, lasts_s: float, clock: Seconds = time.monotonic
    ) -> None:
        self._source = source
        self._lasts_s = lasts_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, Membership]] = OrderedDict()

    def membership(self, subject: str, claims: Mapping[str, Any]) -> Membership:
        """Give what is remembered of a subject, or ask; errors are not remembered."""
        now = self._clock()
        with self._lock:
            kept = self._kept.get(subject)
        if kept is not None and now - kept[0] < self._lasts_s:
            return kept[1]
        # Outside of the lock: a source that hangs must not hold those who are remembered.
        found = self._source.membership(subject, {})
        with self._lock:
            self._kept[subject] = (now, found)
            self._kept.move_to_end(subject)
            while len(self._kept) > _MOST_SUBJECTS:
                self._kept.popitem(last=False)
        return found
