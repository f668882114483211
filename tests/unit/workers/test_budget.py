"""Memory of tasks that run at once."""

from __future__ import annotations

import threading
import time

import pytest

from hsc.errors import ConfigurationError
from hsc.workers import Bounds, ThreadWorkers


class Watched:
    """Adds up what runs at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, need: int) -> int:
        with self._lock:
            self.now += need
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= need
        return need


def test_tasks_wait_until_what_they_need_is_free():
    watched, needs = Watched(), [10, 60, 30, 100, 1, 99, 50, 50] * 3
    workers = ThreadWorkers(8, Bounds(memory=100))
    assert workers.map(watched, needs, needs=needs) == needs
    assert watched.most <= 100
    # The same again, unbounded, shows that the bound was one.
    ThreadWorkers(8).map(free := Watched(), needs, needs=needs)
    assert free.most > 100


def test_a_task_that_fails_gives_back_what_it_held():
    def work(number: int) -> int:
        if number == 0:
            raise ZeroDivisionError
        return number

    workers = ThreadWorkers(2, Bounds(memory=10))
    with pytest.raises(ZeroDivisionError):
        workers.map(work, [0, 1, 2], needs=[10, 10, 10])
    assert workers.map(work, [1, 2], needs=[10, 10]) == [1, 2]


def test_a_bound_too_small_for_one_task_says_how_much_is_needed():
    begun: list[int] = []
    with pytest.raises(ConfigurationError) as caught:
        ThreadWorkers(2, Bounds(memory=10**8)).map(begun.append, [1, 2], needs=[5, 3 * 10**8])
    assert "100 MB" in caught.value.message
    assert caught.value.next_step == "allow at least --memory 300MB"
    assert begun == []
