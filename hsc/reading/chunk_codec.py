"""How the inner chunks of an array are decoded, and put where they are wanted."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import CorruptShardError
from hsc.reading.grid import Piece
from hsc.store import Part, read_fill
from hsc.transcode import decode_chunk, decode_into, decode_part

DecodeInto = Callable[[Part, NDArray[Any], Mapping[str, Any] | None], bool]
"""Decodes a chunk into an array that it fills, as `hsc.transcode.decode_into` does."""


@dataclass(frozen=True)
class ChunkCodec:
    """What Zarr's metadata say of an array's chunks."""

    type_name: str
    """Zarr's name of the element type, or ``string``."""
    shape: tuple[int, ...]
    """Of an inner chunk."""
    compressor: Mapping[str, Any] | None
    """Blosc or Zstandard; None for raw bytes."""
    big_endian: bool
    """Byte order of the encoded numbers."""
    fill_value: Any
    """As JSON words it."""

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Element type; ``object`` for text."""
        return np.dtype(object if self.type_name == "string" else self.type_name)

    @cached_property
    def fill(self) -> Any:
        """What chunks that were never written are full of."""
        return read_fill(self.fill_value, self.type_name)

    @cached_property
    def nbytes(self) -> int:
        """Bytes of a decoded chunk."""
        return math.prod(self.shape) * self.dtype.itemsize

    @cached_property
    def _as_in_memory(self) -> bool:
        """Whether decoded bytes are elements as this machine has them."""
        swapped = self.big_endian != (sys.byteorder == "big")
        return self.dtype != object and not (swapped and self.dtype.itemsize > 1)

    def decode(self, payload: Part) -> NDArray[Any]:
        """Decode a whole chunk.

        Raises
        ------
        RuntimeError, ValueError
            It can't be decoded.
        """
        return decode_chunk(
            payload, self.type_name, self.shape, self.compressor, big_endian=self.big_endian
        )

    def place(
        self,
        payload: Part,
        result: NDArray[Any],
        piece: Piece,
        decode: DecodeInto = decode_into,
    ) -> None:
        """Decode as much of a chunk as is wanted, to where it is wanted.

        Parameters
        ----------
        payload
            Encoded bytes.
        result, piece
            An array, and where in it which part of the chunk goes.
        decode
            What decodes chunks that are wanted whole.

        Raises
        ------
        RuntimeError, ValueError
            It can't be decoded.
        """
        target = result[(*piece.into, ...)]
        if self._as_in_memory:
            whole = target.shape == self.shape and target.flags.c_contiguous
            if whole and decode(payload, target, self.compressor):
                return
            part = None if whole else self._part(payload, piece)
            if part is not None:
                target[...] = part
                return
        target[...] = self.decode(payload)[(*piece.out, ...)]

    def _part(self, payload: Part, piece: Piece) -> NDArray[Any] | None:
        """Decode the bytes from a piece's first element to its last; None: better all of them."""
        if not self.shape:
            return None
        size = self.dtype.itemsize
        strides = [size * math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape))]
        low = sum(out.start * stride for out, stride in zip(piece.out, strides, strict=True))
        last = sum((out.stop - 1) * stride for out, stride in zip(piece.out, strides, strict=True))
        found = decode_part(payload, low, last + size, self.nbytes, self.compressor)
        if found is None:
            return None
        shape = tuple(out.stop - out.start for out in piece.out)
        return np.ndarray(shape, self.dtype, np.ascontiguousarray(found).data, strides=strides)


def undecodable(error: Exception, where: str) -> CorruptShardError:
    """Give the error of a chunk that can't be decoded.

    Its checksum holds: the source was damaged, and nobody compared the chunk with it.
    """
    return CorruptShardError(
        f"the chunk can't be decoded: {error}",
        where=where,
        next_step="restore it from a copy of the store, if it was whole there",
    )
