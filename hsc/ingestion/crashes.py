"""Crashes: how many chunks may end HDF5's process before an ingest under quarantine stops."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from hsc.errors import HscError

MOST_CRASHES = 16
"""So many chunks that crash HDF5, or take too much memory or time, may become gaps."""
_KEPT_JOBS = 64


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What an ingest bears from chunks that cost a child process; small, and fit for a pickle."""

    most: int = MOST_CRASHES
    """How many in one process of the ingest; each may take as long as the child's limits let it."""
    job: str = field(default_factory=lambda: secrets.token_hex(8))
    """Of the ingest: its tasks in one process are counted together."""

    def bear(self, error: HscError) -> None:
        """Count a chunk that becomes a gap; raise its error when it is one too many."""
        with _LOCK:
            while len(_COUNTS) >= _KEPT_JOBS and self.job not in _COUNTS:
                _COUNTS.pop(next(iter(_COUNTS)))
            _COUNTS[self.job] = count = _COUNTS.get(self.job, 0) + 1
        if count > self.most:
            raise type(error)(
                f"{error.message}; {self.most} other chunks ended so before",
                where=error.where,
                next_step=error.next_step,
            ) from error


_LOCK = threading.Lock()
_COUNTS: dict[str, int] = {}
