"""The store's log has no hole, whoever writes to it; notes name all that will be written."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import ManifestError
from hsc.model import Pid
from hsc.store import (
    VersionWriter,
    abandon_version,
    count_attempts,
    digest_entry,
    find_remains,
    open_objects,
    place_attempt,
    read_attempt,
    read_attempts,
)

PID = Pid.generate("hsc.local")


def place(objects, name="a"):
    return place_attempt(objects, "ingest", PID, 1, f"{name}/v1", activity=name, source_id=None)


def test_attempts_are_read_as_they_were_placed_in_their_order(objects):
    assert count_attempts(objects) == 0
    assert list(read_attempts(objects)) == []
    placed = [place(objects, f"x{number}") for number in range(11)]
    assert [each.number for each in placed] == list(range(11))
    assert list(read_attempts(objects)) == placed
    assert count_attempts(objects) == 11
    assert read_attempt(objects, 11) is None


@given(st.integers(0, 70))
def test_the_end_of_the_log_is_found_with_few_questions(count):
    class Asked:
        url = "log://"
        questions = 0

        def size(self, key):
            self.questions += 1
            return 1 if int(key.removeprefix(".attempts/")) < count else None

    objects = Asked()
    assert count_attempts(objects) == count
    beyond = 21  # whether a line was lost, and more come after it
    assert objects.questions <= 2 * (count + 1).bit_length() + 2 + beyond


def test_of_many_who_write_to_the_log_each_gets_a_line(tmp_path):
    objects = open_objects(tmp_path.as_uri())
    barrier = threading.Barrier(8)

    def write(number):
        barrier.wait()
        return [place(objects, f"{number}.{turn}") for turn in range(5)]

    with ThreadPoolExecutor(8) as threads:
        placed = [each for some in threads.map(write, range(8)) for each in some]
    assert sorted(each.number for each in placed) == list(range(40))
    assert {each.attempt for each in read_attempts(objects)} == {each.attempt for each in placed}


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b"[]", b"3", b"\xff\xfe\x00"])
def test_a_line_that_cannot_be_read_is_an_error_that_names_it(objects, text):
    objects.put_new(".attempts/0", text)
    with pytest.raises(ManifestError) as caught:
        read_attempt(objects, 0)
    assert caught.value.where.endswith(".attempts/0")


keys = st.lists(st.sampled_from([f"data.zarr/{n}" for n in range(12)]), unique=True)


@given(st.lists(st.tuples(keys, keys, st.data()), min_size=1, max_size=4))
def test_whatever_attempts_wrote_of_what_they_noted_nothing_is_left(tmp_path_factory, attempts):
    objects = open_objects(tmp_path_factory.mktemp("store").as_uri())
    objects.put_new("d/v10/data.zarr/0", b"a neighbour")
    written = set()
    for shards, others, draw in attempts:
        writer = VersionWriter(objects, "d/v1")
        writer.begin(shards, others)
        for key in draw.draw(st.lists(st.sampled_from(shards)) if shards else st.just([])):
            writer.put(digest_entry(key, key.encode()), key.encode())
            written.add(f"d/v1/{key}")
        for key in draw.draw(st.lists(st.sampled_from(others)) if others else st.just([])):
            writer.put_metadata({key: key.encode()})
            written.add(f"d/v1/{key}")
    found = {key for key, _ in find_remains(objects, "d/v1")}
    assert found == set(objects.keys("d/v1"))
    assert written <= found
    assert abandon_version(objects, "d/v1")
    assert objects.keys("d") == ["d/v10/data.zarr/0"]
    assert find_remains(objects, "d/v1") == []


@pytest.mark.parametrize("text", [b"", b"{}", b"\x28\xb5\x2f\xfd"])
def test_notes_that_cannot_be_read_are_an_error_that_names_them(objects, text):
    objects.put_new("d/v1/.journal/plan", text)
    with pytest.raises(ManifestError) as caught:
        find_remains(objects, "d/v1")
    assert caught.value.where.endswith("d/v1/.journal/plan")


@pytest.mark.parametrize("lost", [(0,), (1,), (1, 2, 3), (9,)])
def test_a_log_that_lost_lines_is_still_walked_to_its_end(objects, lost):
    for number in range(11):
        place(objects, f"a{number}")
    for number in lost:
        objects.delete(f".attempts/{number}")
    assert count_attempts(objects) == 11
