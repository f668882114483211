"""Remains: what attempts left of a version that should not be there, found by their notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hsc.store.intents import journal_key, read_intent
from hsc.store.manifest import MANIFEST_KEY
from hsc.store.objects import ObjectStore

_T = TypeVar("_T")
_R = TypeVar("_R")

# Requests under way at once, where each waits for a server.
_REQUESTS = 8


def find_remains(objects: ObjectStore, location: str) -> list[tuple[str, int]]:
    """Give keys below the store and bytes of what attempts left; nothing is listed.

    Of a committed version that is its journal, of another everything.
    """
    wanted = [key for part in _removable(objects, location) for key in part]
    sizes = _each(objects.size, wanted)
    return [(key, nbytes) for key, nbytes in zip(wanted, sizes, strict=True) if nbytes is not None]


def clear_remains(objects: ObjectStore, location: str) -> None:
    """Remove what `find_remains` gives, the notes of what to remove last of all."""
    wanted, notes = _removable(objects, location)
    _each(objects.delete, wanted)
    for note in notes:
        objects.delete(note)


def abandon_version(objects: ObjectStore, location: str) -> bool:
    """Remove everything of a version that was never committed; tell whether that was so."""
    if _committed(objects, location):
        return False
    clear_remains(objects, location)
    return True


def _removable(objects: ObjectStore, location: str) -> tuple[list[str], list[str]]:
    """Give the keys of what should not be there, and of the notes that name them."""
    intent, notes = read_intent(objects, location)
    lines = [journal_key(location, key) for key in sorted(intent.shards)]
    if _committed(objects, location):
        return [*lines, *(f"{location}/{key}" for key in intent.passing)], notes
    # Never the manifest: if it came meanwhile, the version is there.
    data = [f"{location}/{key}" for key in sorted(intent.keys - {MANIFEST_KEY})]
    return [*data, *lines], notes


def _committed(objects: ObjectStore, location: str) -> bool:
    return objects.size(f"{location}/{MANIFEST_KEY}") is not None


def _each(function: Callable[[_T], _R], things: Sequence[_T]) -> list[_R]:
    """Call a function that waits for the store on many things, some at once."""
    if len(things) < _REQUESTS:
        return [function(thing) for thing in things]
    with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="hsc") as pool:
        return list(pool.map(function, things))
