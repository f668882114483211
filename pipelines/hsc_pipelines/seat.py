"""The seat of a flow that runs in this process: what it is given beside its parameters.

A flow's parameters travel through the Prefect server as JSON. The jobs to call, a progress bar and
the place for the outcome can't; the runner sets them here, and a served flow finds the defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from hsc import jobs
from hsc.jobs import IngestReport, IngestRequest, ReducedDataset, ReduceRequest, Stage
from hsc.workers import Progress


class Jobs(Protocol):
    """The jobs that flows drive: ``hsc.jobs`` itself, or a test's own."""

    def ingest(
        self,
        request: IngestRequest,
        *,
        stage: Stage | None = None,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Take files in."""
        ...

    def reduce(
        self,
        request: ReduceRequest,
        *,
        stage: Stage | None = None,
        progress: Progress | None = None,
    ) -> ReducedDataset:
        """Run a reduction."""
        ...


@dataclass(slots=True)
class Seat:
    """What one flow run works with, and what came of it."""

    jobs: Jobs = jobs
    """The jobs to call."""
    progress: Progress | None = None
    """Who hears how far the work is; None: the run's own log."""
    outcome: IngestReport | ReducedDataset | None = None
    """What the job gave; None until it is done."""
    error: Exception | None = None
    """What the job raised, as it was raised."""


_SEAT: ContextVar[Seat | None] = ContextVar("hsc_pipelines_seat", default=None)


def present_seat() -> Seat:
    """Give the seat that the runner set, else a fresh one with the defaults."""
    return _SEAT.get() or Seat()


@contextmanager
def seated(seat: Seat) -> Iterator[Seat]:
    """Have flows that start within the block take this seat."""
    token = _SEAT.set(seat)
    try:
        yield seat
    finally:
        _SEAT.reset(token)
