"""Facility: who measured, under which PID prefix, in which time zone."""

from __future__ import annotations

from hsc.model.wire import Record


class Facility(Record):
    """A facility as its data file describes it."""

    id: str
    """Short id, as in ``maxiv``."""
    name: str
    """Full name."""
    pid_prefix: str
    """Prefix of the PIDs of its datasets."""
    time_zone: str
    """IANA time zone that its instruments write local times in."""
