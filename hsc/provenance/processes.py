"""Whether a process of this machine is still there."""

from __future__ import annotations

import os


def alive(process: int) -> bool:
    """Tell whether a process of this machine is there; True where that can't be known."""
    if os.name == "nt":  # signal 0 ends a process on Windows
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, but there
        return True
    return True
