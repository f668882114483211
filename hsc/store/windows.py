"""Windows: an object's bytes one stretch after another, in buffers that are used again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.store.buffers import BUFFER_BYTES, give_back, take_buffer
from hsc.store.objects import ObjectStore
from hsc.store.pacing import pay

_REMOTE_BYTES = 16 << 20  # where each read costs a round trip

Window = tuple[NDArray[np.uint8], int]
"""A buffer and how many bytes of it count; whoever is done with it gives it back (`give_back`)."""


@runtime_checkable
class ReadsInto(Protocol):
    """A store that reads an object into memory that is there already."""

    def reading(
        self, key: str, start: int = 0
    ) -> AbstractContextManager[Callable[[NDArray[np.uint8]], int]]:
        """Open an object; the block gets what fills a buffer with its next bytes.

        They begin with that of number ``start``. It tells how many they were, 0 at the end of the
        object.

        Raises
        ------
        ObjectMissingError
            There is no such object.
        """
        ...


def windows(objects: ObjectStore, key: str, nbytes: int) -> Iterator[Window]:
    """Give the first ``nbytes`` of an object window by window, or as many as there are.

    Raises
    ------
    ObjectMissingError
        There is no such object.
    """
    if isinstance(objects, ReadsInto):
        yield from _read_into(objects, key, nbytes)
        return
    for start in range(0, nbytes, _REMOTE_BYTES):
        pay(0)  # where nobody waits for the answer any more, this ends
        part = objects.get(key, start, min(start + _REMOTE_BYTES, nbytes))
        yield np.frombuffer(part, np.uint8), len(part)
        if len(part) < min(_REMOTE_BYTES, nbytes - start):
            return


def digest_object(objects: ObjectStore, key: str, nbytes: int) -> bytes:
    """Give the BLAKE3 of an object's first ``nbytes``."""
    digest = blake3()
    for buffer, count in windows(objects, key, nbytes):
        digest.update(buffer[:count].data)
        give_back(buffer)
    return digest.digest()


def _read_into(objects: ReadsInto, key: str, nbytes: int) -> Iterator[Window]:
    with objects.reading(key) as read:
        left = nbytes
        while left:
            pay(0)
            # Larger ones would leave the processor's cache before they are hashed.
            buffer = take_buffer(min(left, BUFFER_BYTES))
            count = read(buffer[: min(left, buffer.size)])
            yield buffer, count
            if not count:
                return
            left -= count
