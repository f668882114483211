"""One array of an opened dataset, read through the dataset's manifest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import CorruptShardError, HscError, ManifestError
from hsc.store import DATA, CheckedVersion, ChunkState, open_version, read_fill
from hsc.transcode import decode_chunk


class OpenedArray:
    """An array of a dataset; cheap to send to a worker, which opens the store by itself.

    Parameters
    ----------
    location
        URL of the version's folder.
    path
        True path of the array.
    document
        Its Zarr metadata, with its store key under ``key``.
    version
        The version, when it is open already.
    others
        Folders of further copies of the version.
    """

    def __init__(
        self,
        location: str,
        path: str,
        document: dict[str, Any],
        version: CheckedVersion | None = None,
        others: Sequence[str] = (),
    ) -> None:
        self._location = location
        self._others = tuple(others)
        self._document = document
        self._version = version
        self.path = path
        """True path."""
        self.shape: tuple[int, ...] = tuple(document["shape"])
        """Elements along each dimension."""
        self.attributes: Mapping[str, Any] = document["attributes"]
        """Attributes, as JSON."""
        self._shards: tuple[int, ...] = tuple(
            document["chunk_grid"]["configuration"]["chunk_shape"]
        )
        codecs = document["codecs"]
        sharding = codecs[0].get("configuration", {}) if _is_sharding(codecs) else None
        self.chunks: tuple[int, ...] = tuple(sharding["chunk_shape"]) if sharding else self._shards
        """Shape of an inner chunk."""
        inner = sharding["codecs"] if sharding else codecs
        self._compressor = inner[1] if len(inner) == 3 else None
        self._big_endian = inner[0].get("configuration", {}).get("endian") == "big"
        self._type: str = document["data_type"]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type; ``object`` for text."""
        return np.dtype(object if self._type == "string" else self._type)

    @property
    def shards(self) -> tuple[int, ...]:
        """Shape of a shard."""
        return self._shards

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """One name for each dimension."""
        return tuple(self._document.get("dimension_names", ()))

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Read rows along the first dimension, checked and decoded.

        Parameters
        ----------
        start, stop
            First row, and the one after the last; None: to the end.

        Returns
        -------
        rows
            Of shape ``(stop - start, *shape[1:])``; what was never written is the fill value.

        Raises
        ------
        DamageError
            Bytes are missing or not those that were written.
        """
        if not self.shape:
            return self._chunk(())
        end = max(0, self.shape[0] if stop is None else min(stop, self.shape[0]))
        first = min(max(start, 0), end)
        return self.region((first, *[0] * (len(self.shape) - 1)), (end, *self.shape[1:]))

    def region(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Read a region, checked and decoded: as `read`, along every dimension.

        Parameters
        ----------
        start, stop
            First element along each dimension, and the one after the last, inside the array.
        """
        if not self.shape:
            return self._chunk(())
        bounds = list(zip(start, stop, strict=True))
        result = np.empty([b - a for a, b in bounds], self.dtype)
        if result.size:
            spans = zip(bounds, self.chunks, strict=True)
            for place in product(*(range(a // c, -(-b // c)) for (a, b), c in spans)):
                self._place(result, place, bounds)
        return result

    def unwritten(self) -> tuple[int, ...]:
        """Give the rows of the first dimension that are not all there, by the manifest.

        Such a row touches an inner chunk that was never written or is a gap; it would read in part
        as the fill value, or not at all. No chunk is read.

        Raises
        ------
        ManifestError
            The manifest does not list a chunk of the array.
        """
        if not self.shape:
            return ()
        grid = [math.ceil(n / c) for n, c in zip(self.shape, self.chunks, strict=True)]
        lacking = np.zeros(grid[0], np.bool_)
        per_shard = self._per_shard
        for shard in product(*(range(-(-g // n)) for g, n in zip(grid, per_shard, strict=True))):
            # The last shards may be larger than the array: chunks outside of it do not count.
            within = zip(grid, per_shard, shard, strict=True)
            inside = tuple(slice(0, g - at * n) for g, n, at in within)
            states = self._states(shard).reshape(per_shard)[inside]
            rows = np.any(states != ChunkState.DATA, axis=tuple(range(1, states.ndim)))
            first = shard[0] * per_shard[0]
            lacking[first : first + len(rows)] |= rows
        return tuple(np.flatnonzero(np.repeat(lacking, self.chunks[0])[: self.shape[0]]).tolist())

    def scalar(self) -> Any:
        """Give the only element as int, float, bool or str.

        Raises
        ------
        HscError
            The array has more than one element, or none.
        """
        values = self.read().ravel()
        if values.size != 1:
            raise HscError(f"{self.path} has {values.size} elements, not one", where=self._location)
        value = values[0]
        return value.item() if hasattr(value, "item") else value

    def __getstate__(self) -> dict[str, Any]:
        return {
            "location": self._location,
            "path": self.path,
            "document": self._document,
            "others": self._others,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _open(self) -> CheckedVersion:
        if self._version is None:
            self._version = open_version(self._location, others=self._others)
        return self._version

    def _place(
        self, result: NDArray[Any], place: tuple[int, ...], bounds: Sequence[tuple[int, int]]
    ) -> None:
        chunk = self._chunk(place)
        into, out = [], []
        for at, size, (low, high) in zip(place, self.chunks, bounds, strict=True):
            begin, finish = max(at * size, low), min((at + 1) * size, high)
            into.append(slice(begin - low, finish - low))
            out.append(slice(begin - at * size, finish - at * size))
        result[tuple(into)] = chunk[tuple(out)]

    @property
    def _per_shard(self) -> tuple[int, ...]:
        return tuple(s // c for s, c in zip(self._shards, self.chunks, strict=True))

    def _key(self, shard: tuple[int, ...]) -> str:
        return "/".join([DATA, self._document["key"], "c", *map(str, shard)])

    def _states(self, shard: tuple[int, ...]) -> NDArray[np.uint8]:
        key = self._key(shard)
        entry = self._open().entry(key)
        if entry is None or len(entry.chunks) != math.prod(self._per_shard):
            raise ManifestError(
                "the manifest does not know the object's chunks",
                where=f"{self._location}/{key}",
                next_step="`hsc verify` says what is damaged",
            )
        return entry.chunks.states

    def _chunk(self, place: tuple[int, ...]) -> NDArray[Any]:
        per_shard = self._per_shard
        shard = tuple(a // n for a, n in zip(place, per_shard, strict=True))
        within = tuple(a % n for a, n in zip(place, per_shard, strict=True))
        number = int(np.ravel_multi_index(within, per_shard)) if place else 0
        key = self._key(shard)
        payload = self._open().read_chunk(key, number)
        if payload is None:
            return np.full(
                self.chunks, read_fill(self._document["fill_value"], self._type), self.dtype
            )
        try:
            return decode_chunk(
                payload, self._type, self.chunks, self._compressor, big_endian=self._big_endian
            )
        except (RuntimeError, ValueError) as error:
            # Its checksum holds: the source was damaged, and nobody compared the chunk with it.
            raise CorruptShardError(
                f"the chunk can't be decoded: {error}",
                where=f"{self._location}/{key}, chunk {number}",
                next_step="restore it from a copy of the store, if it was whole there",
            ) from error


def _is_sharding(codecs: list[dict[str, Any]]) -> bool:
    return bool(codecs[0]["name"] == "sharding_indexed")
