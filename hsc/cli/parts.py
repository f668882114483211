"""Parts that an installation may lack: loaded on demand, their absence said plainly."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from hsc import settings
from hsc.errors import DependencyMissingError
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
