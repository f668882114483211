"""The child processes of this process: started on demand, used again for the same subject."""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from hsc.errors import (
    HscError,
    SourceCrashError,
    SourceError,
    SourceTooLargeError,
    SourceTooSlowError,
)
from hsc.workers.messages import packed, receive, send

R = TypeVar("R")

_LOG = logging.getLogger(__name__)
_WALL_TIMES = 3
_PROGRAM_BYTES = 2**30
_SECRET = re.compile(r"^AWS_|^PREFECT_|^HSC_(TOKEN|CATALOG)|TOKEN|SECRET|PASSW|CREDENTIAL|_KEY$")
_TOO_SLOW = {"SIGALRM", "SIGPROF", "SIGXCPU"}
_TRUSTED = "copy the file again from where it was written; if you trust it, leave --isolate out"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child process may take."""

    memory_bytes: int = 2 * 2**30
    """Memory beside the program itself, where the platform can bound it (Linux)."""
    seconds: float = 300.0
    """Processor time of one call; by the clock it may take three times as long."""


class Child:
    """A child process that does one call at a time."""

    def __init__(self, subject: str, limits: Limits, library: str = "HDF5") -> None:
        self.subject = subject
        self.limits = limits
        self._library = library
        self.busy = False
        """Whether a call was left in the middle: its answer must never be taken for another's."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._process = _STARTER.submit(_started, limits, self._said.fileno()).result()
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._requests = self._process.stdin.fileno()
        self._replies = self._process.stdout.fileno()

    @property
    def alive(self) -> bool:
        """Whether it can do another call."""
        return self._process.poll() is None

    def call(self, function: Callable[..., R], *args: Any, doing: str) -> R:
        """Call a function in the child; see `hsc.workers.Isolation.call`."""
        request = packed((function, args))
        self.busy = True
        with self._alarm():
            try:
                send(self._requests, request)
                reply = receive(self._replies, self.limits.memory_bytes + _PROGRAM_BYTES)
            except (EOFError, OSError) as error:
                raise self._ended(doing) from error
            except (ValueError, AttributeError, ImportError, pickle.PickleError) as error:
                raise self._mad(doing, error) from error
        self.busy = False
        result: R = self._opened(reply, doing)
        return result

    def kill(self) -> None:
        """End it while somebody waits for its answer; they get an error."""
        self._process.kill()

    def close(self) -> None:
        """End it when nobody waits for it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            if pipe is not None:
                pipe.close()

    @contextmanager
    def _alarm(self) -> Iterator[None]:
        if os.name == "posix":  # the kernel sees to it, even when we are gone
            yield
            return
        alarm = threading.Timer(self.limits.seconds * _WALL_TIMES, self._process.kill)
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _opened(self, reply: Any, doing: str) -> Any:
        kind, content, *trace = reply
        if kind == "result":
            return content
        if kind == "memory":
            self.close()  # what ran out of memory is fit for nothing more
            raise SourceTooLargeError(
                f"it takes more than {self.limits.memory_bytes / 1e9:.3g} GB of memory, "
                f"while {doing}",
                where=self.subject,
                next_step="look whether the file is what it says; if it is, give more with "
                "--memory, or leave --isolate out",
            ) from content
        if not isinstance(content, HscError):
            content.add_note(f"in the child process:\n{''.join(trace)}")
        raise content

    def _ended(self, doing: str) -> SourceError:
        """Word that it ended, and how."""
        code = self._process.wait()
        self._said.seek(0)
        _LOG.debug("a child process ended: %s", self._said.read(10_000).decode(errors="replace"))
        name = _signal_name(code)
        if name in _TOO_SLOW:
            return SourceTooSlowError(
                f"it takes longer than {self.limits.seconds:g} s of processor time or "
                f"{self.limits.seconds * _WALL_TIMES:g} s by the clock, while {doing}",
                where=self.subject,
                next_step=_TRUSTED,
            )
        how = f"signal {-code}, {name}" if name else f"exit code {code}"
        hint = "; the machine may have run out of memory" if name == "SIGKILL" else ""
        return SourceCrashError(
            f"{self._library} crashed ({how}{hint}), while {doing}",
            where=self.subject,
            next_step=_TRUSTED,
        )

    def _mad(self, doing: str, error: Exception) -> SourceCrashError:
        self.close()
        return SourceCrashError(
            f"{self._library}'s process gave an answer that can't be read ({error}), while {doing}",
            where=self.subject,
            next_step=_TRUSTED,
        )


def borrow(subject: str, limits: Limits, library: str = "HDF5") -> Child:
    """Take a child for a subject; one that is idle, or a new one for what a library does."""
    with _LOCK:
        mine = [child for child in _IDLE if (child.subject, child.limits) == (subject, limits)]
        found = next((child for child in mine if child.alive), None)
        ended = [child for child in _IDLE if child not in mine or not child.alive]
        _IDLE[:] = [child for child in _IDLE if child is not found and child not in ended]
    for child in ended:
        child.close()
    taken = found or Child(subject, limits, library)
    with _LOCK:
        _TAKEN.add(taken)
    return taken


def give_back(child: Child, *, keep: bool = True) -> None:
    """Keep a child for the next call about its subject, if it lives; or end it."""
    with _LOCK:
        _TAKEN.discard(child)
        if keep and child.alive and not child.busy:
            _IDLE.append(child)
            return
    child.close()


def end_children(*, working: bool = False) -> None:
    """End the children that wait for work, and on demand those that work."""
    with _LOCK:
        idle, taken = list(_IDLE), list(_TAKEN) if working else []
        _IDLE.clear()
    for child in idle:
        child.close()
    for child in taken:
        child.kill()


@contextmanager
def ending_children() -> Iterator[None]:
    """Leave no idle child behind when the block ends."""
    try:
        yield
    finally:
        end_children()


def _started(limits: Limits, said: int) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not _SECRET.search(k.upper())}
    environment["OPENBLAS_NUM_THREADS"] = environment["OMP_NUM_THREADS"] = "1"
    wall_s = limits.seconds * _WALL_TIMES
    program = [sys.executable, "-P", "-m", "hsc.workers.child", str(os.getpid())]
    return subprocess.Popen(
        [*program, str(limits.memory_bytes), str(limits.seconds), str(wall_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        bufsize=0,
        env=environment,
        # A group of its own, so that Ctrl-C in the terminal is for the parent alone to answer.
        process_group=0,
    )


def _signal_name(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else ""
    except ValueError:
        return "unknown"


# Linux ends a child with the thread that started it: let that be one that lives as long as we do.
_STARTER = ThreadPoolExecutor(1, thread_name_prefix="hsc-starter")
_LOCK = threading.Lock()
_IDLE: list[Child] = []
_TAKEN: set[Child] = set()
atexit.register(end_children, working=True)
