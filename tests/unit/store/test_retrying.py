"""A store that fails is asked again, for as long as there is patience and somebody who waits."""

from __future__ import annotations

import threading
import time

import pytest

from hsc.errors import StoreUnavailableError
from hsc.store.retrying import Patience, end_waits_with, persist

QUICK = Patience(total_s=0.5, first_s=0.01, longest_s=0.05)


class Failing:
    """Fails so often, then answers."""

    def __init__(self, times: float, error: Exception | None = None) -> None:
        self.times = times
        self.error = error or ConnectionError("gone")
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        if self.asked <= self.times:
            raise self.error
        return self.asked


def passes(error: Exception) -> str | None:
    return str(error) if isinstance(error, ConnectionError) else None


def ask(failing: Failing, patience: Patience = QUICK) -> int:
    return persist(failing, passes, "s3://b/k", patience)


@pytest.mark.parametrize("times", [0, 1, 5])
def test_it_asks_until_there_is_an_answer(times: int) -> None:
    assert ask(Failing(times)) == times + 1


def test_what_will_not_pass_is_raised_at_once() -> None:
    failing = Failing(5, KeyError("x"))
    with pytest.raises(KeyError):
        ask(failing)
    assert failing.asked == 1


def test_patience_ends_with_how_long_it_was() -> None:
    failing = Failing(float("inf"))
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match=r"failed \d+ times in \d+ s: gone") as caught:
        ask(failing)
    assert 0.3 < time.monotonic() - began < 5
    assert failing.asked > 5
    assert caught.value.where == "s3://b/k"
    assert isinstance(caught.value.__cause__, ConnectionError)


def test_a_wait_ends_when_nobody_waits_for_it_any_more() -> None:
    over, raised = threading.Event(), []

    def work() -> None:
        end_waits_with(over)
        try:
            ask(Failing(float("inf")), Patience(first_s=30))
        except StoreUnavailableError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    over.set()
    thread.join(10)
    assert len(raised) == 1


def test_a_store_is_waited_for_longer_than_a_minute() -> None:
    assert Patience().total_s >= 60
