"""A stored array: its inner chunks as they lie in the store, and what the manifest says of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import CorruptShardError, ManifestError
from hsc.reading import OpenedArray, OpenedDataset
from hsc.store import DATA, ChunkState, read_fill
from hsc.transcode import decode_chunk

_BATCH_BYTES = 8 * 2**20
_BATCH_CHUNKS = 1024

Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Chunks of one shard that are read together."""

    key: str
    """The shard's object."""
    numbers: tuple[int, ...]
    """Numbers of the chunks in the shard."""
    places: tuple[Place, ...]
    """Their places in the grid of inner chunks."""
    nbytes: int
    """Their bytes as they are stored."""


class StoredArray:
    """An array of an opened dataset, chunk by chunk.

    Parameters
    ----------
    dataset, path
        The dataset, and the true path of the array.
    rows
        Only these rows along the first dimension, which begin with a chunk; None: all.
    """

    def __init__(
        self, dataset: OpenedDataset, path: str, rows: tuple[int, int] | None = None
    ) -> None:
        self.array: OpenedArray = dataset.array(path)
        """The array, decoded."""
        self.shape = (
            self.array.shape if rows is None else (rows[1] - rows[0], *self.array.shape[1:])
        )
        """Shape of what is wanted of it."""
        self._rows = rows
        self._version = dataset.version
        document = dataset.documents[path]
        self._key: str = document["key"]
        self._fill: Any = document["fill_value"]
        self.dtype: str = document["data_type"]
        """Zarr's name of the element type."""
        codecs: list[dict[str, Any]] = document["codecs"]
        sharded = codecs[0]["name"] == "sharding_indexed"
        inner = codecs[0]["configuration"]["codecs"] if sharded else codecs
        self.compressor: dict[str, Any] | None = inner[1] if len(inner) == 3 else None
        """The codec of an inner chunk; None for raw bytes."""
        self.big_endian: bool = inner[0].get("configuration", {}).get("endian") == "big"
        """Whether the stored elements are big-endian."""

    @property
    def fill(self) -> NDArray[Any]:
        """What was never written reads as, one element."""
        return np.array([read_fill(self._fill, self.dtype)], self.array.dtype)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of an inner chunk."""
        return self.array.chunks

    @property
    def nbytes(self) -> int:
        """Bytes of a decoded inner chunk; of text the bytes of its pointers."""
        return math.prod(self.chunks) * self.array.dtype.itemsize

    @property
    def cuts_chunks(self) -> bool:
        """Whether the wanted rows do not begin and end with chunks, but at the array's end."""
        if self._rows is None:
            return False
        start, stop = self._rows
        step = self.chunks[0]
        return bool(start % step or (stop % step and stop != self.array.shape[0]))

    @cached_property
    def gaps(self) -> tuple[Place, ...]:
        """Places of the inner chunks that are gaps."""
        found = (places for _, _, places in self._chunks(ChunkState.GAP))
        return tuple(tuple(map(int, place)) for places in found for place in places)

    def batches(self, decoded: bool) -> Iterator[Batch]:
        """Give all chunks that hold data, in the order in which they lie.

        ``decoded`` tells that they will be, so that their decoded bytes bound a batch.
        """
        for key, numbers, places in self._chunks(ChunkState.DATA):
            entry = self._version.entry(key)
            if entry is None:
                continue
            order = np.argsort(entry.chunks.offsets[numbers], kind="stable")
            lengths = entry.chunks.lengths[numbers][order].astype(np.int64)
            sizes = np.cumsum(np.full_like(lengths, self.nbytes) if decoded else lengths)
            yield from _cut(key, numbers[order], places[order], lengths, sizes)

    def read(self, batch: Batch) -> list[bytes | memoryview]:
        """Give the encoded bytes of a batch's chunks, checked.

        Raises
        ------
        DamageError
            Bytes are missing or not those that were written.
        """
        found = self._version.read_chunks(batch.key, batch.numbers)
        return [payload or b"" for payload in found]

    def decode(self, payload: bytes | memoryview, place: Place) -> NDArray[Any]:
        """Decode a chunk: its full shape, little-endian.

        Raises
        ------
        CorruptShardError
            It can't be decoded.
        """
        try:
            return decode_chunk(
                payload, self.dtype, self.chunks, self.compressor, big_endian=self.big_endian
            )
        except (RuntimeError, ValueError) as error:
            raise CorruptShardError(
                f"the chunk can't be decoded: {error}",
                where=f"{self._version.objects.url}/{self._key}, chunk {place}",
                next_step="restore it from a copy of the store, if it was whole there",
            ) from error

    def region(self, place: Place) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Give first element and end of an inner chunk, within what is wanted."""
        start = [at * size for at, size in zip(place, self.chunks, strict=True)]
        if self._rows is not None:
            start[0] -= self._rows[0]
        ends = zip(start, self.chunks, self.shape, strict=True)
        return tuple(start), tuple(min(a + size, n) for a, size, n in ends)

    def rows_with_data(self) -> NDArray[np.bool_]:
        """Tell, for each chunk along the first dimension, whether one there holds data."""
        found = np.zeros(-(-self.array.shape[0] // self.chunks[0]), np.bool_)
        for _, _, places in self._chunks(ChunkState.DATA):
            found[places[:, 0]] = True
        return found

    def _chunks(
        self, state: ChunkState
    ) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.int64]]]:
        """Give, for each shard, number and place of each wanted chunk of a state."""
        grid = np.array(self._grid, np.int64)
        for shard, key in self._shards():
            entry = self._version.entry(key)
            if entry is None:
                raise ManifestError(
                    "the manifest does not know the object",
                    where=f"{self._version.objects.url}/{key}",
                    next_step="`hsc verify` says what is damaged",
                )
            numbers = np.flatnonzero(entry.chunks.states == state)
            places = self._places(shard, numbers)
            # The last shards may be larger than the array.
            wanted = (places < grid).all(axis=1)
            if self._rows is not None:
                first = places[:, 0] * self.chunks[0]
                wanted &= (first >= self._rows[0]) & (first < self._rows[1])
            yield key, numbers[wanted], places[wanted]

    def _shards(self) -> Iterator[tuple[Place, str]]:
        counts = zip(self.array.shape, self.array.shards, strict=True)
        for shard in product(*(range(-(-n // s)) for n, s in counts)):
            yield shard, "/".join([DATA, self._key, "c", *map(str, shard)])

    def _places(self, shard: Place, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the places of a shard's chunks in the grid of inner chunks."""
        if not shard:
            return np.zeros((len(numbers), 0), np.int64)
        per_shard = self._per_shard
        within = np.column_stack(np.unravel_index(numbers, per_shard))
        return within + np.array(shard, np.int64) * np.array(per_shard, np.int64)

    @property
    def _per_shard(self) -> Place:
        return tuple(s // c for s, c in zip(self.array.shards, self.chunks, strict=True))

    @property
    def _grid(self) -> Place:
        return tuple(-(-n // c) for n, c in zip(self.array.shape, self.chunks, strict=True))


def _cut(
    key: str,
    numbers: NDArray[np.int64],
    places: NDArray[np.int64],
    lengths: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> Iterator[Batch]:
    """Cut a shard's chunks into batches by ``sizes``, the bytes that bound them, added up."""
    start = 0
    while start < len(numbers):
        before = int(sizes[start - 1]) if start else 0
        stop = int(np.searchsorted(sizes, before + _BATCH_BYTES, "right"))
        stop = min(max(stop, start + 1), start + _BATCH_CHUNKS)
        at = [tuple(place) for place in places[start:stop].tolist()]
        held = tuple(numbers[start:stop].tolist())
        yield Batch(key, held, tuple(at), int(lengths[start:stop].sum()))
        start = stop


def inside(start: Sequence[int], stop: Sequence[int]) -> tuple[Any, ...]:
    """Give the part of a chunk that lies in the array."""
    return (*(slice(0, b - a) for a, b in zip(start, stop, strict=True)), ...)
