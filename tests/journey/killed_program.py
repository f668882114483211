"""Run ``hsc`` on a watched store and die, as of SIGKILL, at a named point of it.

Arguments: WHEN (before|after) WHAT (put|delete) PATTERN WORDS...; ``HSC_STORE`` is ``watched+URL``.
"""

from __future__ import annotations

import os
import signal
import sys
from fnmatch import fnmatchcase

from hsc.cli.main import main
from hsc.store import add_scheme, open_objects
from hsc.testing import WatchedObjects

WHEN, WHAT, PATTERN = sys.argv[1:4]
SCHEMES = ("watched+file", "watched+s3")


def die(when: str, what: str, key: str) -> None:
    """End this process at the named point."""
    if (when, what) == (WHEN, WHAT) and fnmatchcase(key, PATTERN):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    for scheme in SCHEMES:
        add_scheme(scheme, lambda url: WatchedObjects(open_objects(url.partition("+")[2]), die))
    sys.argv = ["hsc", *sys.argv[4:]]
    main()
