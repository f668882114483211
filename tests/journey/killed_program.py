"""Run ``hsc`` on a watched store and die, as of SIGKILL, at a named point of it.

``DIE_AT`` names it: before or after, put or delete, and a pattern of keys, between blanks.
``DIE_OF`` may name another signal, as SIGINT, which Ctrl-C sends.
``HSC_STORE`` is ``watched+`` and the URL of the store.
"""

from __future__ import annotations

import os
import signal
from fnmatch import fnmatchcase

from hsc.cli.main import main
from hsc.store import add_scheme, open_objects
from hsc.testing import WatchedObjects

WHEN, WHAT, PATTERN = os.environ["DIE_AT"].split()
SIGNAL = signal.Signals[os.environ.get("DIE_OF", "SIGKILL")]
SCHEMES = ("watched+file", "watched+s3")


def die(when: str, what: str, key: str) -> None:
    """End this process at the named point."""
    if (when, what) == (WHEN, WHAT) and fnmatchcase(key, PATTERN):
        os.kill(os.getpid(), SIGNAL)


if __name__ == "__main__":
    for scheme in SCHEMES:
        add_scheme(scheme, lambda url: WatchedObjects(open_objects(url.partition("+")[2]), die))
    main()
