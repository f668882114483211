"""Parts that an installation may lack: loaded on demand, their absence said plainly."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from hsc import jobs, settings
from hsc.errors import DependencyMissingError, FlowError
from hsc.provenance import DISTRIBUTION


def missing_part(error: ImportError) -> DependencyMissingError:
    """Word that a package of an extra is not installed."""
    return DependencyMissingError(
        f"this installation comes without {error.name}",
        next_step=f"install the part for facilities: pip install '{DISTRIBUTION}[facility]'",
    )


def find_runner(flow: bool | None) -> Any:
    """Give what runs jobs as flows, or None for plain calls.

    Parameters
    ----------
    flow
        Whether a flow was asked for; None: whether the environment names a Prefect server.
    """
    if flow is False or (flow is None and settings.prefect_url() is None):
        return None
    for entry in metadata.entry_points(group="hsc.runners", name="prefect"):
        try:
            return entry.load()()
        except ModuleNotFoundError as error:
            raise missing_part(error) from error
    raise DependencyMissingError(
        "no runner for flows is installed", next_step="install hanseatic-science-cloud again"
    )


def run_job(kind: str, request: Any, flow: bool | None, progress: Any) -> Any:
    """Run a job, ``ingest`` or ``reduce``, as a flow or as a plain call.

    A flow that could not be run is told to the catalog as a failed activity: the job itself never
    came to tell it.
    """
    runner = find_runner(flow)
    if runner is None:
        return getattr(jobs, kind)(request, progress=progress)
    try:
        return getattr(runner, kind)(request, progress=progress)
    except FlowError as error:
        jobs.tell_failed(kind, request.document(), error)
        raise
