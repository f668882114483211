"""Waiting for somebody else who ingests the same source."""

from __future__ import annotations

import logging
import time

from hsc.errors import IngestInProgressError
from hsc.model import now
from hsc.store import Claim

_LOG = logging.getLogger(__name__)
_FIRST_S, _LONGEST_S = 0.05, 5.0


class Waiting:
    """Waits for the holder of a claim: says so once, looks less and less often, not forever.

    Parameters
    ----------
    source
        What both want to ingest.
    limit_s
        How long to wait in all.
    """

    def __init__(self, source: str, limit_s: float) -> None:
        self._source = source
        self._end = time.monotonic() + limit_s
        self._pause_s = _FIRST_S
        self._told: str | None = None

    def wait(self, holder: Claim) -> None:
        """Let some time pass.

        Raises
        ------
        IngestInProgressError
            The limit is reached.
        """
        who = f"process {holder.process} on {holder.host}"
        if time.monotonic() >= self._end:
            raise IngestInProgressError(
                f"the source is being ingested as {holder.pid} by {who} "
                f"since {holder.made:%Y-%m-%d %H:%M} UTC",
                where=self._source,
                next_step="wait until it is done, or give --max-wait more time; one that died on "
                "another machine gives up after 12 h",
            )
        if self._told != who:
            minutes = (now() - holder.made).total_seconds() / 60
            _LOG.warning(
                "%s is being ingested by %s for %.0f min; waiting for it",
                self._source,
                who,
                minutes,
            )
            self._told = who
        time.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 1.5, _LONGEST_S)
