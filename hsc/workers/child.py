"""The program of a child process that reads foreign files; `hsc.workers.children` starts it.

Calls come in on stdin, results go out on what was stdout; what libraries print goes to stderr.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from typing import Any

from hsc.workers.messages import packed, receive, send

_IDLE_S = 900
_REQUEST_BYTES = 2**31
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_NO_MEMORY = ("memory allocation failed", "unable to allocate", "can't allocate", "out of memory")


def main() -> None:
    """Answer calls until the parent is gone or asks no more; arguments: see `_started` there."""
    parent, memory_bytes = int(sys.argv[1]), int(sys.argv[2])
    times = float(sys.argv[3]), float(sys.argv[4])
    faulthandler.enable()
    _die_with(parent)
    requests, replies = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    bounded = False
    while True:
        _set_timers(0, _IDLE_S)
        try:
            function, args = receive(requests, _REQUEST_BYTES)
        except EOFError:
            return
        except Exception as error:  # a function that this process can't import
            _reply(replies, error)
            continue
        if not bounded:  # once the modules are there that the call needs
            _bound_memory(memory_bytes)
            bounded = True
        _answer(replies, function, args, times)


def _answer(replies: int, function: Any, args: tuple[Any, ...], times: tuple[float, float]) -> None:
    """Run one call and send what came of it."""
    _set_timers(*times)
    try:
        result = function(*args)
    except Exception as error:
        _set_timers(0, 0)
        _reply(replies, error)
        return
    _set_timers(0, 0)
    try:
        message = packed(("result", result))
    except Exception as error:  # a result that can't be pickled, or not within the memory
        _reply(replies, error)
        return
    _send(replies, message)


def _reply(replies: int, error: Exception) -> None:
    kind = "memory" if _out_of_memory(error) else "error"
    trace = "".join(traceback.format_exception(error))
    try:
        message = packed((kind, error, trace))
    except Exception:  # an error that can't be pickled, as other people's may be
        message = packed((kind, RuntimeError(f"{type(error).__name__}: {error}"), trace))
    _send(replies, message)


def _send(replies: int, message: list[memoryview]) -> None:
    try:
        send(replies, message)
    except BrokenPipeError:  # the parent is gone, and nobody is left to tell
        os._exit(0)


def _out_of_memory(error: BaseException | None) -> bool:
    while error is not None:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def _die_with(parent: int) -> None:
    """Leave no core file, hear no Ctrl-C, and be killed when the parent is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name != "posix":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we came to this line
        os._exit(0)


def _set_timers(processor_s: float, wall_s: float) -> None:
    """Have the kernel end this process when a call takes too long, wherever it is then."""
    if os.name == "posix":
        signal.setitimer(signal.ITIMER_PROF, processor_s)
        signal.setitimer(signal.ITIMER_REAL, wall_s)


def _bound_memory(nbytes: int) -> None:
    try:
        pages = int(open("/proc/self/statm", encoding="ascii").read().split()[0])  # noqa: SIM115
    except OSError:  # only Linux tells, and only there the bound is kept
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = pages * resource.getpagesize() + nbytes
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


if __name__ == "__main__":
    main()
