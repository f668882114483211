"""Many chunks of an object are got by few requests, and each is checked."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.errors import CorruptShardError, GapError, ManifestError, ObjectMissingError
from hsc.store import (
    CheckedVersion,
    DirectoryObjects,
    Manifest,
    ReadsRanges,
    ShardBuilder,
    digest_entry,
    get_ranges,
    open_objects,
)
from hsc.store.ranges import HOLE_BYTES, REQUEST_BYTES, spans

KEY = "data.zarr/a/c/0"
PAYLOADS = [random.Random(n).randbytes(50 + 37 * n) for n in range(20)]


class Counting(DirectoryObjects):
    """A folder that tells what was asked of it."""

    def __init__(self, root):
        super().__init__(root)
        self.asked = []

    def get(self, key, start=0, stop=None):
        self.asked.append((key, start, stop))
        return super().get(key, start, stop)


class AtOnce(Counting):
    """A folder that takes many ranges at once."""

    def get_ranges(self, key, ranges):
        data = super().get(key)
        return [memoryview(data)[start:stop] for start, stop in ranges]


@pytest.fixture(params=[Counting, AtOnce])
def objects(request, tmp_path):
    return request.param(tmp_path)


@pytest.fixture
def shard(objects):
    """A shard of twenty chunks: number 3 is empty and number 17 a gap."""
    return write_shard(objects, PAYLOADS, empty={3}, gaps={17})


def write_shard(objects, payloads, empty=(), gaps=()):
    builder = ShardBuilder(len(payloads), indexed=True)
    for number in sorted(range(len(payloads)), key=lambda n: n * 7 % len(payloads)):
        if number in gaps:
            builder.add_gap(number)
        elif number not in empty:
            builder.add(number, payloads[number])
    data, table = builder.finish()
    objects.put_new(KEY, data)
    return CheckedVersion(objects, Manifest("", (digest_entry(KEY, data, chunks=table),)))


def test_chunks_come_in_the_order_asked_for_by_one_request(shard):
    indexes = [5, 0, 3, 19, 5]
    shard.objects.asked.clear()
    found = shard.read_chunks(KEY, indexes)
    assert found == [None if n == 3 else PAYLOADS[n] for n in indexes]
    assert len(shard.objects.asked) == 1
    assert shard.read_chunks(KEY, []) == []
    assert shard.read_chunks(KEY, [3]) == [None]
    assert len(shard.objects.asked) == 1


def test_what_lies_far_apart_is_asked_for_at_once_and_not_read_through(objects):
    far = [bytes([n]) * (HOLE_BYTES + 1) for n in range(7)]
    opened = write_shard(objects, far)
    objects.asked.clear()
    assert opened.read_chunks(KEY, [0, 3, 5]) == [far[0], far[3], far[5]]
    if not isinstance(objects, ReadsRanges):
        read = sum(stop - start for _, start, stop in objects.asked)
        assert (len(objects.asked), read) == (3, 3 * len(far[0]))


@pytest.mark.parametrize("number", [0, 6, 19])
def test_a_flipped_bit_is_found_in_the_chunk_that_it_is_in(shard, number):
    path = shard.objects._root / KEY
    data = bytearray(path.read_bytes())
    data[int(shard.entry(KEY).chunks.offsets[number]) + 4] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptShardError, match=f"chunk {number}"):
        shard.read_chunks(KEY, [n for n in range(20) if n != 17])
    others = [n for n in range(20) if n not in (17, number)]
    assert shard.read_chunks(KEY, others) == [None if n == 3 else PAYLOADS[n] for n in others]


def test_a_gap_and_a_chunk_that_nobody_knows_are_errors(shard):
    with pytest.raises(GapError, match="chunk 17"):
        shard.read_chunks(KEY, [1, 17])
    with pytest.raises(ManifestError, match="chunk 20"):
        shard.read_chunks(KEY, [1, 20])
    with pytest.raises(ManifestError):
        shard.read_chunks("data.zarr/b", [0])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(indexes=st.lists(st.integers(0, 19).filter(lambda n: n != 17), max_size=30))
def test_any_selection_is_right(shards, indexes):
    opened = shards
    assert opened.read_chunks(KEY, indexes) == [None if n == 3 else PAYLOADS[n] for n in indexes]


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return write_shard(Counting(tmp_path_factory.mktemp("s")), PAYLOADS, empty={3}, gaps={17})


@given(
    parts=st.lists(st.tuples(st.integers(0, 2**26), st.integers(1, 2**20)), min_size=1, max_size=40)
)
def test_requests_hold_each_wanted_part_once_and_stay_in_bounds(parts):
    wanted = [(n, start, start + size) for n, (start, size) in enumerate(parts)]
    made = spans(wanted)
    assert sorted(n for span in made for n in span.wanted) == list(range(len(parts)))
    for span in made:
        assert all(span.start <= wanted[n][1] and wanted[n][2] <= span.stop for n in span.wanted)
        assert span.stop - span.start <= REQUEST_BYTES
    assert made == spans(reversed(wanted))


def test_every_store_gives_ranges(tmp_path):
    for url in (tmp_path.as_uri(), "memory://ranges-of-every-store"):
        objects = open_objects(url)
        objects.put_new("a/b", bytes(range(100)))
        found = get_ranges(objects, "a/b", [(90, 200), (0, 3), (50, 51), (7, 7)])
        assert [bytes(part) for part in found] == [
            bytes(range(90, 100)), bytes(range(3)), bytes([50]), b"",
        ]  # fmt: skip
        assert get_ranges(objects, "a/b", []) == []
        with pytest.raises(ObjectMissingError):
            get_ranges(objects, "a/c", [(0, 1), (5, 6)])


def test_many_threads_that_each_ask_for_many_ranges_all_get_them(shard):
    wrong = []

    def read():
        if shard.read_chunks(KEY, range(17)) != [*PAYLOADS[:3], None, *PAYLOADS[4:17]]:
            wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_a_shards_index_is_made_from_the_manifest_and_not_asked_for(shard):
    data = shard.objects.get(KEY)
    shard.objects.asked.clear()
    size = 16 * 20 + 4
    assert shard.read_range(KEY, len(data) - size, None) == data[-size:]
    assert not shard.objects.asked


def test_the_end_of_an_object_without_an_index_is_its_own(objects):
    builder = ShardBuilder(1, indexed=False)
    builder.add(0, bytes(range(60)))
    data, table = builder.finish()
    objects.put_new(KEY, data)
    opened = CheckedVersion(objects, Manifest("", (digest_entry(KEY, data, chunks=table),)))
    assert opened.read_range(KEY, len(data) - 20, None) == data[-20:]
