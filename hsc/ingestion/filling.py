"""Filling a shard with chunks: read in long stretches, carried by one kernel, or recoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import DamagedSourceError
from hsc.ingestion.decoding import decoded_chunk, decoded_chunks
from hsc.ingestion.failures import ENDING, LOST, ChunkFailure, Lost
from hsc.ingestion.source import ArraySource
from hsc.ingestion.tasks import ChunkLook, ShardTask
from hsc.store import (
    BUFFER_BYTES,
    ShardStream,
    give_back,
    idle_processors,
    pay,
    take_buffer,
)
from hsc.transcode import MalformedChunkError, Row, encode_chunk

# Less than a batch of the shard, so that one call carries all of a stretch.
_READ_BYTES = 3 * 2**20
# Bytes between chunks that are rather read with them than jumped over.
_WASTED_BYTES = 64 * 2**10
_LEAST_ROOM = 4096
# Decoded bytes of chunks in work at once; each is there up to four times.
_WORKED_ON_BYTES = 64 * 2**20
_COPIED_BYTES = 2**20
_Recoding = tuple[int, "Future[bytes | None]"]
_MORE_PER_CHUNK = 24 * 2**10


def fill_shard(task: ShardTask, source: ArraySource, stream: ShardStream) -> list[ChunkFailure]:
    """Put all chunks of a task into its shard; give those that became gaps."""
    filling = _Filling(task, source, stream)
    if task.columns is None:
        filling.through_hdf5()
    elif task.look.row is None:
        filling.recoded(task.columns)
    elif _is_small_copy(task.look, task.columns):
        filling.copied(task.columns)
    else:
        filling.carried(task.columns)
    return filling.failures


class _Filling:
    def __init__(self, task: ShardTask, source: ArraySource, stream: ShardStream) -> None:
        self.failures: list[ChunkFailure] = []
        self._task = task
        self._look = task.look
        self._source = source
        self._stream = stream

    def through_hdf5(self) -> None:
        """Read every chunk through HDF5 and encode it."""
        for row, found in decoded_chunks(self._task, self._source):
            pay(0)  # whose work was stopped hears it here
            if isinstance(found, LOST):
                self._fail(row, found)
            else:
                self._stream.add(int(self._task.numbers[row]), self._encoded(found))

    def recoded(self, columns: NDArray[np.int64]) -> None:
        """Read every chunk by its position, decode it outside of HDF5, encode it.

        Chunks are in work beside each other where processors would stand idle.
        """
        most = max(1, _WORKED_ON_BYTES // self._look.chunk_nbytes)
        at_once = min(1 + idle_processors(), most, len(columns))
        if at_once > 1:
            with ThreadPoolExecutor(at_once, thread_name_prefix="hsc-recode") as pool:
                self._recoded_by(pool, at_once, columns)
            return
        for row in range(len(columns)):
            chunk = self._chunk(row, columns, deque())
            if chunk is not None:
                self._add_recoded(row, chunk)

    def _recoded_by(
        self, pool: ThreadPoolExecutor, at_once: int, columns: NDArray[np.int64]
    ) -> None:
        """Recode in other threads; chunks are read and added here, in their order."""
        waiting: deque[_Recoding] = deque()
        for row in range(len(columns)):
            chunk = self._chunk(row, columns, waiting)
            if chunk is not None:
                waiting.append((row, pool.submit(self._recode, row, chunk)))
            self._add_all(waiting, 2 * at_once - 1)
        self._add_all(waiting, 0)

    def _chunk(
        self, row: int, columns: NDArray[np.int64], waiting: deque[_Recoding]
    ) -> NDArray[np.uint8] | None:
        """Read a chunk as it lies in the file; one that can't be read becomes a gap in its turn."""
        piece, offset, nbytes, _ = columns[row].tolist()
        chunk = np.empty(nbytes, np.uint8)
        try:
            self._source.read_into(piece, offset, chunk)
        except DamagedSourceError as error:
            self._add_all(waiting, 0)
            self._fail(row, error)
            return None
        return chunk

    def _add_all(self, waiting: deque[_Recoding], but: int) -> None:
        """Add recoded chunks, in their order, until no more than ``but`` are left."""
        while len(waiting) > but:
            row, done = waiting.popleft()
            try:
                payload = done.result()
                if payload is None:
                    payload = self._by_hdf5(row)
                self._stream.add(int(self._task.numbers[row]), payload)
            except LOST as error:
                self._fail(row, error)

    def copied(self, columns: NDArray[np.int64]) -> None:
        """Copy the only chunk."""
        piece, offset, nbytes, _ = columns[0].tolist()
        chunk = np.empty(nbytes, np.uint8)
        try:
            self._source.read_into(piece, offset, chunk)
            self._stream.add(int(self._task.numbers[0]), chunk.tobytes())
        except DamagedSourceError as error:
            self._fail(0, error)

    def carried(self, columns: NDArray[np.int64]) -> None:
        """Read chunks in stretches and carry them undecoded."""
        largest = int(columns[:, 2].max(initial=0))
        buffer = take_buffer(min(max(_READ_BYTES, largest), int(columns[:, 2].sum())))
        for first, last in _stretches(columns, buffer.size):
            places = _places_in_buffer(columns[first:last], buffer.size)
            try:
                self._read(columns[first:last], places, buffer)
            except DamagedSourceError:
                self._read_singly(columns, first, last, buffer)
            else:
                self._carry(first, buffer, places, columns[first:last, 3])
        give_back(buffer)

    def _read(
        self, columns: NDArray[np.int64], places: NDArray[np.int64], buffer: NDArray[np.uint8]
    ) -> None:
        """Read chunks of one piece, by one call when they lie side by side."""
        piece, offset = int(columns[0, 0]), int(columns[0, 1])
        if np.array_equal(places[:, 0], columns[:, 1] - offset):
            self._source.read_into(piece, offset, buffer[: places[-1].sum()])
            return
        for (piece, offset, nbytes, _), start in zip(
            columns.tolist(), places[:, 0].tolist(), strict=True
        ):
            self._source.read_into(piece, offset, buffer[start : start + nbytes])

    def _read_singly(
        self, columns: NDArray[np.int64], first: int, last: int, buffer: NDArray[np.uint8]
    ) -> None:
        """Read chunks of which some can't be read; those become gaps."""
        for row in range(first, last):
            one = columns[row : row + 1]
            places = np.array([[0, one[0, 2]]], np.int64)
            try:
                self._read(one, places, buffer)
            except DamagedSourceError as error:
                self._fail(row, error)
            else:
                self._carry(row, buffer, places, one[:, 3])

    def _carry(
        self,
        first: int,
        buffer: NDArray[np.uint8],
        places: NDArray[np.int64],
        masks: NDArray[np.int64],
    ) -> None:
        """Carry chunks that were read, from row ``first`` of the task."""
        # numba takes a second to import; only chunks that travel by position need it.
        from hsc.transcode import Carried, carry_chunks, room_needed

        look, at = self._look, 0
        stretch = int(places[-1].sum()) + _MORE_PER_CHUNK * len(places)
        room = min(stretch, BUFFER_BYTES) if len(places) > 1 else _LEAST_ROOM
        row = Row.RAW if look.row is None else look.row
        while at < len(places):
            masked = np.flatnonzero(masks[at:])
            stop = at + int(masked[0]) if len(masked) else len(places)
            carried = np.zeros((stop - at, 2), np.int64)
            done = carry_chunks(
                row, buffer, places[at:stop], self._stream.room(room), carried,
                nbytes=look.chunk_nbytes, itemsize=look.itemsize, summed=look.summed,
                padded=look.padded,
            )  # fmt: skip
            numbers = self._task.numbers[first + at : first + at + done.count]
            self._stream.take(numbers, carried[: done.count])
            at += done.count
            room = _LEAST_ROOM
            if done.end == Carried.NO_ROOM:
                start, nbytes = places[at].tolist()
                chunk = buffer[start : start + nbytes]
                room = room_needed(row, chunk, look.chunk_nbytes)
            elif done.malformed:
                self._malformed(first + at, done.malformed)
                at += 1
            elif at < len(places):
                start, nbytes = places[at].tolist()
                self._add_recoded(first + at, buffer[start : start + nbytes])
                at += 1

    def _add_recoded(self, row: int, chunk: NDArray[np.uint8]) -> None:
        try:
            payload = self._recode(row, chunk)
            if payload is None:
                payload = self._by_hdf5(row)
            self._stream.add(int(self._task.numbers[row]), payload)
        except LOST as error:
            self._fail(row, error)

    def _recode(self, row: int, chunk: NDArray[np.uint8]) -> bytes | None:
        """Decode and encode a chunk; None when only HDF5 can decode it."""
        from hsc.transcode import decode_filters

        look, columns = self._look, self._task.columns
        mask = 0 if columns is None else int(columns[row, 3])
        try:
            plain = decode_filters(chunk, look.filters, mask, look.chunk_nbytes)
        except MalformedChunkError as error:
            raise self._damaged(row, str(error)) from error
        if plain is None:
            return None
        return self._encoded(plain.view(look.source_dtype).reshape(look.chunks))

    def _by_hdf5(self, row: int) -> bytes:
        place = tuple(map(int, self._task.places[row]))
        return self._encoded(decoded_chunk(self._look, self._source, place))

    def _encoded(self, array: NDArray[Any]) -> bytes:
        return encode_chunk(array, self._look.compressor, big_endian=self._look.big_endian)

    def _damaged(self, row: int, what: str) -> DamagedSourceError:
        columns = self._task.columns
        return self._source.damaged(0 if columns is None else int(columns[row, 0]), what)

    def _malformed(self, row: int, what: str) -> None:
        self._fail(row, self._damaged(row, what))

    def _fail(self, row: int, error: Lost) -> None:
        if isinstance(error, ENDING):
            pay(0)  # a child process that was ended with the work is no crash
            if self._task.tolerance is None:
                raise error
            self._task.tolerance.bear(error)
        self._stream.add_gap(int(self._task.numbers[row]))
        place = tuple(map(int, self._task.places[row]))
        self.failures.append(ChunkFailure.of(self._look.path, place, error))


