"""Work ends when nobody waits for it any more: at its next part, and after Ctrl-C in any case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hsc.errors import DamagedSourceError, WorkStoppedError
from hsc.store import pay
from hsc.workers import Bounds, ThreadWorkers, left_running

HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
IN_HAND = (
    HEARING
    + """
import threading
from hsc.workers import ThreadWorkers, left_running

def work(task):
    print("begun", flush=True)
    threading.Event().wait(100)

try:
    ThreadWorkers(1).map(work, [0, 1])
except KeyboardInterrupt:
    import os
    print("left running:", left_running(), flush=True)
    os._exit(0)
"""
)
TWICE = (
    HEARING
    + """
import time
from hsc.cli.main import _hear_signals

_hear_signals()
try:
    print("begun", flush=True)
    time.sleep(100)
except KeyboardInterrupt:
    print("first", flush=True)
    while True:
        time.sleep(100)
"""
)


def test_who_waits_for_the_rate_stops_waiting_when_other_work_fails():
    waits, ended = threading.Event(), []

    def work(number):
        if number:
            waits.wait(30)
            raise DamagedSourceError("bad")
        pay(10**6)
        waits.set()
        try:
            pay(1)
        except WorkStoppedError:
            ended.append(number)
            raise

    with pytest.raises(DamagedSourceError):
        ThreadWorkers(2, Bounds(max_rate=1000)).map(work, [0, 1])
    assert ended == [0]
    assert not left_running()


def test_a_task_ends_at_its_next_part_when_other_work_failed():
    failed, parts = threading.Event(), []

    def work(number):
        if number:
            failed.wait(30)
            raise DamagedSourceError("bad")
        failed.set()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pay(1)
            parts.append(number)
            time.sleep(0.01)

    with pytest.raises(DamagedSourceError):
        ThreadWorkers(2).map(work, [0, 1])
    assert len(parts) < 5000


@pytest.fixture
def begun(tmp_path: Path):
    """Give a function that starts a program and waits until it says that it began."""
    running: list[subprocess.Popen[str]] = []

    def start(text: str) -> subprocess.Popen[str]:
        path = tmp_path / "program.py"
        path.write_text(text)
        program = subprocess.Popen(
            [sys.executable, path], stdout=subprocess.PIPE, text=True, process_group=0
        )
        running.append(program)
        assert program.stdout is not None
        assert program.stdout.readline() == "begun\n"
        return program

    yield start
    for program in running:
        program.kill()
        program.communicate()


def test_ctrl_c_does_not_wait_for_a_task_that_hears_nothing(begun):
    program = begun(IN_HAND)
    os.kill(program.pid, signal.SIGINT)
    said, _ = program.communicate(timeout=30)
    assert said == "left running: True\n"


def test_a_second_ctrl_c_ends_a_command_whatever_it_does(begun):
    program = begun(TWICE)
    os.kill(program.pid, signal.SIGINT)
    assert program.stdout.readline() == "first\n"
    time.sleep(1)
    os.kill(program.pid, signal.SIGINT)
    program.communicate(timeout=30)
    assert program.returncode == 130
