"""Remains: what attempts left of a version that should not be there, found by their notes."""

from __future__ import annotations

from hsc.store.abreast import abreast
from hsc.store.intents import journal_key, read_intent
from hsc.store.manifest import MANIFEST_KEY
from hsc.store.objects import ObjectStore


def find_remains(objects: ObjectStore, location: str) -> list[tuple[str, int]]:
    """Give keys below the store and bytes of what attempts left; nothing is listed.

    Of a committed version that is its journal, of another everything.
    """
    wanted = [key for part in _removable(objects, location) for key in part]
    sizes = abreast(objects.size, wanted)
    return [(key, nbytes) for key, nbytes in zip(wanted, sizes, strict=True) if nbytes is not None]


def clear_remains(objects: ObjectStore, location: str) -> None:
    """Remove what `find_remains` gives, the notes of what to remove last of all."""
    wanted, notes = _removable(objects, location)
    abreast(objects.delete, wanted)
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
