"""A shard on its way out: batches of chunks are filled here and digested and written elsewhere.

While one thread fills a batch, another digests and writes the one before, so that a worker keeps
two processors busy and waits for the disk only at the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import google_crc32c
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.store.shards import GAP_PAYLOAD, ChunkState, ChunkTable, shard_index

_BATCH_BYTES = 4 * 2**20
_BATCHES = 3


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
        Takes the object's bytes; a part may be overwritten as soon as it returns.
    expected
        Bytes that the object will have, if that is known: small ones take little memory.
    """

    def __init__(
        self,
        count: int,
        *,
        indexed: bool,
        sink: Callable[[memoryview], None],
        expected: int = _BATCH_BYTES,
    ) -> None:
        self._table = ChunkTable.none(count)
        self._indexed = indexed
        self._sink = sink
        self._hash = blake3()
        self._length = 0
        self._batch = np.empty(max(1, min(expected, _BATCH_BYTES)), np.uint8)
        self._filled = 0
        self._free: list[NDArray[np.uint8]] = []
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: deque[tuple[Future[None], NDArray[np.uint8]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def room(self, nbytes: int) -> NDArray[np.uint8]:
        """Give where the next chunks go: ``nbytes`` or more."""
        if self._batch.size - self._filled < nbytes:
            self._hand_on()
            if self._batch.size < nbytes:
                self._batch = np.empty(max(nbytes, _BATCH_BYTES), np.uint8)
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
        if self._pool is None:
            self._drain(self._batch[: self._filled])
        else:
            self._hand_on()
            while self._under_way:
                self._under_way.popleft()[0].result()
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
        """Give the batch to the other thread; wait when it is more than a batch behind."""
        if not self._filled:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="hsc-drain")
        part = self._batch[: self._filled]
        self._under_way.append((self._pool.submit(self._drain, part), self._batch))
        while self._under_way and (
            len(self._under_way) >= _BATCHES or self._under_way[0][0].done()
        ):
            done, batch = self._under_way.popleft()
            done.result()
            self._free.append(batch)
        self._batch = self._free.pop() if self._free else np.empty(_BATCH_BYTES, np.uint8)
        self._filled = 0

    def _drain(self, part: NDArray[np.uint8]) -> None:
        view = part.data
        self._hash.update(view)
        self._sink(view)
