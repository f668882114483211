"""A real `hsc serve` in a process of its own, on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "from hsc.cli.main import main; main()"


@dataclass
class Server:
    """One server that runs."""

    process: subprocess.Popen[str]
    """Its process."""
    address: str
    """Where it answers."""
    log: Path
    """What it writes to stderr."""

    def end(self, sent: signal.Signals) -> int:
        """Send it a signal; give its exit code."""
        self.process.send_signal(sent)
        return self.process.wait(30)


def start(home: Path, *options: str, **environment: str) -> Server:
    """Start a server on the catalog below a home, on a free port; wait until it answers."""
    log = home / "serve.log"
    command = [sys.executable, "-c", PROGRAM, "serve", "--json", *options]
    if "--port" not in options:
        command += ["--port", "0"]
    with log.open("a") as told:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env={**os.environ, "HSC_HOME": str(home), **environment},
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"no server: {process.wait(30)}\n{log.read_text()}"
    return Server(process, json.loads(line)["address"], log)


@contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[Server]:
    """Serve for the length of a block."""
    server = start(home, *options, **environment)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait(30)
        if server.process.stdout is not None:
            server.process.stdout.close()
