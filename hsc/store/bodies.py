"""Bodies: what one PUT sends, read in place from the parts that it was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsc.store.buffers import give_back
from hsc.store.pacing import payer

# An HTTP client sends what one call gives it, whatever it asked for, and takes the interpreter's
# lock anew for each: with its own 16 kB that is what a PUT beside other work waits for.
_PIECE_BYTES = 256 * 2**10


class Body:
    """Parts that are read one after the other, as a file is; nothing is copied.

    Parameters
    ----------
    parts
        The bytes.
    sha256
        Their digest, in hexadecimal, where it is known already: it need not be made again for
        the signature. None: it is not known.
    """

    def __init__(self, parts: Sequence[memoryview], sha256: str | None = None) -> None:
        self.sha256 = sha256
        self._parts = [part.cast("B") for part in parts if part.nbytes]
        self._nbytes = sum(part.nbytes for part in self._parts)
        self._position, self._part, self._start = 0, 0, 0

    def __len__(self) -> int:
        return self._nbytes

    def read(self, _size: int = -1) -> memoryview:
        """Give the next piece, of whatever size is best sent at once; an empty one at the end."""
        while self._part < len(self._parts):
            part = self._parts[self._part]
            piece = part[self._start : self._start + _PIECE_BYTES]
            if piece.nbytes:
                self._start += piece.nbytes
                self._position += piece.nbytes
                return piece
            self._part, self._start = self._part + 1, 0
        return memoryview(b"")

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position; ``whence`` is that of files."""
        if whence:
            offset += self._position if whence == 1 else self._nbytes
        self._position, self._part, self._start = 0, 0, 0
        for part in self._parts:
            if offset - self._position < part.nbytes:
                break
            self._position += part.nbytes
            self._part += 1
        self._start = offset - self._position if self._part < len(self._parts) else 0
        self._position += self._start
        return self._position

    def tell(self) -> int:
        """Give the position."""
        return self._position

    def whole(self) -> bytes:
        """Give a copy of it all."""
        return b"".join(self._parts)

    def equals(self, data: bytes) -> bool:
        """Tell whether it is these bytes."""
        if len(data) != self._nbytes:
            return False
        start, view = 0, memoryview(data)
        for part in self._parts:
            if view[start : start + part.nbytes] != part:
                return False
            start += part.nbytes
        return True


class GatheredObject:
    """An object whose parts are kept until it is whole; they stay where they were made.

    Parameters
    ----------
    put
        Puts the whole of it under its key.
    """

    def __init__(self, put: Callable[[Body], None]) -> None:
        self._put = put
        self._pay = payer()  # its parts may come from another thread
        self._kept: list[tuple[NDArray[np.uint8], int]] = []
        # Made while the object is, so that no processor waits for it before the first byte goes.
        self._sha256 = hashlib.sha256()

    def write(self, buffer: NDArray[np.uint8], nbytes: int) -> bool:
        """Keep a buffer as the next part."""
        self._pay(0)  # whose work was stopped hears it here; it pays when it is put
        self._sha256.update(buffer[:nbytes].data)
        self._kept.append((buffer, nbytes))
        return True

    def place(self) -> None:
        """Put it under its key; a taken key fails."""
        parts = [buffer[:nbytes].data for buffer, nbytes in self._kept]
        self._put(Body(parts, self._sha256.hexdigest()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for buffer, _ in self._kept:
            give_back(buffer)
        self._kept = []
