"""What all workers of a job may take together."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hsc.store import paying
from hsc.workers.rate import Pace

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of a job."""

    memory: int | None = None
    """Bytes that tasks may need together, of those that tell; None: not bounded."""
    max_rate: int | None = None
    """Bytes a second that they write; None: not bounded."""

    def pace(self, processes: int) -> Pace | None:
        """Give what one of so many processes may write; None: not bounded."""
        if self.max_rate is None:
            return None
        return Pace(secrets.token_hex(8), self.max_rate / processes)


@dataclass(frozen=True, slots=True)
class Paced(Generic[T, R]):
    """A function that writes no faster than its process may."""

    function: Callable[[T], R]
    """The function."""
    pace: Pace
    """What the process may do."""

    def __call__(self, task: T) -> R:
        """Call the function."""
        with paying(self.pace.take):
            return self.function(task)


def paced(function: Callable[[T], R], pace: Pace | None) -> Callable[[T], R]:
    """Give a function that writes no faster than a pace; without one, the function itself."""
    return function if pace is None else Paced(function, pace)
