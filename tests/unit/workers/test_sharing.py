"""Parts of a task are done by whoever has time, and come back in their order."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from hsc.errors import DamagedSourceError
from hsc.workers import ThreadWorkers, share_parts

PARTS = range(6)


def by_two(meeting, part):
    """Wait for a second thread that does another part at the same time."""
    meeting.wait(20)
    return part, threading.current_thread().name


def several(meeting, task):
    """Do a task; the last is the one that is shared."""
    return share_parts(partial(by_two, meeting), PARTS) if task == "last" else []


@pytest.mark.parametrize("before", [0, 1, 2, 5])
def test_threads_without_a_task_help_with_the_last(before):
    tasks = [*range(before), "last"]
    *_, found = ThreadWorkers(2).map(partial(several, threading.Barrier(2)), tasks)
    assert [part for part, _ in found] == list(PARTS)
    assert len({thread for _, thread in found}) == 2


def test_several_tasks_share_their_parts_and_none_is_lost_or_done_twice():
    done = []

    def part(number):
        done.append(number)
        return -number

    def task(number):
        return share_parts(part, range(100 * number, 100 * number + 30))

    found = ThreadWorkers(3).map(task, range(4))
    assert found == [[-100 * n - part for part in range(30)] for n in range(4)]
    assert sorted(done) == sorted(100 * n + part for n in range(4) for part in range(30))


def test_outside_of_a_map_one_thread_does_all_parts():
    names = share_parts(lambda _: threading.current_thread().name, PARTS)
    assert names == [threading.current_thread().name] * len(PARTS)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_first_part_that_failed_is_told_and_nobody_waits_on(count):
    meeting = threading.Barrier(min(count, 2))

    def fail(part):
        if part in (2, 3):
            meeting.wait(20)  # where two do parts, both fail
            raise DamagedSourceError(f"part {part}")

    def task(number):
        return share_parts(fail, PARTS) if number == 0 else None

    with pytest.raises(DamagedSourceError, match="part 2"):
        ThreadWorkers(count).map(task, range(2))


def test_a_task_that_fails_lets_those_go_who_wait_to_help():
    def task(number):
        raise DamagedSourceError(f"task {number}")

    with pytest.raises(DamagedSourceError, match="task 0"):
        ThreadWorkers(4).map(task, [0])
