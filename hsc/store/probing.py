"""What a store can do, tried out: a few small objects are written, read and removed again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from hsc.errors import HscError, ObjectExistsError, ObjectMissingError, StoreError
from hsc.store.objects import ObjectStore
from hsc.store.ranges import get_ranges
from hsc.store.room import TellsRoom
from hsc.store.s3 import S3Objects
from hsc.store.s3_probing import BUCKET_KEYS, probe_bucket

_BYTES = bytes(range(256)) * 1024
_WRITERS, _ROUNDS = 8, 5
_BUCKET = "bucket"
_KEYS = (
    "a/b",
    "a",
    *(f"r{number}" for number in range(_ROUNDS)),
    *(f"{_BUCKET}/{name}" for name in BUCKET_KEYS),
)


class Ability(StrEnum):
    """What is tried out."""

    READ = "gives back what was written"
    CREATE = "refuses to overwrite"
    RACE = "of many writers one wins"
    BESIDE = "keeps `dir` beside `dir/file`"
    RANGES = "gives ranges"
    LIST = "lists"
    DELETE = "removes"
    COPY = "copies inside"
    MATCH = "overwrites only what is known (If-Match)"
    CHECKSUM = "refuses bytes with another checksum"
    CLOCK = "has the right time"
    ROOM = "has room"
    STAY = "keeps what it is given"


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was tried out."""

    ability: Ability
    """What."""
    able: bool | None
    """Whether it can; None where it can't be told."""
    found: str
    """What was seen."""


def probe_store(objects: ObjectStore) -> list[Probe]:
    """Try out what a store can do; everything that can be removed again is.

    Errors of the store are findings, not raised.
    """
    folder = f".doctor/{secrets.token_hex(8)}"
    probes: list[Probe] = []
    try:
        for ability, look in _looks(objects, folder):
            probes.append(_look(ability, look))
            if ability is Ability.READ and not probes[-1].able:
                break
        else:
            if isinstance(objects, S3Objects):
                findings = probe_bucket(objects, f"{folder}/{_BUCKET}")
                probes += [Probe(Ability[name], able, found) for name, able, found in findings]
    finally:  # also when somebody stops it
        removed = _look(Ability.DELETE, lambda: _removes(objects, folder))
    return [*probes, removed] if len(probes) > 1 else probes


def _looks(
    objects: ObjectStore, folder: str
) -> Iterator[tuple[Ability, Callable[[], tuple[bool | None, str]]]]:
    yield Ability.READ, lambda: _reads(objects, f"{folder}/a")
    yield Ability.CREATE, lambda: _creates(objects, f"{folder}/a")
    yield Ability.RACE, lambda: _races(objects, folder)
    yield Ability.BESIDE, lambda: _beside(objects, f"{folder}/a")
    yield Ability.RANGES, lambda: _ranges(objects, f"{folder}/a")
    yield Ability.LIST, lambda: _lists(objects, folder)
    yield Ability.ROOM, lambda: _room(objects)


def _look(ability: Ability, look: Callable[[], tuple[bool | None, str]]) -> Probe:
    try:
        return Probe(ability, *look())
    except HscError as error:
        return Probe(ability, able=False, found=error.message)
    except OSError as error:  # of a file system that no store words
        return Probe(ability, able=False, found=str(error))


def _reads(objects: ObjectStore, key: str) -> tuple[bool, str]:
    objects.put_new(key, _BYTES)
    same = objects.get(key) == _BYTES and objects.size(key) == len(_BYTES)
    try:
        objects.get(f"{key}-absent")
    except ObjectMissingError:
        missing = objects.size(f"{key}-absent") is None
    else:
        missing = False
    if not same:
        return False, "other bytes, or another size, than were written"
    return missing, "and says what is missing" if missing else "something where nothing is"


def _creates(objects: ObjectStore, key: str) -> tuple[bool, str]:
    try:
        objects.put_new(key, b"other")
    except ObjectExistsError:
        return objects.get(key) == _BYTES, "a second write is refused"
    return False, "a second write replaces the first"


def _races(objects: ObjectStore, folder: str) -> tuple[bool, str]:
    def put(key: str, number: int) -> int | None:
        try:
            objects.put_new(key, bytes([number]) * 1000)
        except ObjectExistsError:
            return None
        return number

    with ThreadPoolExecutor(_WRITERS) as threads:
        for round_ in range(_ROUNDS):
            key = f"{folder}/r{round_}"
            won = threads.map(partial(put, key), range(_WRITERS))
            winners = [each for each in won if each is not None]
            if len(winners) != 1 or objects.get(key) != bytes(winners) * 1000:
                return False, f"{len(winners)} of {_WRITERS} writers of one object won"
    return True, f"{_WRITERS} writers at once, {_ROUNDS} times"


def _beside(objects: ObjectStore, key: str) -> tuple[bool, str]:
    try:
        objects.put_new(f"{key}/b", b"1")
    except StoreError:
        return False, "a name is an object or a folder, as in every directory; hsc needs no other"
    there = objects.get(key) == _BYTES and objects.get(f"{key}/b") == b"1"
    return there, "both are there" if there else "one of them is gone"


def _ranges(objects: ObjectStore, key: str) -> tuple[bool, str]:
    end = len(_BYTES)
    asked = [(0, 10), (1000, 3000), (end - 5, end + 100), (end + 1, end + 9), (7, 7)]
    single = [objects.get(key, *each) for each in asked]
    many = [bytes(each) for each in get_ranges(objects, key, asked)]
    right = [_BYTES[start:stop] for start, stop in asked]
    if single != right or many != right or objects.get(key, end - 9) != _BYTES[-9:]:
        return False, "other bytes than were asked for"
    return True, "inside, to the end, and beyond it"


def _lists(objects: ObjectStore, folder: str) -> tuple[bool, str]:
    found = objects.keys(folder)
    right = f"{folder}/a" in found and all(key.startswith(f"{folder}/") for key in found)
    return right, "what was just written" if right else "not all that was just written"


def _room(objects: ObjectStore) -> tuple[bool | None, str]:
    if not isinstance(objects, TellsRoom):
        return None, "it does not say"
    room = objects.room()
    if room.nbytes is None and room.objects is None:
        return None, "no quota that it tells of"
    told = [f"{room.nbytes / 1e9:.1f} GB" if room.nbytes is not None else ""]
    told.append(f"{room.objects} objects" if room.objects is not None else "")
    full = room.nbytes == 0 or room.objects == 0
    return not full, " and ".join(each for each in told if each)


def _removes(objects: ObjectStore, folder: str) -> tuple[bool, str]:
    keys = [f"{folder}/{name}" for name in _KEYS]
    for key in keys:
        if objects.size(key) is not None:
            objects.delete(key)
    left = [key for key in keys if objects.size(key) is not None]
    if left:
        return False, f"{len(left)} small objects stay, below {folder}"
    return True, "what was written for this is gone again"
