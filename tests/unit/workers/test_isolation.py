"""Calls in a child process: what ends the child is an error of its own kind, and we live on."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hsc.errors import (
    SourceCrashError,
    SourceMissingError,
    SourceTooLargeError,
    SourceTooSlowError,
)
from hsc.jobs.planning import read_plan
from hsc.workers import Isolation, Limits, end_children, isolated

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and limits as POSIX has them")

SMALL = Limits(memory_bytes=200 * 2**20, seconds=30)
FILE = Isolation("/data/scan.h5", SMALL)


@pytest.fixture(autouse=True)
def no_children_left():
    yield
    end_children(working=True)


def test_results_come_back_whole_and_arrays_bit_for_bit():
    assert FILE.call(divmod, 17, 5, doing="counting") == (3, 2)
    values = FILE.call(np.arange, 3_000_000, doing="counting")
    assert values.flags.writeable
    assert np.array_equal(values, np.arange(3_000_000))
    assert FILE.call(np.empty, (0, 3), doing="counting").shape == (0, 3)


def test_a_child_stays_for_one_file_and_reads_no_other():
    first = FILE.call(os.getpid, doing="counting")
    assert first != os.getpid()
    assert FILE.call(os.getpid, doing="counting") == first
    other = Isolation("/data/other.h5", SMALL)
    assert other.call(os.getpid, doing="counting") != first
    assert _gone(first)


@pytest.mark.parametrize(
    ("function", "args", "word"),
    [
        (os.abort, (), "signal 6, SIGABRT"),
        (os.kill, (0, signal.SIGSEGV), "signal 11, SIGSEGV"),
        (os.kill, (0, signal.SIGKILL), "run out of memory"),
        (os._exit, (3,), "exit code 3"),
        (os.close, (4,), "exit code 1"),
    ],
    ids=["abort", "segmentation fault", "killed", "exit", "without a voice"],
)
def test_a_crash_is_an_error_that_says_what_it_was_doing(function, args, word):
    with pytest.raises(SourceCrashError) as caught:
        FILE.call(function, *args, doing="reading /entry/data")
    assert word in caught.value.message
    assert "while reading /entry/data" in caught.value.message
    assert caught.value.where == "/data/scan.h5"
    assert caught.value.next_step
    assert FILE.call(divmod, 17, 5, doing="counting") == (3, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory so")
@pytest.mark.parametrize(
    ("function", "args"),
    [(bytearray, (10**9,)), (np.ones, (10**9,)), (np.zeros, (2**50,))],
    ids=["bytes", "an array", "an array that no machine has"],
)
def test_a_bomb_meets_the_bound_on_memory(function, args):
    with pytest.raises(SourceTooLargeError, match=r"more than 0\.21 GB of memory, while reading"):
        FILE.call(function, *args, doing="reading /bomb")
    assert FILE.call(divmod, 17, 5, doing="counting") == (3, 2)


@pytest.mark.parametrize(
    ("function", "args"),
    [(sum, (range(10**15),)), (time.sleep, (100,))],
    ids=["computing in C", "waiting"],
)
def test_what_never_ends_is_ended(function, args):
    hasty = Isolation("/data/scan.h5", Limits(SMALL.memory_bytes, seconds=0.3))
    with pytest.raises(SourceTooSlowError, match="while reading /loop"):
        hasty.call(function, *args, doing="reading /loop")
    assert hasty.call(divmod, 17, 5, doing="counting") == (3, 2)


def test_errors_of_the_tree_travel_back_as_themselves(tmp_path: Path):
    with pytest.raises(SourceMissingError) as caught:
        FILE.call(read_plan, tmp_path / "absent.h5", None, "UTC", "strict", doing="looking")
    assert caught.value.where == str(tmp_path / "absent.h5")
    with pytest.raises(ValueError, match="invalid literal") as defect:
        FILE.call(int, "x", doing="counting")
    assert "in the child process" in defect.value.__notes__[0]


def test_what_a_pickle_does_not_hold_is_told_and_the_child_stays():
    first = FILE.call(os.getpid, doing="counting")
    with pytest.raises(TypeError, match="cannot pickle"):
        FILE.call(open, os.devnull, doing="opening")
    with pytest.raises((AttributeError, pickle.PicklingError)):
        FILE.call(lambda: 1, doing="opening")
    assert FILE.call(os.getpid, doing="counting") == first


def test_an_idle_child_that_somebody_killed_is_replaced():
    first = FILE.call(os.getpid, doing="counting")
    os.kill(first, signal.SIGKILL)
    while not _gone(first):
        time.sleep(0.01)
    assert FILE.call(os.getpid, doing="counting") != first


def test_a_child_has_no_secrets_and_leaves_no_core(monkeypatch):
    import resource

    names = (
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "HSC_TOKEN",
        "HSC_CATALOG",
        "MY_PASSWORD",
    )
    for name in names:
        monkeypatch.setenv(name, "s3cr3t")
    monkeypatch.setenv("HDF5_PLUGIN_PATH", "/plugins")
    assert [FILE.call(os.getenv, name, doing="looking") for name in names] == [None] * len(names)
    assert FILE.call(os.getenv, "HDF5_PLUGIN_PATH", doing="looking") == "/plugins"
    assert FILE.call(resource.getrlimit, resource.RLIMIT_CORE, doing="looking") == (0, 0)


def test_what_a_library_prints_is_no_answer():
    assert FILE.call(os.write, 1, b"a library talks on stdout\n", doing="talking") == 26
    assert FILE.call(divmod, 17, 5, doing="counting") == (3, 2)


def test_an_isolated_function_runs_in_a_child_of_whoever_calls_it():
    function = isolated(os.getppid, FILE, doing="looking")
    assert function() == os.getpid()
    again = pickle.loads(pickle.dumps(function))  # noqa: S301
    assert again() == os.getpid()


def test_who_works_at_once_has_a_child_each():
    with FILE.child() as one, FILE.child() as other:
        first = one.call(os.getpid, doing="looking")
        second = other.call(os.getpid, doing="looking")
    assert first != second
    assert FILE.call(os.getpid, doing="looking") in (first, second)


PROGRAM = """
import os, signal, sys, time

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
from hsc.workers import Isolation, ThreadWorkers, isolated

def work(task):
    FILE = Isolation(f"/data/{task}.h5")
    print(FILE.call(os.getpid, doing="looking"), flush=True)
    FILE.call(sum, range(10**15), doing="computing")

if __name__ == "__main__":
    ThreadWorkers(2).map(work, [0, 1]) if sys.argv[1] == "threads" else work(0)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
@pytest.mark.parametrize("where", ["threads", "main thread"])
def test_no_child_outlives_its_parent(tmp_path: Path, how: signal.Signals, where: str):
    if how is signal.SIGKILL and sys.platform != "linux":
        pytest.skip("a child in the middle of C code hears of its parent's death only on Linux")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, program, where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as parent:
        try:
            children = _begun(parent, 2 if where == "threads" else 1)
            os.killpg(parent.pid, how)
            _, said = parent.communicate(timeout=30)
        finally:
            parent.kill()
    if how is signal.SIGINT:
        assert "KeyboardInterrupt" in said
        assert "Exception ignored" not in said
    until = time.monotonic() + 10
    while not all(map(_gone, children)):
        assert time.monotonic() < until, children
        time.sleep(0.05)


def _begun(parent: subprocess.Popen[str], count: int) -> list[int]:
    assert parent.stdout is not None
    children = [int(parent.stdout.readline()) for _ in range(count)]
    time.sleep(0.5)
    assert not any(map(_gone, children))
    return children


def _gone(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        pass
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False
