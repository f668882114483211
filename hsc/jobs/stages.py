"""The seam between a job and what drives it: each step of a job is run through a stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from hsc.jobs.requests import IngestReport, IngestRequest, ReducedDataset, ReduceRequest
from hsc.workers import Progress

P = ParamSpec("P")
R = TypeVar("R")


class Stage(Protocol):
    """Runs one named step of a job, now, and gives back what it gave."""

    runner: str
    """``process`` or ``prefect``; stands in the activity."""
    flow_run_id: str | None
    """Prefect's id of the run; None without a flow."""

    def __call__(
        self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a step."""
        ...


class InProcess:
    """Runs each step as a plain call."""

    runner = "process"
    flow_run_id: str | None = None

    def __call__(
        self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a step."""
        return function(*args, **kwargs)


class Runner(Protocol):
    """Runs whole jobs somewhere else than as a plain call; found by entry point ``hsc.runners``."""

    def ingest(self, request: IngestRequest, progress: Progress) -> IngestReport:
        """Run an ingest."""
        ...

    def reduce(self, request: ReduceRequest, progress: Progress) -> ReducedDataset:
        """Run a reduction."""
        ...
