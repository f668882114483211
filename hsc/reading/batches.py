"""Reading rows in batches: chunks asked for, checked and decoded into one buffer used again.

What `RegionReader` does for a region at once, for rows one batch after the other, in one thread and
in bounded memory: the buffer (the batch, or the rows of one chunk where those are more), a request
(1 MiB, or a chunk that is larger) and, where the store has to be waited for, two requests ahead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reading.chunk_codec import ChunkCodec, DecodeInto, undecodable
from hsc.reading.grid import ChunkGrid, Piece
from hsc.reading.rooms import room_for
from hsc.store import CheckedVersion, ChunkState, Part, Span, pay, read_ahead
from hsc.transcode import decode_into

_STRAIGHT_BYTES = 2**20  # what is decoded next should still be in the processor's cache
_REMOTE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class _Step:
    """One request of a batch; or, without a span, the chunks of it that hold nothing."""

    bounds: tuple[int, int]
    """The batch: first row, and the one after the last."""
    key: str
    numbers: Sequence[int]
    """Chunks of the object."""
    pieces: Sequence[Piece]
    """What each gives to the batch."""
    span: Span | None

    @property
    def nbytes(self) -> int:
        return 0 if self.span is None else self.span.stop - self.span.start


def _quickest_decoder() -> DecodeInto:
    """Give what decodes long series: kernels, where numba is installed."""
    if find_spec("numba") is None:
        return decode_into
    from hsc.transcode import unpack_into  # numba takes a second to import

    return unpack_into


class BatchReader:
    """Reads rows of one array, batch by batch.

    Parameters
    ----------
    version
        The version that the array belongs to.
    grid
        How the array is divided; it has a first dimension.
    codec
        How its chunks are decoded.
    key
        Gives the key of a shard by its place.
    """

    def __init__(
        self,
        version: CheckedVersion,
        grid: ChunkGrid,
        codec: ChunkCodec,
        key: Callable[[tuple[int, ...]], str],
    ) -> None:
        self._version = version
        self._grid = grid
        self._codec = codec
        self._key = key
        self._decode = _quickest_decoder()
        self._room = np.empty(0, np.uint8)
        self._low: list[int] = []
        self._high: list[int] = []

    def batches(
        self, start: int, stop: int, rows: int, band: tuple[int, int] | None
    ) -> Iterator[NDArray[np.generic]]:
        """Give rows [start, stop), inside the array, at most ``rows`` at a time.

        No chunk is decoded twice: one that holds more rows is decoded whole, and given by parts.
        Of a band along the second dimension no more is decoded than the codec needs.
        """
        chunk, sides = self._grid.chunks[0], self._grid.shape[1:]
        height = -(-rows // chunk) * chunk
        self._low, self._high = [0] * len(sides), list(sides)
        if band is not None:
            self._low[0], self._high[0] = band
        across = [high - low for low, high in zip(self._low, self._high, strict=True)]
        shape = (min(height, stop - start), *across)
        buffer = self._array(shape)
        for low, high in self._filled(buffer, start, stop, height):
            pay(0)  # where nobody waits for the answer any more, this ends
            for first in range(0, high - low, rows):
                yield buffer[first : min(first + rows, high - low)]

    def _array(self, shape: tuple[int, ...]) -> NDArray[Any]:
        dtype = self._codec.dtype
        nbytes = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or not nbytes:
            return np.empty(shape, dtype)
        return room_for(nbytes)[:nbytes].view(dtype).reshape(shape)

    def _filled(
        self, buffer: NDArray[np.generic], start: int, stop: int, height: int
    ) -> Iterator[tuple[int, int]]:
        """Fill the buffer with one batch after the other; give the bounds of what stands in it."""
        straight = self._version.reads_straight
        steps = self._steps(start, stop, height, _STRAIGHT_BYTES if straight else _REMOTE_BYTES)
        if not buffer.size:  # no chunk holds any of it
            yield from ((low, min(low + height, stop)) for low in range(start, stop, height))
            return
        bounds: tuple[int, int] | None = None
        for step, payloads in (
            ((step, None) for step in steps)
            if straight
            else read_ahead(self._ask, steps, lambda step: step.nbytes)
        ):
            if bounds is not None and step.bounds != bounds:
                yield bounds
            bounds = step.bounds
            self._take(buffer, step, payloads)
        if bounds is not None:
            yield bounds

    def _steps(self, start: int, stop: int, height: int, most: int) -> Iterator[_Step]:
        chunk = self._grid.chunks[0]
        low = start
        while low < stop:
            high = min(low // chunk * chunk + height, stop)
            for shard, pieces in self._grid.touched((low, *self._low), (high, *self._high)):
                key = self._key(shard)
                states = self._version.chunk_states(key, self._grid.chunks_per_shard)
                empty = [p for p in pieces if states[p.number] == ChunkState.EMPTY]
                there = [p for p in pieces if states[p.number] != ChunkState.EMPTY]
                if empty:
                    yield _Step((low, high), key, (), empty, None)
                numbers = [piece.number for piece in there]
                for span in self._version.chunk_spans(key, numbers, most):
                    yield _Step((low, high), key, numbers, there, span)
            low = high

    def _ask(self, step: _Step) -> list[Part]:
        if step.span is None:
            return []
        return self._version.read_span(step.key, step.numbers, step.span)

    def _take(self, buffer: NDArray[np.generic], step: _Step, payloads: list[Part] | None) -> None:
        """Put what a request brought where it belongs; without it, make the request."""
        rows = buffer[: step.bounds[1] - step.bounds[0]]

        def place(number: int, payload: Part) -> None:
            try:
                self._codec.place(payload, rows, step.pieces[number], self._decode)
            except (RuntimeError, ValueError) as error:
                where = f"{self._version.objects.url}/{step.key}, chunk {step.numbers[number]}"
                raise undecodable(error, where) from error

        if step.span is None:
            for piece in step.pieces:
                rows[(*piece.into, ...)] = self._codec.fill
        elif payloads is None:
            if self._room.size < step.nbytes:
                self._room = room_for(step.nbytes)
            self._version.read_span(step.key, step.numbers, step.span, place, self._room)
        else:
            for number, payload in zip(step.span.wanted, payloads, strict=True):
                place(number, payload)
