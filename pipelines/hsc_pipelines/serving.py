"""Serve the flows, so that ``ingest/local`` and ``reduce/local`` can be started from anywhere.

``python -m hsc_pipelines.serving`` polls the server that ``PREFECT_API_URL`` names and runs each
flow in a process of its own, which gets its HSC_* variables from this one's environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import cast

from hsc.errors import FlowError, HscError
from hsc.settings import prefect_url

DEPLOYMENT = "local"
"""Name of both deployments, as in ``ingest/local``."""


def serve(*, limit: int, poll_s: int) -> None:
    """Serve both flows until a signal ends it.

    Parameters
    ----------
    limit
        How many flows run at once; the others wait.
    poll_s
        Seconds between two looks for new runs.

    Raises
    ------
    FlowError
        ``PREFECT_API_URL`` is not set.
    """
    if prefect_url() is None:
        raise FlowError(
            "PREFECT_API_URL is not set, so there is no server to serve flows for",
            next_step="`python deploy/local/local.py up --state DIR` starts one and serves there",
        )
    os.environ["PREFECT_RUNNER_POLL_FREQUENCY"] = str(poll_s)
    # A run that dies without a word is seen after three missed heartbeats; 30 s is the shortest.
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")

    # Prefect reads its settings when it is imported, so not before here.
    from hsc_pipelines.flows import ingest, reduce
    from hsc_pipelines.prefect_kit import EntrypointType, RunnerDeployment
    from hsc_pipelines.prefect_kit import serve as serve_deployments

    # By module and not by file: runs import the flows as everybody else does.
    by_module = EntrypointType.MODULE_PATH
    deployments = [
        flow.to_deployment(name=DEPLOYMENT, tags=["hsc"], entrypoint_type=by_module)
        for flow in (ingest, reduce)
    ]
    # Prefect's annotation leaves open whether an event loop runs here; none does.
    ready = cast("list[RunnerDeployment]", deployments)
    serve_deployments(*ready, limit=limit, print_starting_message=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hsc_pipelines.serving", description=__doc__)
    parser.add_argument("--limit", type=int, default=2, help="flows that run at once")
    parser.add_argument("--poll", type=int, default=2, help="seconds between two looks for runs")
    options = parser.parse_args(arguments)
    if options.limit < 1 or options.poll < 1:
        parser.error("--limit and --poll must be at least 1")
    try:
        serve(limit=options.limit, poll_s=options.poll)
    except HscError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
