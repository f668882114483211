"""Objects written part by part while they are made; each appears whole under its key, or not."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hsc.store.bodies import Body, GatheredObject
from hsc.store.objects import ObjectStore


class NewObject(Protocol):
    """An object that is being made; use it in a ``with`` block, which drops what was not placed."""

    def write(self, buffer: NDArray[np.uint8], nbytes: int) -> bool:
        """Append the first ``nbytes`` of a buffer.

        Returns
        -------
        kept
            Whether the buffer is the object's from now on, which gives it back when it is done
            with it (`give_back`); else it may be overwritten.
        """
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

    def put(body: Body) -> None:
        objects.put_new(key, body.whole())

    return GatheredObject(put)
