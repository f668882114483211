"""Objects written part by part while they are made; each appears whole under its key, or not."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

from hsc.store.objects import ObjectStore


class NewObject(Protocol):
    """An object that is being made; use it in a ``with`` block, which drops what was not placed."""

    def write(self, part: memoryview) -> None:
        """Append a part; it may be overwritten as soon as this returns."""
        ...

    def place(self) -> None:
        """Make it durable and put it under its key.

        Raises
        ------
        ObjectExistsError
            An object with that key was there first; it is left as it was.
        """
        ...

    def __enter__(self) -> Self:
        """Give it back."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Drop what was not placed."""
        ...


@runtime_checkable
class TakesParts(Protocol):
    """A store that takes an object part by part, so that none has to be held whole."""

    def begin(self, key: str) -> NewObject:
        """Begin an object."""
        ...


def begin_object(objects: ObjectStore, key: str) -> NewObject:
    """Begin an object in any store; one that takes objects only whole gets it so at the end."""
    if isinstance(objects, TakesParts):
        return objects.begin(key)
    return _Gathered(objects, key)


class _Gathered:
    """Holds an object until it is whole."""

    def __init__(self, objects: ObjectStore, key: str) -> None:
        self._objects = objects
        self._key = key
        self._data = bytearray()

    def write(self, part: memoryview) -> None:
        self._data += part

    def place(self) -> None:
        self._objects.put_new(self._key, self._data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._data = bytearray()