def _is_small_copy(look: ChunkLook, columns: NDArray[np.int64]) -> bool:
    """Tell whether a single small chunk is to be copied: no kernel is worth its import for it."""
    if len(columns) != 1 or look.row is not Row.RAW or look.summed:
        return False
    nbytes, mask = columns[0, 2:].tolist()
    return not mask and nbytes == look.chunk_nbytes <= _COPIED_BYTES


def _stretches(columns: NDArray[np.int64], room: int) -> Iterator[tuple[int, int]]:
    """Cut chunks into stretches of one piece that fit the buffer, side by side or packed."""
    sizes = columns[:, 2]
    ends = np.cumsum(sizes)
    # Where the next chunk is of another piece.
    turns = np.flatnonzero(np.diff(columns[:, 0])) + 1
    first = 0
    while first < len(columns):
        begun = ends[first] - sizes[first]
        last = int(np.searchsorted(ends, begun + room, side="right"))
        turn = turns[np.searchsorted(turns, first, side="right") :][:1]
        last = min(last, int(turn[0])) if len(turn) else last
        yield first, max(first + 1, last)
        first = max(first + 1, last)


def _places_in_buffer(columns: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    """Give first byte and bytes of each chunk in the buffer, as they lie in the file if near."""
    offsets, sizes = columns[:, 1], columns[:, 2]
    between = offsets[1:] - offsets[:-1] - sizes[:-1]
    span = int(offsets[-1] + sizes[-1] - offsets[0])
    beside = not len(between) or (between.min() >= 0 and between.max() <= _WASTED_BYTES)
    if beside and span <= room:
        return np.column_stack([offsets - offsets[0], sizes])
    return np.column_stack([np.cumsum(sizes) - sizes, sizes])
