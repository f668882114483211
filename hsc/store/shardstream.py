"""A shard on its way out: batches of chunks are filled, digested and written, one after the other.

Where processors would stand idle, because fewer shards are made than there are processors, another
thread digests and writes a batch while this one fills the next. The bytes are the same either way.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import google_crc32c
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.store.buffers import BUFFER_BYTES, give_back, take_buffer
from hsc.store.shards import GAP_PAYLOAD, ChunkState, ChunkTable, shard_index

_BATCHES = 3


class _Busy:
    """Counts the shards that this process fills at the moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def enter(self) -> None:
        with self._lock:
            self._count += 1

    def leave(self) -> None:
        with self._lock:
            self._count -= 1

    def idle(self) -> int:
        """Give how many processors have no shard of their own."""
        here = hasattr(os, "sched_getaffinity")
        count = len(os.sched_getaffinity(0)) if here else os.cpu_count() or 1
        return max(0, count - self._count)


_BUSY = _Busy()


def idle_processors() -> int:
    """Give how many processors have no shard of this process to work at."""
    return _BUSY.idle()


class ShardStream:
    """Puts one object together, chunk by chunk, and hands its bytes on in order.

    Use it in a ``with`` block, in one thread.

    Parameters
    ----------
    count
        Inner chunks in the shard, absent ones included.
    indexed
        Whether a shard index ends the object; without it the object is its only chunk.
    sink
        Takes the object's bytes: a buffer and how many of its first bytes. Where it gives true it
        keeps the buffer (`NewObject.write`).
    expected
        Bytes that the object will have, if that is known: small ones take little memory.
    """

    def __init__(
        self,
        count: int,
        *,
        indexed: bool,
        sink: Callable[[NDArray[np.uint8], int], bool],
        expected: int = BUFFER_BYTES,
    ) -> None:
        self._table = ChunkTable.none(count)
        self._indexed = indexed
        self._sink = sink
        self._hash = blake3()
        self._length = 0
        self._batch = take_buffer(max(1, min(expected, BUFFER_BYTES)))
        self._filled = 0
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        _BUSY.enter()
        return self

    def __exit__(self, *exc: object) -> None:
        _BUSY.leave()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        give_back(self._batch)

    def room(self, nbytes: int) -> NDArray[np.uint8]:
        """Give where the next chunks go: ``nbytes`` or more."""
        if self._batch.size - self._filled < nbytes:
            self._hand_on()
            if self._batch.size < nbytes:
                give_back(self._batch)
                self._batch = take_buffer(max(nbytes, BUFFER_BYTES))
        return self._batch[self._filled :]

    def take(self, numbers: NDArray[np.int64], carried: NDArray[np.int64]) -> None:
        """Take chunks that lie one after the other at the beginning of `room`.

        Parameters
        ----------
        numbers
            (n,): their numbers in the shard.
        carried
            (n, 2): bytes of each without the crc32c that follows it, and crc32c.
        """
        ends = np.cumsum(carried[:, 0] + 4)
        if not len(ends):
            return
        table = self._table
        table.states[numbers] = ChunkState.DATA
        table.offsets[numbers] = self._length + ends - carried[:, 0] - 4
        table.lengths[numbers] = carried[:, 0]
        table.crcs[numbers] = carried[:, 1]
        self._advance(int(ends[-1]))

    def add(self, index: int, payload: bytes) -> None:
        """Add the encoded bytes of chunk number ``index``."""
        self._append(index, ChunkState.DATA, payload, google_crc32c.value(payload))

    def add_gap(self, index: int) -> None:
        """Add a chunk that could not be carried over: stock readers raise on its crc32c."""
        crc = google_crc32c.value(GAP_PAYLOAD) ^ 0xFFFFFFFF
        self._append(index, ChunkState.GAP, GAP_PAYLOAD, crc)

    def finish(self) -> tuple[int, bytes, ChunkTable]:
        """End the object; give its bytes (0: all chunks are empty), its BLAKE3, its chunks."""
        if self._length and self._indexed:
            index = shard_index(self._table)
            index += google_crc32c.value(index).to_bytes(4, "little")
            self.room(len(index))[: len(index)] = np.frombuffer(index, np.uint8)
            self._advance(len(index))
        self._wait(0)
        self._drain(self._batch, self._filled)
        self._batch, self._filled = np.empty(0, np.uint8), 0
        return self._length, self._hash.digest(), self._table

    def _append(self, index: int, state: ChunkState, payload: bytes, crc: int) -> None:
        end = len(payload) + 4
        place = self.room(end)
        place[: len(payload)] = np.frombuffer(payload, np.uint8)
        place[len(payload) : end] = np.frombuffer(crc.to_bytes(4, "little"), np.uint8)
        table = self._table
        table.states[index] = state
        table.offsets[index] = self._length
        table.lengths[index] = len(payload)
        table.crcs[index] = crc
        self._advance(end)

    def _advance(self, nbytes: int) -> None:
        self._filled += nbytes
        self._length += nbytes

    def _hand_on(self) -> None:
        """Digest and write the batch, or have another thread do it."""
        if not self._filled:
            return
        if _BUSY.idle():
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="hsc-drain")
            self._under_way.append(self._pool.submit(self._drain, self._batch, self._filled))
            self._wait(_BATCHES - 1)
        else:
            self._wait(0)
            self._drain(self._batch, self._filled)
        self._batch, self._filled = take_buffer(BUFFER_BYTES), 0

    def _wait(self, most: int) -> None:
        """Wait until no more than ``most`` batches are under way."""
        while len(self._under_way) > most:
            self._under_way.popleft().result()

    def _drain(self, batch: NDArray[np.uint8], filled: int) -> None:
        self._hash.update(batch[:filled].data)
        if not self._sink(batch, filled):
            give_back(batch)
