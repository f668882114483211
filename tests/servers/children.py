"""Programs that end with the one that started them, and the ports they listen on."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PORTS = range(20_000, 32_768)  # below the range that client sockets are given


def free_port() -> int:
    """Give a port on loopback that nobody listens on, outside of the ephemeral range."""
    # Not the seeded numbers of the tests: two processes of them would draw the same ports.
    for port in random.SystemRandom().sample(_PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port from 20000 to 32767")


class Child:
    """A server in the foreground, our child: killed by the kernel when this process dies.

    Parameters
    ----------
    words
        The program and its arguments.
    log
        The file that its output goes to.
    user
        The account it runs as; None: ours.
    given
        The file that it reads on stdin; None: there is nothing to read.
    """

    def __init__(
        self, words: Sequence[str], log: Path, user: str | None = None, given: Path | None = None
    ) -> None:
        self._log = log
        with log.open("ab") as output, (given or Path(os.devnull)).open("rb") as read:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *words],
                stdin=read,
                stdout=output,
                stderr=output,
                cwd=log.parent,
                user=user,
                group=None if user is None else _group(user),
                extra_groups=None if user is None else [],
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until it is ready; one that ends instead shows its last lines."""
        end = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self._process.args} is not ready:\n{self.last_lines()}")
            time.sleep(0.05)

    def last_lines(self) -> str:
        """Give the end of its log."""
        return self._log.read_bytes()[-3000:].decode(errors="replace")

    def pause(self) -> None:
        """Stop it as it is: it holds its connections and answers nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def end(self, with_signal: int = signal.SIGTERM, seconds: float = 10) -> None:
        """Ask it to end, and kill it when it does not."""
        self._process.send_signal(with_signal)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


def _group(user: str) -> int:
    import pwd  # Unix alone has it, and so have these servers

    return pwd.getpwnam(user).pw_gid
