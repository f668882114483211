"""What is read ahead comes in order, and is bounded."""

from __future__ import annotations

import threading

import pytest

from hsc.store import read_ahead


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("nbytes", [1, 2**40], ids=["with room", "without room"])
def test_answers_come_in_the_order_of_asking(count, nbytes):
    found = list(read_ahead(lambda n: n * n, range(count), lambda _: nbytes))
    assert found == [(n, n * n) for n in range(count)]


def test_no_more_than_two_are_ahead_of_what_is_taken():
    asked = []
    for number, _ in read_ahead(asked.append, range(20), lambda _: 1):
        assert len(asked) <= number + 3


def test_a_thing_that_is_larger_than_the_room_is_asked_for_in_this_thread():
    here = threading.get_ident()
    threads = dict(read_ahead(lambda _: threading.get_ident(), range(4), lambda _: 2**40))
    assert set(threads.values()) == {here}


def test_room_comes_back_whatever_happens():
    def fail(number):
        raise ValueError(number)

    half = 200 * 2**20
    for _ in range(5):
        with pytest.raises(ValueError, match="0"):
            list(read_ahead(fail, range(3), lambda _: half))
        reading = read_ahead(abs, range(5), lambda _: half)
        assert next(reading) == (0, 0)
        reading.close()
    ours = threading.get_ident()
    first = dict(read_ahead(lambda _: threading.get_ident(), range(2), lambda _: half))
    assert first[0] != ours
