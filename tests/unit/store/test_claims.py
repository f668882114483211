"""One source makes one dataset: of many who claim it at once exactly one wins."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from hsc.errors import ManifestError
from hsc.model import Pid, now
from hsc.provenance import process_mark
from hsc.store import (
    DirectoryObjects,
    claim_keys,
    drop_claims,
    give_up,
    holding,
    make_claim,
    place_claim,
    read_claim,
    take_over,
)

SOURCE = "blake3:" + "ab" * 32


def claim(attempt: str = "attempt", **changes):
    made = make_claim(SOURCE, Pid.generate("hsc.local"), "a/b/v1", attempt, "blake3:state")
    return made.model_copy(update=changes)


def test_a_claim_is_read_as_it_was_placed(objects):
    placed = claim()
    assert read_claim(objects, SOURCE) is None
    assert place_claim(objects, placed) == placed
    assert read_claim(objects, SOURCE) == placed


def test_the_second_is_refused_and_finds_the_first_ones_claim(objects):
    first = place_claim(objects, claim("one"))
    assert place_claim(objects, claim("two")) is None
    assert read_claim(objects, SOURCE) == first


def test_who_takes_over_keeps_pid_and_place_and_stands_last(objects):
    first = place_claim(objects, claim("one"))
    second = take_over(objects, first, "two", "blake3:state")
    assert read_claim(objects, SOURCE) == second
    assert (second.pid, second.location, second.turn) == (first.pid, first.location, 1)
    assert take_over(objects, first, "three", "blake3:state") is None
    assert read_claim(objects, SOURCE) == second


def test_a_dropped_chain_leaves_nothing(objects):
    first = place_claim(objects, claim("one"))
    second = take_over(objects, first, "two", "blake3:state")
    third = take_over(objects, second, "three", "blake3:state")
    assert drop_claims(objects, third, "three")
    assert objects.keys(".claims") == []


def test_of_many_threads_exactly_one_wins(tmp_path):
    objects = DirectoryObjects(tmp_path)
    barrier = threading.Barrier(8)

    def race(number):
        mine = claim(f"attempt {number}")
        barrier.wait()
        return place_claim(objects, mine)

    with ThreadPoolExecutor(8) as threads:
        won = [each for each in threads.map(race, range(8)) if each is not None]
    assert won == [read_claim(objects, SOURCE)]


def test_of_many_who_take_over_exactly_one_does(tmp_path):
    objects = DirectoryObjects(tmp_path)
    dead = place_claim(objects, claim("dead"))
    barrier = threading.Barrier(8)

    def race(number):
        barrier.wait()
        return take_over(objects, dead, f"attempt {number}", "blake3:state")

    with ThreadPoolExecutor(8) as threads:
        won = [each for each in threads.map(race, range(8)) if each is not None]
    assert won == [read_claim(objects, SOURCE)]


def test_of_several_processes_exactly_one_wins(tmp_path):
    program = (
        "import sys, time, pathlib\n"
        "from hsc.model import Pid\n"
        "from hsc.store import DirectoryObjects, make_claim, place_claim\n"
        "source = sys.argv[2]\n"
        "mine = make_claim(source, Pid.generate('hsc.local'), 'a/v1', sys.argv[3], 'state')\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(place_claim(DirectoryObjects(pathlib.Path(sys.argv[1])), mine) is not None)\n"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), SOURCE, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [racer.communicate(timeout=60)[0] for racer in racers]
    assert sorted(won) == ["False\n", "False\n", "True\n"]


def test_a_claim_that_is_held_here_is_not_abandoned_however_long_it_takes():
    with holding("attempt"):
        assert not claim().abandoned()
        assert not claim(made=now() - timedelta(days=3)).abandoned()
    assert claim().abandoned()


def test_the_claim_of_a_live_process_is_never_abandoned_however_long_it_takes():
    parent = {"process": os.getppid(), "mark": process_mark(os.getppid())}
    assert not claim(**parent).abandoned()
    assert not claim(**parent, made=now() - timedelta(hours=13)).abandoned()


# Its parent may have begun in the same hundredth of a second, which is how finely the system tells.
FIRST_PROCESS = 1


@pytest.mark.skipif(not process_mark(os.getpid()), reason="no /proc to tell processes apart")
def test_a_later_process_of_the_same_number_does_not_hold_a_claim():
    with holding("attempt"):
        assert not claim().abandoned()
        assert claim(mark=process_mark(FIRST_PROCESS)).abandoned()
    assert claim(process=FIRST_PROCESS).abandoned()


def test_the_claim_of_a_dead_process_is_abandoned():
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    assert claim(process=dead.pid).abandoned()


def test_the_claim_of_another_machine_is_abandoned_only_past_its_lease():
    elsewhere = {"host": "another machine", "process": 1}
    assert not claim(**elsewhere).abandoned()
    assert not claim(**elsewhere, made=now() - timedelta(hours=11)).abandoned()
    assert claim(**elsewhere, made=now() - timedelta(hours=13)).abandoned()


def test_the_claim_of_another_container_of_the_same_name_is_abandoned_only_past_its_lease():
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    there = {"space": "another container", "process": dead.pid}
    assert not claim(**there).abandoned()
    assert claim(**there, made=now() - timedelta(hours=13)).abandoned()


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b"[]", b"3", b"\xff\xfe\x00", b'{"pid": 1}'])
def test_a_claim_that_cannot_be_read_is_an_error_that_names_it(objects, text):
    objects.put_new(claim().key, text)
    with pytest.raises(ManifestError) as caught:
        read_claim(objects, SOURCE)
    assert claim().key in caught.value.where


def test_what_was_given_up_counts_no_more_and_who_goes_on_may_go_elsewhere(objects):
    first = place_claim(objects, claim("one"))
    given_up = give_up(objects, first, "one")
    assert read_claim(objects, SOURCE).state == "given_up"
    assert take_over(objects, first, "two", "blake3:state") is None, "somebody was faster"
    other = Pid.generate("hsc.local")
    second = take_over(objects, given_up, "two", "blake3:state", pid=other, location="c/d/v1")
    last = read_claim(objects, SOURCE)
    assert last == second
    assert (last.state, last.pid, last.location) == ("open", other, "c/d/v1")


def test_a_chain_that_somebody_went_on_with_is_not_removed(objects):
    first = place_claim(objects, claim("one"))
    second = take_over(objects, first, "two", "blake3:state")
    assert not drop_claims(objects, first, "one")
    assert give_up(objects, first, "one") is None
    assert read_claim(objects, SOURCE) == second


@pytest.mark.parametrize("deleted", range(5))
def test_what_a_removal_that_died_left_is_no_part_of_a_new_chain(objects, deleted):
    last = place_claim(objects, claim("one"))
    for name in ("two", "three"):
        last = take_over(objects, last, name, "blake3:state")
    drop_claims(DiesAfter(objects, deleted), last, "four")
    before = read_claim(objects, SOURCE)
    if deleted == 0:
        assert (before.state, before.attempt) == ("closing", "four")
        return
    assert before is None
    chain, torn = claim_keys(objects, SOURCE)
    assert (chain, len(torn)) == ([], 4 - deleted)
    mine = place_claim(objects, claim("five"))
    assert read_claim(objects, SOURCE) == mine
    after = take_over(objects, mine, "six", "blake3:state")
    assert after is not None
    assert read_claim(objects, SOURCE) == after
    chain, torn = claim_keys(objects, SOURCE)
    assert len(chain) == 2
    assert {*chain, *torn} == set(objects.keys(".claims"))


def test_a_claim_on_a_chain_that_was_removed_meanwhile_is_void(objects):
    first = place_claim(objects, claim("one"))
    assert drop_claims(objects, first, "one")
    assert take_over(objects, first, "two", "blake3:state") is None
    assert objects.keys(".claims") == []


class DiesAfter:
    """A store whose user dies after some removals: the rest is not done any more."""

    def __init__(self, objects, removals):
        self._objects = objects
        self._left = removals
        self.url = objects.url

    def delete(self, key):
        if self._left:
            self._left -= 1
            self._objects.delete(key)

    def __getattr__(self, name):
        return getattr(self._objects, name)
