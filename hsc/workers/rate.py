"""A bound on bytes a second: one token bucket for all threads of a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


class TokenBucket:
    """Lets bytes through at a rate, in the order they come.

    A bucket holds what may pass at once: a second's worth. What is larger than that passes too,
    and whoever comes next waits until its bytes are paid for.

    Parameters
    ----------
    bytes_per_s
        The rate.
    clock
        Gives seconds that only grow.
    sleep
        Waits for so many seconds.
    """

    def __init__(
        self,
        bytes_per_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_s
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = bytes_per_s
        self._filled = clock()

    def take(self, nbytes: int, over: threading.Event | None = None) -> None:
        """Wait until so many bytes may pass, or until ``over`` is set."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._rate, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            wait = max(0.0, -self._tokens / self._rate)
            self._tokens -= nbytes
        if wait and over is not None:
            over.wait(wait)
        elif wait:
            self._sleep(wait)


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate as a task carries it to wherever it runs; a pickle holds two numbers and a name."""

    name: str
    """Of the job: its tasks in one process share a bucket."""
    bytes_per_s: float
    """What one process of the job may do."""

    def take(self, nbytes: int, over: threading.Event | None = None) -> None:
        """Wait until so many bytes may pass in this process, or until ``over`` is set."""
        with _LOCK:
            bucket = _BUCKETS.get(self)
            if bucket is None:
                _BUCKETS.clear()  # of jobs that are done
                bucket = _BUCKETS[self] = TokenBucket(self.bytes_per_s)
        bucket.take(nbytes, over)


_LOCK = threading.Lock()
_BUCKETS: dict[Pace, TokenBucket] = {}
