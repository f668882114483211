"""Temporary files of a directory store: those of dead writers are found, others are left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hsc.store import DirectoryObjects, KeepsStrays

WRITE = """
import sys, time
from pathlib import Path
import numpy as np
from hsc.store import DirectoryObjects
with DirectoryObjects(Path(sys.argv[1])).begin("a/object") as made:
    made.write(np.zeros(6, np.uint8), 6)
    print("written", flush=True)
    time.sleep(100)
"""


def _begin(folder: Path) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    return writer


def test_a_writers_file_is_a_stray_only_once_it_is_dead(tmp_path: Path):
    objects = DirectoryObjects(tmp_path / "store")
    assert isinstance(objects, KeepsStrays)
    assert objects.strays() == []
    with _begin(tmp_path / "store") as writer:
        assert objects.strays() == []
        writer.send_signal(signal.SIGKILL)
    ((key, nbytes),) = objects.strays()
    assert nbytes == len(b"a part")
    objects.delete(key)
    assert objects.strays() == []
    assert objects.keys("") == []


def test_another_machines_file_is_a_stray_past_the_lease(tmp_path: Path):
    objects = DirectoryObjects(tmp_path)
    path = tmp_path / ".tmp" / "0123456789ab-1-feed"
    path.parent.mkdir()
    path.write_bytes(b"x")
    assert objects.strays() == []
    long_ago = time.time() - 13 * 3600
    os.utime(path, (long_ago, long_ago))
    assert objects.strays() == [(".tmp/0123456789ab-1-feed", 1)]
