"""Whether a process of this machine is still there."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from blake3 import blake3

_START_FIELD = 19
"""Place of the start time in ``/proc/<n>/stat``, counted after the command's name; see proc(5)."""

_FIRST_NUMBERS = "pid:[4026531836]"
"""The numbers of the machine itself, in no container: PROC_PID_INIT_INO of Linux."""


def alive(process: int, mark: str = "") -> bool:
    """Tell whether a process of this machine is there; True where that can't be known.

    Parameters
    ----------
    process
        Its number.
    mark
        What `process_mark` gave of it: a later process of the same number is another one. Empty:
        only the number counts.
    """
    if os.name == "nt":  # signal 0 ends a process on Windows
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, but there
        pass
    # One that ended and that its parent has not looked after yet keeps its number.
    if (_facts(process) or [""])[0] == "Z":
        return False
    return not mark or process_mark(process) in ("", mark)


@cache
def process_space() -> str:
    """Name the space that process numbers count in: this machine, or a container on it.

    Two containers may bear one host name, and their machines as well; each has numbers of its own.
    A machine keeps its name when it starts again, so that what died with it is known to be dead; a
    container gets another one. Empty where that can't be known, as on other systems than Linux.
    """
    try:
        numbers = os.readlink("/proc/self/ns/pid")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    within = f"{boot} {numbers}"
    if numbers == _FIRST_NUMBERS:
        with suppress(OSError):
            # Never told as it is: machine-id(5).
            within = Path("/etc/machine-id").read_text(encoding="ascii").strip() or within
    return blake3(f"hsc.process-space/1 {within}".encode()).hexdigest()[:16]


def process_mark(process: int) -> str:
    """Give what tells a process from all that had or will have its number: boot and start time.

    Empty where that can't be known, as on other systems than Linux.
    """
    facts = _facts(process)
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    return f"{boot}/{facts[_START_FIELD]}" if facts else ""


def _facts(process: int) -> list[str]:
    """Give what ``/proc/<n>/stat`` says after the command's name; nothing where it says nothing."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # The command's name stands in parentheses and may hold any sign.
    return text.rpartition(")")[2].split()
