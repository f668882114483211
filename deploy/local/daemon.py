"""A daemon: a program of its own session, known by its pid and the moment it started."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_MARK = "HSC_LOCAL_DAEMON_MARK"


class DaemonError(Exception):
    """A daemon could not be started or ended; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A program that was started here."""

    name: str
    """What it is: ``server`` or ``serving``."""
    pid: int
    """Its process id, which is also its session's and its group's."""
    started: str
    """The moment it started, as the system writes it: tells a reused pid from this program."""
    log: str
    """The file that takes its output."""
    mark: str
    """A random word in its environment, which what it starts inherits and nothing else has."""

    def document(self) -> dict[str, str | int]:
        """Give it as JSON values."""
        return asdict(self)

    def runs(self) -> bool:
        """Tell whether this very program still runs."""
        return start_moment(self.pid) == self.started

    def end(self, grace_s: float) -> str:
        """End it and what it started; give how it went, as in ``ended by SIGTERM``.

        A pid that somebody else has by now is left alone.

        Raises
        ------
        DaemonError
            It, or what it started, outlives SIGKILL for five seconds.
        """
        # What it started first, while it still runs: Prefect's runner, when it ends, ends its flows
        # by SIGKILL, and a flow that hears SIGTERM tells server and catalog that it is stopped.
        rest = self._end_what_it_started(grace_s)
        how = "had ended"
        if self.runs():
            how = "ended by SIGTERM"
            _signal(self.pid, signal.SIGTERM)
            if not _wait_until(lambda: not self.runs(), grace_s):
                how = "ended by SIGKILL"
                _signal(self.pid, signal.SIGKILL)
                if not _wait_until(lambda: not self.runs(), 5.0):
                    raise DaemonError(f"the {self.name} (pid {self.pid}) outlives SIGKILL")
        # It may have started something more in between.
        return how + (self._end_what_it_started(grace_s) or rest)

    def _end_what_it_started(self, grace_s: float) -> str:
        if not self._others():
            return ""
        for number, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
            for pid in self._others():
                _signal(pid, number)
            if _wait_until(lambda: not self._others(), wait_s):
                return f"; {number.name} ended what it had started"
        raise DaemonError(f"what the {self.name} had started outlives SIGKILL: {self._others()}")

    def _others(self) -> list[int]:
        return [pid for pid in marked_programs(self.mark) if pid != self.pid]

    def log_tail(self, lines: int = 15) -> str:
        """Give the last lines of its log."""
        try:
            text = Path(self.log).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def start(
    name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Daemon:
    """Start a program in a session of its own, its output in ``folder/<name>.log``.

    Raises
    ------
    DaemonError
        It ended before its start could be noted.
    """
    log = folder / f"{name}.log"
    mark = secrets.token_hex(16)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            env={**environment, _MARK: mark},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    moment = start_moment(child.pid)
    if moment is None:
        raise DaemonError(f"the {name} ended at once with code {child.wait()}; see {log}")
    return Daemon(name=name, pid=child.pid, started=moment, log=str(log), mark=mark)


def start_moment(pid: int) -> str | None:
    """Give when a process started, in a form unlike any other's; None if it does not run.

    On Linux this is the boot's id and the clock tick; elsewhere what ``ps`` says, to the second.
    """
    if (_PROC / "self" / "stat").exists():
        fields = _stat_fields(pid)
        # A zombie has ended; it only waits for its parent to look.
        if fields is None or fields[0] in "ZX":
            return None
        return f"{_boot_id()}:{fields[19]}"
    answer = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split(maxsplit=1)
    return None if len(answer) < 2 or answer[0].startswith("Z") else answer[1].strip()


def marked_programs(mark: str) -> list[int]:
    """List the running programs that inherited a mark; none where there is no ``/proc``."""
    wanted = f"{_MARK}={mark}".encode()
    return [
        int(entry.parent.name)
        for entry in _PROC.glob("[0-9]*/environ")
        if wanted in _environment_of(entry).split(b"\0")
    ]


def _environment_of(entry: Path) -> bytes:
    try:
        return entry.read_bytes()
    except OSError:
        # Somebody else's program, or one that has just ended: neither is ours.
        return b""


def _signal(pid: int, number: signal.Signals) -> None:
    # Gone between the look and the signal: what was wanted has happened.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stat_fields(pid: int) -> list[str] | None:
    # proc(5): the second field is the program's name in brackets and may hold blanks; what comes
    # after it is state, ppid, pgrp, session ... and, as the twentieth, the start time in ticks.
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
