#!/usr/bin/env python3
"""A Prefect server and the served flows on this machine: up, status, down.

Everything is kept under one folder, ``--state DIR``. Run it with the Python that hsc is installed
for: that one also runs the server and the flows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import api
import state
from daemon import Daemon, DaemonError, start
from state import State, StateError

_GRACE_S = 15.0
_DEAD = "the serving process ended while this ran; start it again, the work is taken up"


class UpError(Exception):
    """The deployment did not come up; the message says why."""


def up(folder: Path, port: int | None, limit: int, timeout_s: float) -> dict[str, Any]:
    """Start what does not run yet, and wait until a flow could be started."""
    with state.alone(folder):
        known = state.read(folder)
        running = [daemon for daemon in known.daemons if daemon.runs()]
        if _is_up(known, running):
            if port not in (None, known.port):
                raise UpError(f"it runs already, on port {known.port}: take it down first")
            return {**_status(known), "already": True, "seconds": 0.0}
        # Half of it runs, or nothing: what is left of the last one goes first.
        _end_all(folder, known)
        if port is not None and not api.port_is_free(port):
            raise UpError(f"port {port} is taken; name another one, or none to have one chosen")
        began = time.monotonic()
        chosen = port or api.free_port(known.port)
        try:
            fresh = _start_all(folder, chosen, limit, began + timeout_s)
        except BaseException:
            # Ctrl-C too: nothing that was started here stays behind.
            _end_all(folder, state.read(folder))
            raise
        seconds = round(time.monotonic() - began, 1)
        return {**_status(fresh), "already": False, "seconds": seconds}


def down(folder: Path) -> dict[str, Any]:
    """End what `up` started, and nothing else."""
    if not (folder / "state.json").exists():
        return {"up": False, "ended": []}
    with state.alone(folder):
        return {"up": False, "ended": _end_all(folder, state.read(folder))}


def status(folder: Path) -> dict[str, Any]:
    """Tell what runs and whether it answers."""
    return _status(state.read(folder))


def _start_all(folder: Path, port: int, limit: int, deadline: float) -> State:
    fresh = State(port=port)
    environment = _environment(folder, port)
    server = [sys.executable, "-m", "prefect", "server", "start"]
    server += ["--host", "127.0.0.1", "--port", str(port)]
    serving = [sys.executable, "-m", "hsc_pipelines.serving", "--limit", str(limit)]
    since = datetime.now(UTC)
    for name, command, ready in (
        ("server", server, lambda: api.healthy(port)),
        ("serving", serving, lambda: api.served(port, since)),
    ):
        if name == "serving":
            # Runs of an earlier one that was killed, or went down with the machine.
            api.mark_crashed(port, _DEAD)
        daemon = start(name, command, environment, folder)
        fresh = replace(fresh, daemons=(*fresh.daemons, daemon))
        state.write(folder, fresh)
        _wait(daemon, ready, deadline)
    return fresh


def _wait(daemon: Daemon, ready: Callable[[], bool], deadline: float) -> None:
    while not ready():
        if not daemon.runs():
            raise UpError(_with_log(f"the {daemon.name} ended while it was starting", daemon))
        if time.monotonic() > deadline:
            raise UpError(_with_log(f"the {daemon.name} is not ready in time", daemon))
        time.sleep(0.2)


def _with_log(message: str, daemon: Daemon) -> str:
    return f"{message}; the end of {daemon.log}:\n{daemon.log_tail()}"


def _end_all(folder: Path, known: State) -> list[dict[str, Any]]:
    ended = []
    # The serving process first: it tells the server that it stops.
    for daemon in reversed(known.daemons):
        # Serving has ended by now, and its flows with it; the server can still be told.
        if daemon.name == "server" and known.port is not None and daemon.runs():
            api.mark_crashed(known.port, _DEAD)
        ended.append({"name": daemon.name, "pid": daemon.pid, "by": daemon.end(_GRACE_S)})
        known = replace(known, daemons=tuple(one for one in known.daemons if one != daemon))
        state.write(folder, known)
    return ended


def _environment(folder: Path, port: int) -> dict[str, str]:
    # What PREFECT_* says belongs to another server, its keys above all; HSC_* goes on to the flows.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PREFECT_") or name.startswith("PREFECT_LOGGING_")
    }
    home = folder / "prefect"
    home.mkdir(exist_ok=True)
    return {
        **kept,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api.url(port),
        # Without it the pages look for the server on port 4200 (prefect 3.8 and 3.9).
        "PREFECT_UI_API_URL": api.url(port),
        # By default the pages are written into the installed package.
        "PREFECT_UI_STATIC_DIRECTORY": str(folder / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _is_up(known: State, running: Sequence[Daemon]) -> bool:
    return (
        known.port is not None
        and len(running) == len(known.daemons) == 2
        and api.healthy(known.port)
    )


def _status(known: State) -> dict[str, Any]:
    running = [daemon for daemon in known.daemons if daemon.runs()]
    return {
        "up": _is_up(known, running),
        "api_url": api.url(known.port) if known.port is not None and known.daemons else None,
        "daemons": [
            {"name": one.name, "pid": one.pid, "runs": one in running, "log": one.log}
            for one in known.daemons
        ],
        "deployments": list(api.DEPLOYMENTS),
    }


def _say_up(answer: dict[str, Any]) -> str:
    first = "it runs already" if answer["already"] else f"up after {answer['seconds']} s"
    return "\n".join(
        [
            f"{first}; the pages: {answer['api_url'].removesuffix('/api')}",
            f"export PREFECT_API_URL={answer['api_url']}",
            "next: hsc ingest PATH --flow",
            "      prefect deployment run ingest/local -p 'paths=[\"/absolute/path.h5\"]'",
        ]
    )


def _say_status(answer: dict[str, Any]) -> str:
    lines = [
        f"{one['name']}: {'runs' if one['runs'] else 'has ended'}, pid {one['pid']}, {one['log']}"
        for one in answer["daemons"]
    ]
    if answer["up"]:
        return "\n".join([f"up: {answer['api_url']}", *lines])
    return "\n".join(["not up", *lines])


def _say_down(answer: dict[str, Any]) -> str:
    lines = [f"{one['name']} (pid {one['pid']}): {one['by']}" for one in answer["ended"]]
    return "\n".join(lines or ["nothing ran"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start the server and serve the flows"),
        ("status", "tell what runs; exit code 1 unless all of it"),
        ("down", "end what `up` started"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--state", type=Path, required=True, metavar="DIR")
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
    starting = commands.choices["up"]
    starting.add_argument("--port", type=int, help="default: a free one, the last one if it is")
    starting.add_argument("--limit", type=int, default=2, help="flows that run at once")
    starting.add_argument("--timeout", type=float, default=180.0, help="seconds to wait")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and obey; give the exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    folder = options.state.expanduser().absolute()
    if options.command == "up" and options.port is not None and not 0 < options.port < 65536:
        parser.error("--port must be from 1 to 65535")
    if options.command == "up" and options.limit < 1:
        parser.error("--limit must be at least 1")
    try:
        if options.command == "up":
            _need_packages()
            answer = up(folder, options.port, options.limit, options.timeout)
            text = _say_up(answer)
        elif options.command == "down":
            answer = down(folder)
            text = _say_down(answer)
        else:
            answer = status(folder)
            text = _say_status(answer)
    except (UpError, StateError, DaemonError, OSError) as error:
        document = {"error": type(error).__name__, "message": str(error)}
        if options.json:
            print(json.dumps(document))
        print(f"local.py: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer) if options.json else text)
    return 0 if answer["up"] or options.command == "down" else 1


def _need_packages() -> None:
    missing = [name for name in ("prefect", "hsc_pipelines") if not importlib.util.find_spec(name)]
    if missing:
        raise UpError(
            f"{sys.executable} has no {' and no '.join(missing)}; run this file with the Python "
            "that 'hanseatic-science-cloud[facility]' is installed for"
        )


if __name__ == "__main__":
    sys.exit(main())
