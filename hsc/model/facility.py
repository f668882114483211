"""Facility: who measured, under which PID prefix, in which time zone."""

from __future__ import annotations

from pydantic import Field

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
    instruments: dict[str, str] = Field(default_factory=dict)
    """Names that files give instruments, to the facility's own; upper and lower case are one."""

    def instrument(self, name: str | None) -> str | None:
        """Give an instrument's own name; one that the facility does not list stays as it is."""
        known = {written.casefold(): own for written, own in self.instruments.items()}
        return known.get(name.casefold(), name) if name else name
