"""A process is alive until it ends, even when nobody has looked after its end yet."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hsc.provenance import alive, process_mark


def test_this_process_is_alive_and_another_of_its_number_is_not() -> None:
    assert alive(os.getpid())
    assert alive(os.getpid(), process_mark(os.getpid()))
    if process_mark(os.getpid()):
        assert not alive(os.getpid(), "another boot/1")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="/proc tells it")
def test_one_that_was_killed_is_dead_before_its_parent_knows() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mark = process_mark(child.pid)
        assert alive(child.pid, mark)
        child.kill()
        end = time.monotonic() + 10
        while alive(child.pid, mark):
            assert time.monotonic() < end
            time.sleep(0.01)
        child.wait()
    assert not alive(child.pid, mark)
