"""PrefectRunner: whole jobs as Prefect flows in this process (entry point ``hsc.runners``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hsc.errors import DependencyMissingError, FlowError
from hsc.jobs import IngestReport, IngestRequest, ReducedDataset, ReduceRequest
from hsc.settings import prefect_url
from hsc.workers import Progress
from hsc_pipelines import settings
from hsc_pipelines.seat import Jobs, Seat, seated

R = TypeVar("R", IngestReport, ReducedDataset)

_log = logging.getLogger(__name__)


class PrefectRunner:
    """Runs jobs as flows, here, and tells a Prefect server.

    The server is the one that ``PREFECT_API_URL`` names; without it Prefect starts one for the
    life of this process, with its state under ``$HSC_HOME/prefect`` (``PREFECT_HOME`` if set).

    Parameters
    ----------
    jobs
        The jobs to run; by default ``hsc.jobs``.
    """

    def __init__(self, jobs: Jobs | None = None) -> None:
        self._jobs = jobs

    def ingest(self, request: IngestRequest, progress: Progress) -> IngestReport:
        """Run an ingest; failed paths stand in the report, and the flow run is Failed.

        Raises
        ------
        FlowError
            The Prefect server can't be reached, or Prefect itself failed.
        HscError
            Whatever the job raised.
        """

        def call() -> object:
            # Brings Prefect, which only those who ask for a flow wait for.
            from hsc_pipelines.flows import ingest

            return ingest(**{**dict(request), "paths": list(request.paths)}, return_state=True)

        return self._run(call, progress, IngestReport)

    def reduce(self, request: ReduceRequest, progress: Progress) -> ReducedDataset:
        """Run a reduction.

        Raises
        ------
        FlowError
            The Prefect server can't be reached, or Prefect itself failed.
        HscError
            Whatever the job raised.
        """

        def call() -> object:
            # As above.
            from hsc_pipelines.flows import reduce

            inputs = [f"{role}={pid}" if role else str(pid) for role, pid in request.inputs]
            return reduce(**{**dict(request), "inputs": inputs}, return_state=True)

        return self._run(call, progress, ReducedDataset)

    def _run(self, call: Callable[[], object], progress: Progress, kind: type[R]) -> R:
        settings.prepare(quiet=True)
        seat = Seat(progress=progress)
        if self._jobs is not None:
            seat.jobs = self._jobs
        failure: Exception | None = None
        with _server() as address, seated(seat):
            try:
                call()
            except Exception as error:
                failure = error
        if seat.error is not None:
            raise seat.error
        if isinstance(seat.outcome, kind):
            if failure is not None:
                # The work is done and registered; only Prefect's page of it is not up to date.
                _log.warning("Prefect at %s could not be told the end: %s", address, failure)
            return seat.outcome
        raise FlowError(
            f"Prefect did not run the flow: {failure or 'it gave no reason'}",
            where=address,
            next_step="look at the flow run's log; without --flow the same job needs no Prefect",
        ) from failure


@contextmanager
def _server() -> Iterator[str]:
    """Have Prefect speak to the server that the environment names now; give its address."""
    # Prefect takes 2 s to import; only those who ask for a flow pay for it.
    try:
        from hsc_pipelines.prefect_kit import PREFECT_API_URL, get_client, temporary_settings
    except ImportError as error:
        raise DependencyMissingError(
            f"flows need Prefect, which is not installed: {error}",
            next_step="pip install 'hanseatic-science-cloud[facility]'",
        ) from error

    url = prefect_url()
    updates: dict[Any, Any] = {PREFECT_API_URL: url} if url else {}
    with temporary_settings(updates=updates):
        try:
            with get_client(sync_client=True) as client:
                address = settings.without_credentials(str(client.api_url)).rstrip("/")
                problem = client.api_healthcheck()
        except (RuntimeError, ValueError, OSError) as error:
            raise FlowError(
                f"Prefect's own server did not start: {error}",
                next_step="`python deploy/local/local.py up --state DIR` starts a lasting one; "
                "without --flow the same job needs no Prefect",
            ) from error
        if problem is not None:
            raise FlowError(
                f"the Prefect server does not answer: {type(problem).__name__}: {problem}",
                where=address,
                next_step="start it, or unset PREFECT_API_URL to use one for this run alone; "
                "`python deploy/local/local.py status --state DIR` tells of a local one",
            ) from problem
        yield address
