"""LogProgress: how far long work is, as lines in a flow run's log."""

from __future__ import annotations

import logging
import threading
import time

_SECONDS_BETWEEN_LINES = 10.0


class LogProgress:
    """Writes a line when a stage ends, and every ten seconds while it runs.

    Lines only: an update of a Prefect artifact is a request to the server (34 ms), and one that
    fails would stop work that is itself sound.
    """

    def __init__(self, log: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._stage, self._unit = "", ""
        self._total = self._done = 0
        self._started = self._said = time.monotonic()

    def start(self, stage: str, total: int, unit: str) -> None:
        """Begin a stage."""
        with self._lock:
            self._stage, self._total, self._unit = stage, total, unit
            self._done = 0
            self._started = self._said = time.monotonic()

    def advance(self, amount: int) -> None:
        """Count, and say so now and then."""
        with self._lock:
            self._done += amount
            now = time.monotonic()
            if now - self._said < _SECONDS_BETWEEN_LINES:
                return
            self._said = now
            line = self._line(now)
        self._log.info(line)

    def finish(self) -> None:
        """Say what the stage came to."""
        with self._lock:
            line = self._line(time.monotonic())
        self._log.info(line)

    def _line(self, now: float) -> str:
        seconds = max(now - self._started, 1e-9)
        share = f" ({self._done / self._total:.0%})" if self._total else ""
        if self._unit == "bytes":
            done = f"{self._done / 1e9:.3f} GB{share}, {self._done / seconds / 1e9:.3f} GB/s"
        else:
            done = f"{self._done} {self._unit}{share}, {self._done / seconds:.1f}/s"
        return f"{self._stage}: {done}"
