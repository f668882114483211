"""Bytes a second, by a clock that a test turns."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hsc.store import DirectoryObjects, pay, paying
from hsc.workers import Bounds, Pace, TokenBucket


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


def bucket(rate: float) -> tuple[TokenBucket, Clock]:
    clock = Clock()
    return TokenBucket(rate, clock=clock, sleep=clock.sleep), clock


@given(st.lists(st.integers(0, 500), min_size=1, max_size=50))
def test_never_more_passes_than_the_rate_allows(sizes):
    tokens, clock = bucket(100.0)
    passed = 0
    for size in sizes:
        tokens.take(size)
        # What passed before waited; of what passes now a second's worth is free.
        assert passed <= 100.0 * (clock.now - 100.0) + 100.0 + 1e-6
        passed += size


def test_a_large_piece_passes_and_the_next_waits_for_it():
    tokens, clock = bucket(100.0)
    tokens.take(1000)
    assert clock.now == 100.0
    tokens.take(1)
    assert clock.now == 109.0


def test_time_in_which_nothing_passes_is_saved_for_a_second_only():
    tokens, clock = bucket(100.0)
    clock.now += 1000
    tokens.take(100)
    tokens.take(100)
    assert clock.now == 1100.0
    tokens.take(1)
    assert clock.now == 1101.0


def test_a_rate_is_shared_by_the_processes_of_a_job():
    pace = Bounds(max_rate=1000).pace(processes=4)
    assert pace is not None
    assert pace.bytes_per_s == 250
    assert pickle.loads(pickle.dumps(pace)) == pace  # noqa: S301
    assert Bounds().pace(processes=4) is None


def test_a_rate_of_one_job_is_not_that_of_another():
    first, second = Bounds(max_rate=10**9).pace(1), Bounds(max_rate=10**9).pace(1)
    assert isinstance(first, Pace)
    assert first != second


def test_who_writes_pays_in_its_own_thread_only():
    paid: list[int] = []
    with paying(paid.append):
        pay(3)
        other = threading.Thread(target=pay, args=(5,))
        other.start()
        other.join()
        with paying(lambda _: None):
            pay(7)
        pay(11)
    pay(13)
    assert paid == [3, 11]


def test_parts_that_another_thread_writes_are_paid_by_whoever_makes_the_object(tmp_path: Path):
    paid: list[int] = []
    with paying(paid.append), DirectoryObjects(tmp_path).begin("shard") as made:
        other = threading.Thread(target=made.write, args=(np.zeros(9, np.uint8), 5))
        other.start()
        other.join()
        made.place()
    assert paid == [5]
