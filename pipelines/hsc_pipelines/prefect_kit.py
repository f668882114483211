"""Prefect's names, imported with hsc's settings in place: no other file imports Prefect.

Prefect reads its environment, makes its home folder and may report to its maker at the moment it
is first imported, so the settings come first. That makes this import, and no later call, the
moment that ``HSC_HOME`` counts for Prefect's state.
"""

# ruff: noqa: E402

from __future__ import annotations

from hsc_pipelines import settings

settings.prepare()

from prefect import State, flow, runtime, serve, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Failed
from prefect.types.entrypoint import EntrypointType

__all__ = [
    "NO_CACHE",
    "PREFECT_API_URL",
    "EntrypointType",
    "Failed",
    "RunnerDeployment",
    "State",
    "create_table_artifact",
    "flow",
    "get_client",
    "get_run_logger",
    "runtime",
    "serve",
    "task",
    "temporary_settings",
]
