"""Copying an object from store to store, its digest checked on the way."""

from __future__ import annotations

from collections.abc import Callable

from blake3 import blake3

from hsc.errors import CorruptShardError, MissingShardError, ObjectMissingError
from hsc.store.buffers import give_back
from hsc.store.manifest import ObjectEntry
from hsc.store.objects import ObjectStore
from hsc.store.streams import NewObject
from hsc.store.windows import digest_object, windows

_ADVICE = "`hsc verify` tells what else is wrong there; copy from a replica that is whole"


def copy_object(source: ObjectStore, entry: ObjectEntry, begin: Callable[[], NewObject]) -> None:
    """Copy an object's bytes into one that is being made; it is placed only if they are right.

    Parameters
    ----------
    source
        Objects of a folder of the version.
    entry
        The object.
    begin
        Begins the copy; it is begun anew when the first try went wrong.

    Raises
    ------
    MissingShardError, CorruptShardError
        The source has not what was written, also after a fresh try; nothing was placed.
    """
    try:
        _copy(source, entry, begin)
    except (MissingShardError, CorruptShardError):
        _copy(source, entry, begin)


def holds(objects: ObjectStore, key: str, entry: ObjectEntry) -> bool:
    """Tell whether an object lies under a key as the manifest's entry says; it is read."""
    if objects.size(key) != entry.nbytes:
        return False
    try:
        return digest_object(objects, key, entry.nbytes) == entry.digest
    except ObjectMissingError:
        return False


def _copy(source: ObjectStore, entry: ObjectEntry, begin: Callable[[], NewObject]) -> None:
    where = f"{source.url}/{entry.key}"
    digest, nbytes = blake3(), 0
    with begin() as made:
        try:
            for buffer, count in windows(source, entry.key, entry.nbytes):
                digest.update(buffer[:count].data)
                nbytes += count
                if not made.write(buffer, count):
                    give_back(buffer)
        except ObjectMissingError as error:
            raise MissingShardError(
                f"an object of {entry.nbytes} bytes is gone from the store",
                where=where,
                next_step=_ADVICE,
            ) from error
        if digest.digest() != entry.digest:
            raise CorruptShardError(
                f"the object's {nbytes} bytes are not the {entry.nbytes} that were written",
                where=where,
                next_step=_ADVICE,
            )
        made.place()
