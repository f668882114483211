"""Starts a flow's deployment with the parameters it is given and waits for its end."""

from __future__ import annotations

import json
import sys

from prefect.deployments import run_deployment

run = run_deployment(
    f"{sys.argv[1]}/local", parameters=json.loads(sys.argv[2]), timeout=150, poll_interval=1
)
result = run.state.result(raise_on_failure=False)
answer = {
    "id": str(run.id),
    "name": run.name,
    "state": run.state.type.value,
    "message": run.state.message,
    "result": result if isinstance(result, dict) else str(result),
}
sys.stdout.write(json.dumps(answer))
