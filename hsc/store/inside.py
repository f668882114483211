"""Copying an object inside a store: its bytes don't come by here where the store can do without."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from blake3 import blake3

from hsc.errors import CorruptShardError, MissingShardError, ObjectMissingError
from hsc.store.objects import ObjectStore

_ADVICE = "`hsc verify` tells what else is damaged; restore it from a copy of the store"


@runtime_checkable
class CopiesInside(Protocol):
    """A store that copies an object without its bytes going to a client and back."""

    def copy_new(self, source: str, key: str, nbytes: int, digest: bytes) -> None:
        """Copy an object whole and durably, or not at all; `copy_inside` says more."""
        ...


@runtime_checkable
class CopiesFrom(Protocol):
    """A store whose server copies an object that lies elsewhere on it."""

    def copy_from(self, other: ObjectStore, source: str, key: str, nbytes: int) -> bool:
        """Copy an object whole; False where the server can't or won't. Nothing of it is checked.

        Raises
        ------
        ObjectExistsError
            An object with that key was there first; not every server looks.
        """
        ...


def copy_inside(objects: ObjectStore, source: str, key: str, nbytes: int, digest: bytes) -> None:
    """Copy an object inside a store.

    Parameters
    ----------
    source, key
        Key of the object that is there, and of the one to be.
    nbytes, digest
        Bytes and BLAKE3 that the object has. Both are checked wherever the bytes are read for it;
        of what a server copies by itself only the size is.

    Raises
    ------
    ObjectExistsError
        An object with that key was there first; it is left as it was.
    MissingShardError, CorruptShardError
        What is to be copied is not there, or is something else.
    """
    if isinstance(objects, CopiesInside):
        objects.copy_new(source, key, nbytes, digest)
    else:
        carry_over(objects, source, key, nbytes, digest)


def carry_over(objects: ObjectStore, source: str, key: str, nbytes: int, digest: bytes) -> None:
    """Copy an object by reading and writing it, checked; as `copy_inside`."""
    try:
        data = objects.get(source)
    except ObjectMissingError as error:
        raise gone(f"{objects.url}/{source}") from error
    if len(data) != nbytes or blake3(data).digest() != digest:
        raise another(f"{objects.url}/{source}")
    objects.put_new(key, data)


def gone(where: str) -> MissingShardError:
    """Word that what is to be copied is not there."""
    return MissingShardError("the object to be copied is gone", where=where, next_step=_ADVICE)


def another(where: str) -> CorruptShardError:
    """Word that what is to be copied is not what was written."""
    return CorruptShardError(
        "the object to be copied is not the one that was written", where=where, next_step=_ADVICE
    )
