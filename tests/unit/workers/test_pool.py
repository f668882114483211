"""Work in threads and in processes: results in order, the first error raised, progress told."""

from __future__ import annotations

import operator
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from hsc.errors import DamagedSourceError
from hsc.workers import Silent, ThreadWorkers, at_work, available_cpus, open_workers


class Counting:
    """Counts what it hears, from any thread."""

    def __init__(self) -> None:
        self.units = 0
        self.calls = 0
        self._lock = threading.Lock()

    def start(self, stage: str, total: int, unit: str) -> None:
        pass

    def advance(self, amount: int) -> None:
        with self._lock:
            self.units += amount
            self.calls += 1

    def finish(self) -> None:
        pass


@dataclass(frozen=True)
class Task:
    """A task that holds tasks, as dataclasses of a plan do."""

    number: int
    names: tuple[str, ...] = ("task-0", "a")


def same(task):
    return task


@pytest.mark.parametrize("count", [1, 2, 7])
def test_results_stand_in_the_order_of_tasks(count):
    def slow_first(number):
        time.sleep(0.02 if number < 2 else 0)
        return -number

    assert ThreadWorkers(count).map(slow_first, range(20)) == [-n for n in range(20)]


def test_no_tasks_give_no_results():
    assert ThreadWorkers(2).map(same, []) == []


def test_a_task_reaches_the_function_as_it_is():
    # Dask looks into lists, tuples, dictionaries and dataclasses, and takes names for keys.
    tasks = ["task-1", ("task-0", 1), ["task-0"], {"task-0": ("task-1",)}, (operator.add, 1, 2),
             Task(3), None, partial(max, 1)]  # fmt: skip
    results = ThreadWorkers(2).map(same, tasks)
    assert all(result is task for result, task in zip(results, tasks, strict=True))


def test_the_first_error_is_raised_as_it_was_and_stops_the_rest():
    begun = []

    def work(number):
        begun.append(number)
        if number == 3:
            raise DamagedSourceError("wrong", where="chunk 3", next_step="copy")
        time.sleep(0.01)

    with pytest.raises(DamagedSourceError) as caught:
        ThreadWorkers(2).map(work, range(500))
    assert (caught.value.message, caught.value.where) == ("wrong", "chunk 3")
    assert len(begun) < 500


def fail_after(task):
    number, seconds = task
    time.sleep(seconds)
    raise DamagedSourceError("wrong", where=f"chunk {number}")


def test_of_several_that_fail_the_first_by_task_is_told():
    with pytest.raises(DamagedSourceError) as caught:
        ThreadWorkers(3).map(fail_after, [(0, 0.2), (1, 0.1), (2, 0.0)])
    assert caught.value.where == "chunk 0"


def test_work_runs_at_once_and_never_more_than_asked():
    lock = threading.Lock()
    running = most = 0

    def work(_):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    ThreadWorkers(3).map(work, range(12))
    assert most == 3


@pytest.mark.parametrize("weights", [None, list(range(30))])
def test_progress_hears_of_every_task_once(weights):
    progress = Counting()
    ThreadWorkers(2).map(same, list(range(30)), progress=progress, weights=weights)
    assert progress.calls == 30
    assert progress.units == (30 if weights is None else sum(weights))


def test_progress_hears_nothing_of_a_task_that_failed():
    progress = Counting()
    with pytest.raises(ZeroDivisionError):
        ThreadWorkers(1).map(lambda n: 1 / n, [0], progress=progress)
    assert progress.calls == 0


def test_two_maps_at_once_do_not_hear_each_other():
    def one(size):
        progress = Counting()
        ThreadWorkers(2).map(same, range(size), progress=progress, weights=[2] * size)
        return progress.units

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, [1, 100, 10, 200])) == [2, 200, 20, 400]


def test_a_place_to_work_has_as_many_workers_as_asked_or_as_there_are_processors():
    with open_workers("threads") as workers:
        assert workers.count == available_cpus() >= 1
    with open_workers("threads", 5) as workers:
        assert workers.count == 5


def divide(task):
    if task == 0:
        raise DamagedSourceError("wrong", where="chunk 0", next_step="copy")
    return 10 / task


@pytest.mark.timeout(110)
def test_processes_keep_the_same_contract():
    progress = Counting()
    with open_workers("processes", 2) as workers:
        assert workers.count == 2
        tasks = list(range(1, 30))
        results = workers.map(divide, tasks, progress=progress, weights=tasks)
        assert results == [10 / task for task in tasks]
        assert progress.units == sum(tasks)
        assert workers.map(divide, []) == []
        with pytest.raises(DamagedSourceError) as caught:
            workers.map(divide, [1, 2, 0, *range(1, 50)])
        assert (caught.value.where, caught.value.next_step) == ("chunk 0", "copy")
        with pytest.raises(DamagedSourceError) as caught:
            workers.map(fail_after, [(0, 0.5), (1, 0.0)])
        assert caught.value.where == "chunk 0"
        assert workers.map(str, [1, 2], progress=Silent()) == ["1", "2"]


@pytest.mark.parametrize("spec", ["threads", "processes"])
def test_a_fold_hands_over_every_result_one_at_a_time_and_counts_them(spec):
    taken: list[int] = []
    inside = threading.Semaphore(1)
    counting = Counting()

    def take(result: int) -> None:
        assert inside.acquire(blocking=False), "two results at once"
        taken.append(result)
        inside.release()

    with open_workers(spec, 2) as workers:
        workers.fold(operator.neg, range(12), take, progress=counting, weights=[2] * 12)
    assert sorted(taken) == [-n for n in reversed(range(12))]
    assert counting.units == 24


def test_a_fold_raises_what_the_taker_raises():
    def refuse(result: int) -> None:
        raise DamagedSourceError("no more")

    with pytest.raises(DamagedSourceError):
        ThreadWorkers(2).fold(operator.neg, range(4), refuse)


def test_while_some_tasks_work_others_wait_for_a_store():
    lock, working, most = threading.Lock(), [], []
    beside = threading.Barrier(2)

    def task(number):
        with at_work():
            with lock:
                working.append(number)
                most.append(len(working))
            time.sleep(0.005)
            with lock:
                working.remove(number)
        if number < 2:
            # The other comes here only while this one waits, and is not at work.
            beside.wait(timeout=30)
        return number

    assert ThreadWorkers(1).map(task, range(6), waiting=True) == list(range(6))
    assert max(most) == 1


def test_tasks_begin_in_their_order():
    begun = []
    ThreadWorkers(1).map(begun.append, range(12))
    assert begun == list(range(12))


def test_who_waits_for_its_turn_ends_with_the_others():
    worked = []

    def task(number):
        with at_work():
            worked.append(number)
            time.sleep(0.05)
            raise DamagedSourceError("this one")

    with pytest.raises(DamagedSourceError):
        ThreadWorkers(1).map(task, range(9), waiting=True)
    assert len(worked) < 9
