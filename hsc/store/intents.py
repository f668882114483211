"""Intents: all keys that an attempt will write, noted beside the version before its first byte.

``.journal/plan`` in the version's folder lists them; an attempt that goes on and will write other
keys adds ``.journal/plan.1`` and so on. So what an attempt leaves is found without listing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from blake3 import blake3
from numcodecs import zstd

from hsc.errors import ManifestError, ObjectExistsError, ObjectMissingError
from hsc.model import canonical_json
from hsc.store.objects import ObjectStore

_JOURNAL = ".journal"


@dataclass(frozen=True, slots=True)
class Intent:
    """Keys below a version's folder that an attempt may write."""

    shards: frozenset[str]
    """Those that may get a line in the journal."""
    others: frozenset[str]
    """Those that don't."""

    @property
    def passing(self) -> list[str]:
        """Those in the journal's folder: of no use once there is a version."""
        return sorted(key for key in self.others if key.startswith(f"{_JOURNAL}/"))

    @property
    def keys(self) -> frozenset[str]:
        """All of them."""
        return self.shards | self.others


def place_intent(
    objects: ObjectStore, location: str, shards: Iterable[str], others: Iterable[str]
) -> None:
    """Note the keys that an attempt will write; nothing may be written before."""
    mine = Intent(frozenset(shards), frozenset(others))
    turn = 0
    while True:
        document = {"shards": sorted(mine.shards), "others": sorted(mine.others)}
        try:
            objects.put_new(_key(location, turn), zstd.compress(canonical_json(document), 3))
        except ObjectExistsError:
            there = _read(objects, location, turn)
            if there is None:  # removed in between
                continue
            if mine.shards <= there.shards and mine.keys <= there.keys:
                return
            turn += 1
        else:
            return


def read_intent(objects: ObjectStore, location: str) -> tuple[Intent, list[str]]:
    """Read what all attempts at a version noted.

    Returns
    -------
    intent
        All their keys.
    notes
        Keys below the store of the notes themselves, the last one first.
    """
    shards: set[str] = set()
    others: set[str] = set()
    notes: list[str] = []
    while (there := _read(objects, location, len(notes))) is not None:
        notes.append(_key(location, len(notes)))
        shards |= there.shards
        others |= there.others
    return Intent(frozenset(shards), frozenset(others)), notes[::-1]


def journal_key(location: str, key: str) -> str:
    """Give the key below the store of the journal's line of an object of a version."""
    return f"{location}/{_JOURNAL}/{blake3(key.encode()).hexdigest()[:32]}"


def _key(location: str, turn: int) -> str:
    return f"{location}/{_JOURNAL}/plan" + (f".{turn}" if turn else "")


def _read(objects: ObjectStore, location: str, turn: int) -> Intent | None:
    key = _key(location, turn)
    try:
        data = objects.get(key)
    except ObjectMissingError:
        return None
    try:
        document = json.loads(zstd.decompress(data))
        return Intent(frozenset(document["shards"]), frozenset(document["others"]))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ManifestError(
            "the list of what an attempt was to write can't be read",
            where=f"{objects.url}/{key}",
            next_step="look who wrote it; restore it from a copy of the store",
        ) from error
