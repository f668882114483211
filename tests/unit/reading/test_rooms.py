"""Memory of batches is given again to the same thread, and to nobody who would be disturbed."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hsc.reading.rooms import room_for

MB = 2**20


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as pool:
        yield lambda function: pool.submit(function).result()


def address(nbytes):
    return room_for(nbytes).ctypes.data


def memory_of(room):
    return room.base.obj


def test_a_thread_gets_what_it_gave_up_again_also_for_somewhat_less(thread):
    first = thread(lambda: address(8 * MB))
    assert thread(lambda: address(8 * MB)) == first
    assert thread(lambda: address(5 * MB)) == first
    assert thread(lambda: address(3 * MB)) != first


def test_what_a_view_still_looks_at_is_not_given_again(thread):
    room = thread(lambda: room_for(8 * MB))
    first = room.ctypes.data
    views = [room[100:200].view(np.uint16).reshape(5, 10), room.data[5:]]
    del room
    while views:
        assert thread(lambda: address(8 * MB)) != first
        views.pop()
    assert thread(lambda: address(8 * MB)) == thread(lambda: address(8 * MB))
    assert first in {thread(both_at_once)[number] for number in (0, 1)}


def both_at_once():
    one, other = room_for(8 * MB), room_for(8 * MB)
    return one.ctypes.data, other.ctypes.data


def test_two_calls_at_once_get_different_memory(thread):
    one, other = thread(both_at_once)
    assert one != other


def test_no_more_is_kept_than_160_megabytes_and_the_oldest_goes_first(thread):
    oldest = thread(lambda: weakref.ref(memory_of(room_for(100 * MB))))
    thread(lambda: room_for(30 * MB).size)
    assert oldest() is not None
    thread(lambda: room_for(40 * MB).size)
    assert oldest() is None


def test_the_main_thread_keeps_nothing():
    given = weakref.ref(room_for(8 * MB))
    assert given() is None
