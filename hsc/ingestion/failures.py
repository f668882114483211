"""Chunks that can't be carried over: why, where, and what the policy makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hsc.errors import (
    DamagedSourceError,
    HscError,
    SourceCrashError,
    SourceTooLargeError,
    SourceTooSlowError,
    UnsupportedObjectError,
)
from hsc.model import Gap, plain_text

Lost = (
    DamagedSourceError
    | UnsupportedObjectError
    | SourceCrashError
    | SourceTooLargeError
    | SourceTooSlowError
)
"""Why one chunk can't be read, while others may."""
ENDING = (SourceCrashError, SourceTooLargeError, SourceTooSlowError)
"""Those of them that cost a child process."""
LOST = (DamagedSourceError, UnsupportedObjectError, *ENDING)
"""All of them."""
_NAMED = 20


@dataclass(frozen=True, slots=True)
class ChunkFailure:
    """One chunk that became a gap."""

    path: str
    """HDF5 path of its array."""
    place: tuple[int, ...]
    """Its place in the grid of inner chunks."""
    reason: str
    """Why it can't be carried over."""
    where: str
    """File and dataset it was read from; empty when that is not known."""

    @classmethod
    def of(cls, path: str, place: tuple[int, ...], error: HscError) -> ChunkFailure:
        """Word a failure from the error that it was."""
        return cls(path, place, error.message, error.where)

    def gap(self) -> Gap:
        """Give it as manifest and record keep it."""
        return Gap(path=self.path, reason=plain_text(f"chunk {self.place}: {self.reason}"))


def refuse_failures(failures: Sequence[ChunkFailure]) -> None:
    """Refuse to go on when chunks failed.

    Raises
    ------
    DamagedSourceError
        Naming all, or the first twenty.
    """
    if not failures:
        return
    named = [f"{each.path}, chunk {each.place}: {each.reason}" for each in failures[:_NAMED]]
    more = len(failures) - len(named)
    listed = "\n    ".join(map(plain_text, named + ([f"and {more} more"] if more else [])))
    count = "a chunk" if len(failures) == 1 else f"{len(failures)} chunks"
    places = dict.fromkeys(each.where for each in failures if each.where)
    raise DamagedSourceError(
        f"{count} can't be carried over:\n    {listed}",
        where="; ".join(list(places)[:_NAMED]),
        next_step="copy the file again from where it was written, or take in the rest with "
        "--policy quarantine, which records them as gaps",
    )
