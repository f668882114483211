"""Renewing the claims of an ingest that takes long, so that no other machine thinks it dead."""

from __future__ import annotations

import threading
import time

from hsc.jobs.placing import Target
from hsc.store import LEASE, open_objects, read_claim, take_over
from hsc.workers import Progress

_EVERY_S = LEASE.total_seconds() / 3


class Renewing:
    """Hears how far an ingest is, passes it on, and renews its claims from time to time.

    Parameters
    ----------
    heard
        Who hears it after this.
    target
        What is being written.
    every_s
        Seconds between two renewals.
    """

    def __init__(self, heard: Progress, target: Target, every_s: float = _EVERY_S) -> None:
        self._heard = heard
        self._target = target
        self._every_s = every_s
        self._next = time.monotonic() + every_s
        self._turn = threading.Lock()

    def start(self, stage: str, total: int, unit: str) -> None:
        """Begin a stage."""
        self._heard.start(stage, total, unit)

    def advance(self, amount: int) -> None:
        """Go on; renew the claims when it is time."""
        self._heard.advance(amount)
        with self._turn:
            if time.monotonic() >= self._next:
                self._renew()
                self._next = time.monotonic() + self._every_s

    def finish(self) -> None:
        """End a stage."""
        self._heard.finish()

    def _renew(self) -> None:
        mine, objects = self._target.claim, open_objects(self._target.store)
        for name in filter(None, (mine.source_id, mine.slot)):
            last = read_claim(objects, name)
            # Who lost its claim is told so at the commit, which is where it matters.
            if last is not None and (last.attempt, last.state) == (mine.attempt, "open"):
                take_over(objects, last, mine.attempt, last.files_state)
