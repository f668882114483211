"""Tables built by a child process: the same bytes, an error where it dies, none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from hsc.errors import ReductionError
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.building import build_arrays
from hsc.reductions.azimuthal.pictures import Calibrations, mask_of
from hsc.reductions.azimuthal.reduction import AZIMUTHAL
from hsc.reductions.azimuthal.shelf import fetch_arrays, is_kept
from hsc.reductions.azimuthal.stack import stack_of
from hsc.reductions.azimuthal.tables import pixel_table, prepare_table
from hsc.reductions.geometry import Geometry
from hsc.workers.children import _TAKEN

GEOMETRY = Geometry((300, 200), 0.1, 1e-10, 0.02, 0.01, 1e-4, 1e-4, rot1_rad=0.1)
BINNING = Binning(GEOMETRY, 40, 0.0, 9.0)
PREPARE = """
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.geometry import Geometry
from hsc.reductions.azimuthal.tables import pixel_table, prepare_table
sys = __import__("sys")
binning = Binning(Geometry((600, 500), 0.1, 1e-10, 0.02, 0.01, 1e-4, 1e-4), 40, 0.0, 9.0)
print("ready", flush=True)
sys.stdin.readline()
prepare_table(binning)
print(pixel_table(binning).order.pixels.tobytes().hex()[:4000])
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills as POSIX has them")


@contextmanager
def when_the_child_works(do):
    """Do something once, from another thread, when a child has its work."""

    def watch():
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for child in list(_TAKEN):
                if child.busy:
                    pids.append(child._process.pid)
                    do(pids[0])
                    return
            time.sleep(0.005)

    pids: list[int] = []
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield pids
    finally:
        thread.join()


def gone(pid):
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    return True


def test_a_child_builds_the_same_bytes_with_all_calibrations(in_memory, random_frames, picture):
    rng = np.random.default_rng(5)
    calibrations = {
        "flat": in_memory(random_frames(), flatfield=picture(rng.uniform(0.0, 2.0, (60, 50)))),
        "dark": in_memory(random_frames(), dark=picture(rng.normal(1.0, 0.1, (60, 50)))),
    }
    calibrations["dark"] = calibrations["dark"].without("count_time")
    asked = {"splitting": "bbox", "polarization_factor": 0.9, "bins": 30}
    mask = mask_of(picture((rng.random((60, 50)) < 0.1).astype(np.uint8)))
    stack = stack_of(
        in_memory(random_frames()), AZIMUTHAL.parse(asked), Calibrations((mask,), **calibrations)
    )
    here, apart = build_arrays(stack.binning), build_arrays(stack.binning, built_here_pixels=0)
    assert list(here) == list(apart)
    for name, values in here.items():
        assert apart[name].dtype == values.dtype
        assert apart[name].shape == values.shape
        assert apart[name].tobytes() == values.tobytes()
    assert len(here["factors"]) == 3
    assert not _TAKEN


def test_what_is_wrong_is_told_as_it_is_in_this_process():
    high = replace(GEOMETRY, detector_name="Pilatus 1M")
    with pytest.raises(ReductionError) as here:
        build_arrays(replace(BINNING, geometry=high))
    with pytest.raises(ReductionError) as apart:
        build_arrays(replace(BINNING, geometry=high), built_here_pixels=0)
    assert str(apart.value) == str(here.value)


def test_a_child_that_is_killed_is_an_error_that_says_so():
    with (
        when_the_child_works(lambda pid: os.kill(pid, signal.SIGKILL)) as pids,
        pytest.raises(ReductionError, match=r"pyFAI crashed \(signal 9, SIGKILL.*60000 pixels"),
    ):
        build_arrays(BINNING, built_here_pixels=0)
    assert gone(pids[0])
    assert not is_kept(BINNING)


def test_ctrl_c_ends_the_child_with_the_wait_for_it():
    main = threading.main_thread().ident
    with (
        when_the_child_works(lambda _: signal.pthread_kill(main, signal.SIGINT)) as pids,
        pytest.raises(KeyboardInterrupt),
    ):
        build_arrays(BINNING, built_here_pixels=0)
    assert gone(pids[0])
    assert not _TAKEN


def test_two_processes_that_want_the_same_table_at_once_both_have_it(tmp_path, monkeypatch):
    # This one is the other: a process costs seconds to start.
    monkeypatch.setenv("HSC_HOME", str(tmp_path))
    other = subprocess.Popen(
        [sys.executable, "-c", PREPARE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("\n")
    other.stdin.flush()
    geometry = Geometry((600, 500), 0.1, 1e-10, 0.02, 0.01, 1e-4, 1e-4)
    binning = replace(BINNING, geometry=geometry)
    prepare_table(binning)
    mine = pixel_table(binning).order.pixels.tobytes().hex()[:4000]
    said = other.communicate()[0]
    assert other.returncode == 0
    assert said.strip() == mine != ""
    kept = list((tmp_path / "tables").iterdir())
    assert [path.suffix for path in kept] == [".table"]
    assert fetch_arrays(binning)["pixels"].tobytes().hex()[:4000] == mine
