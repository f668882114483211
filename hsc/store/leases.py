"""Leases: who is at a piece of work, and whether others may take it over."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from hsc.model import Record, UtcTime, now
from hsc.provenance import alive, process_mark, process_space

LEASE = timedelta(hours=12)
"""How long the work of another machine is left alone, counted from its last word."""

_held: set[str] = set()


class Lease(Record):
    """Who is at a piece of work."""

    attempt: str
    """ULID of the activity that is at it."""
    host: str
    """Machine that it runs on."""
    space: str = ""
    """What process numbers count in there (`process_space`): containers may share a name."""
    process: int
    """Process that it runs in."""
    mark: str = ""
    """What tells that process from a later one of the same number; empty where nothing does."""
    made: UtcTime
    """When it began."""

    def abandoned(self) -> bool:
        """Tell whether its maker is gone: dead on this machine, or past its lease elsewhere."""
        if (self.host, self.space) != (platform.node(), process_space()):
            return now() - self.made > LEASE
        if self.process == os.getpid() and self.mark == process_mark(os.getpid()):
            return self.attempt not in _held
        return not alive(self.process, self.mark)


@contextmanager
def holding(attempt: str) -> Iterator[None]:
    """Hold the leases of an attempt of this process for as long as the block runs."""
    _held.add(attempt)
    try:
        yield
    finally:
        _held.discard(attempt)


def lease_facts(attempt: str) -> dict[str, Any]:
    """Give the fields of a lease that this process takes now."""
    return {
        "attempt": attempt,
        "host": platform.node(),
        "space": process_space(),
        "process": os.getpid(),
        "mark": process_mark(os.getpid()),
        "made": now(),
    }
