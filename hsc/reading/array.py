"""One array of an opened dataset, read through the dataset's manifest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import HscError
from hsc.reading.batches import BatchReader
from hsc.reading.chunk_codec import ChunkCodec
from hsc.reading.grid import ChunkGrid
from hsc.reading.regions import Gaps, RegionReader, reading_threads
from hsc.reading.versions import open_for_reading, open_once
from hsc.store import DATA, CheckedVersion, ChunkState


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
    root
        The version's root, when it is not open; None: any.
    """

    def __init__(
        self,
        location: str,
        path: str,
        document: dict[str, Any],
        version: CheckedVersion | None = None,
        others: Sequence[str] = (),
        root: str | None = None,
    ) -> None:
        self._root = root if version is None else version.manifest.root
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
        grid = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
        codecs = document["codecs"]
        sharding = codecs[0].get("configuration", {}) if _is_sharding(codecs) else None
        self.shards: tuple[int, ...] = grid
        """Shape of a shard."""
        self.chunks: tuple[int, ...] = tuple(sharding["chunk_shape"]) if sharding else grid
        """Shape of an inner chunk."""
        inner = sharding["codecs"] if sharding else codecs
        self._grid = ChunkGrid(self.shape, self.chunks, self.shards)
        self._codec = ChunkCodec(
            type_name=document["data_type"],
            shape=self.chunks,
            compressor=inner[1] if len(inner) == 3 else None,
            big_endian=inner[0].get("configuration", {}).get("endian") == "big",
            fill_value=document["fill_value"],
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type; ``object`` for text."""
        return self._codec.dtype

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """One name for each dimension."""
        return tuple(self._document.get("dimension_names", ()))

    def read(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        gaps: Gaps = "raise",
        threads: int | None = None,
    ) -> NDArray[Any]:
        """Read rows along the first dimension, checked and decoded.

        Parameters
        ----------
        start, stop
            First row, and the one after the last; None: to the end.
        gaps, threads
            As for `region`.

        Returns
        -------
        rows
            Of shape ``(stop - start, *shape[1:])``; what was never written is the fill value.

        Raises
        ------
        DamageError
            Bytes are missing or not those that were written.
        GapError
            The rows touch a gap, and gaps are to raise.
        """
        if not self.shape:
            return self.region((), (), gaps=gaps, threads=threads)
        end = max(0, self.shape[0] if stop is None else min(stop, self.shape[0]))
        first = min(max(start, 0), end)
        low, high = (first, *[0] * (len(self.shape) - 1)), (end, *self.shape[1:])
        return self.region(low, high, gaps=gaps, threads=threads)

    def batches(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        rows: int,
        band: tuple[int, int] | None = None,
    ) -> Iterator[NDArray[Any]]:
        """Read rows along the first dimension batch by batch: as `read`, in bounded memory.

        This thread alone asks, checks and decodes, straight into one buffer; other threads may do
        likewise with other rows.

        Parameters
        ----------
        start, stop
            First row, and the one after the last; None: to the end.
        rows
            Rows of a batch; where chunks hold several rows, some batches are shorter.
        band
            First place along the second dimension, and the one after the last, inside the array;
            None: all of it.

        Yields
        ------
        batch
            Rows in their order, of shape ``(at most rows, *shape[1:])``; they stand there until
            the next batch is asked for.

        Raises
        ------
        DamageError, GapError
            As `read`.
        """
        if not self.shape:
            yield self.read()
            return
        end = max(0, self.shape[0] if stop is None else min(stop, self.shape[0]))
        first = min(max(start, 0), end)
        if first < end:
            reader = BatchReader(self._open(), self._grid, self._codec, self._key)
            yield from reader.batches(first, end, max(1, rows), band)

    def region(
        self,
        start: Sequence[int],
        stop: Sequence[int],
        *,
        gaps: Gaps = "raise",
        threads: int | None = None,
    ) -> NDArray[Any]:
        """Read a region, checked and decoded: as `read`, along every dimension.

        Parameters
        ----------
        start, stop
            First element along each dimension, and the one after the last, inside the array.
        gaps
            What a gap reads as: ``raise`` for an error, ``fill`` or ``mask`` for the fill value
            (`gap_mask` gives the mask).
        threads
            Threads that ask, check and decode; None: in the main thread several
            (``HSC_READ_THREADS``), in any other, as in a task of Dask's, that one alone.
        """
        reader = RegionReader(self._open(), self._grid, self._codec, self._key)
        return reader.read(start, stop, gaps, threads or reading_threads())

    def gap_mask(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[np.bool_]:
        """Tell which elements of a region lie in gaps, by the manifest; no chunk is read.

        Parameters
        ----------
        start, stop
            As for `region`.

        Returns
        -------
        mask
            Of shape ``stop - start``; True where the source could not give what should be there.
        """
        return RegionReader(self._open(), self._grid, self._codec, self._key).gap_mask(start, stop)

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
        lacking, version = np.zeros(grid[0], np.bool_), self._open()
        per_shard = self._grid.per_shard
        for shard in product(*(range(-(-g // n)) for g, n in zip(grid, per_shard, strict=True))):
            # The last shards may be larger than the array: chunks outside of it do not count.
            within = zip(grid, per_shard, shard, strict=True)
            inside = tuple(slice(0, g - at * n) for g, n, at in within)
            states = version.chunk_states(self._key(shard), self._grid.chunks_per_shard)
            states = states.reshape(per_shard)[inside]
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
            "root": self._root,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _open(self) -> CheckedVersion:
        if self._version is None:
            where = self._location, self._others
            opened = (
                open_for_reading(*where) if self._root is None else open_once(*where, self._root)
            )
            self._version = opened
        return self._version

    def _key(self, shard: tuple[int, ...]) -> str:
        return "/".join([DATA, self._document["key"], "c", *map(str, shard)])


def _is_sharding(codecs: list[dict[str, Any]]) -> bool:
    return bool(codecs[0]["name"] == "sharding_indexed")
