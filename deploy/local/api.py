"""What a Prefect server answers: whether it is well, and whether flows are served."""

from __future__ import annotations

import json
import random
import socket
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

DEPLOYMENTS = ("ingest/local", "reduce/local")
"""What must be served."""

# Below the range that Linux gives to outgoing connections, any of which could take the port.
_PORTS = range(20000, 32768)


def url(port: int) -> str:
    """Give the address of the server's API."""
    return f"http://127.0.0.1:{port}/api"


def healthy(port: int) -> bool:
    """Tell whether the server answers."""
    return _ask(port, "/health") is True


def served(port: int, since: datetime) -> bool:
    """Tell whether both deployments are there and were polled for since a moment."""
    return all(
        _polled_since(_ask(port, f"/deployments/name/{name}"), since) for name in DEPLOYMENTS
    )


def mark_crashed(port: int, message: str) -> int:
    """Tell the server that the served flows that it takes for running are dead; give how many.

    Prefect notices a killed run by itself only when an automation watches its heartbeats; without
    one the run stays Running for ever.
    """
    names = [name.partition("/")[2] for name in DEPLOYMENTS]
    running = _ask(
        port,
        "/flow_runs/filter",
        {
            "flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}},
            "deployments": {"name": {"any_": names}},
        },
    )
    crashed = {"state": {"type": "CRASHED", "message": message}, "force": True}
    answers = [_ask(port, f"/flow_runs/{run['id']}/set_state", crashed) for run in running or ()]
    return sum(answer is not None for answer in answers)


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the server itself: a port that only waits out old connections is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wish: int | None) -> int:
    """Give a free port: the wish if it is one, else any."""
    if wish is not None and port_is_free(wish):
        return wish
    return next(port for port in random.sample(_PORTS, len(_PORTS)) if port_is_free(port))


def _polled_since(deployment: Any, since: datetime) -> bool:
    if not isinstance(deployment, dict) or not deployment.get("last_polled"):
        return False
    return datetime.fromisoformat(deployment["last_polled"]) >= since


def _ask(port: int, path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  (http:// and this machine, see url)
        f"{url(port)}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    # No proxy: the address is this machine's own, whatever http_proxy says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        # Not there yet, or somebody else's port: both mean no.
        return None
