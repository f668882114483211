"""Checked reading: what the manifest lists is there and is what was written, or an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import (
    CorruptShardError,
    GapError,
    ManifestError,
    MissingShardError,
)
from hsc.store.copies import ADVICE, VersionCopy
from hsc.store.disk_cache import DiskCache
from hsc.store.fallback import Copies
from hsc.store.manifest import Manifest, ObjectEntry
from hsc.store.objects import ObjectStore
from hsc.store.ranges import REQUEST_BYTES, Part, Span, at_once, spans
from hsc.store.shards import ChunkState, crc32c, indexed_shard, part_holds, shard_parts


class CheckedVersion:
    """One committed version of a dataset, read against its manifest.

    What a copy of the version can't give, also after a fresh try, is read from the next copy of
    it, with a warning through logging; only when none can is the first one's error raised. All
    methods may be called from many threads.

    Parameters
    ----------
    objects
        Objects of the version's folder.
    manifest
        Its manifest.
    others
        URLs of further copies; one is opened when it is needed, and passed over when it is of
        another root.
    cache
        Keeps what was read on the local disk; None: nothing does.
    """

    def __init__(
        self,
        objects: ObjectStore,
        manifest: Manifest,
        others: Sequence[str] = (),
        cache: DiskCache | None = None,
    ) -> None:
        self.objects = objects
        self.manifest = manifest
        first = VersionCopy(objects, manifest)
        self._entries = first.entries
        self._where = first.where
        self._copies = Copies(first, others, cache)

    def entry(self, key: str) -> ObjectEntry | None:
        """Give what the manifest says of a key; None when it does not know it."""
        return self._entries.get(key)

    def read(self, key: str) -> bytes | None:
        """Give a whole object, its digest checked; None when it is rightly absent.

        Raises
        ------
        MissingShardError
            The manifest lists the object and the store has none.
        CorruptShardError
            The bytes are not those that were written, also after a fresh try.
        """
        entry = self._entries.get(key)
        if entry is None or entry.absent:
            return None

        def check(data: Part, where: str) -> bytes:
            if len(data) != entry.nbytes or blake3(data).digest() != entry.digest:
                raise CorruptShardError(
                    f"the object's {len(data)} bytes are not the {entry.nbytes} that were written",
                    where=where,
                    next_step=ADVICE,
                )
            return bytes(data)

        return self._copies.read(entry, None, check)

    def read_chunk(self, key: str, index: int) -> Part | None:
        """Give the encoded bytes of an inner chunk, its crc32c checked; None when empty.

        Raises
        ------
        MissingShardError, CorruptShardError
            As `read`.
        GapError
            The chunk is a gap, which never reads as data.
        ManifestError
            The manifest does not list the chunk, not even as empty.
        """
        return self.read_chunks(key, [index])[0]

    def read_chunks(self, key: str, indexes: Sequence[int]) -> list[Part | None]:
        """Give inner chunks of one object, as `read_chunk` does, by as few requests as is sensible.

        Chunks that lie together are got by one request, and several requests are sent at once.
        All bytes are in memory at once; `chunk_spans` and `read_span` give them piece by piece.
        """
        found: list[Part | None] = [None] * len(indexes)
        numbers = self.chunk_spans(key, indexes)
        for span, payloads in zip(
            numbers, at_once(lambda span: self.read_span(key, indexes, span), numbers), strict=True
        ):
            for place, payload in zip(span.wanted, payloads, strict=True):
                found[place] = payload
        return found

    def chunk_states(self, key: str, count: int) -> NDArray[np.uint8]:
        """Give the states of an object's inner chunks (`ChunkState`), by the manifest.

        Raises
        ------
        ManifestError
            The manifest does not list the object with so many chunks.
        """
        entry = self._entries.get(key)
        if entry is None or len(entry.chunks) != count:
            raise ManifestError(
                "the manifest does not know the object's chunks",
                where=f"{self.objects.url}/{key}",
                next_step=ADVICE,
            )
        return entry.chunks.states

    def stored_nbytes(self, key: str, indexes: Sequence[int]) -> int:
        """Give how many bytes inner chunks of an object have in the store, by the manifest."""
        return int(self._listed(key, indexes).chunks.lengths[np.asarray(indexes, np.intp)].sum())

    def chunk_spans(
        self, key: str, indexes: Sequence[int], most: int = REQUEST_BYTES
    ) -> list[Span]:
        """Give the requests by which inner chunks of an object are got; none for empty ones.

        Parameters
        ----------
        key, indexes
            The object and its chunks.
        most
            Bytes that one request asks for at most, but for one chunk that is larger.

        Returns
        -------
        spans
            In them the places of the chunks in ``indexes``.

        Raises
        ------
        GapError, ManifestError
            As `read_chunk`.
        """
        table = self._listed(key, indexes).chunks
        asked = np.asarray(indexes, np.intp)
        states = table.states[asked]
        gaps = asked[states == ChunkState.GAP]
        if gaps.size:
            raise self._gap(key, int(gaps[0]))
        there = np.flatnonzero(states != ChunkState.EMPTY)
        starts = table.offsets[asked[there]].astype(np.int64)
        stops = starts + table.lengths[asked[there]].astype(np.int64)
        return spans(zip(there.tolist(), starts.tolist(), stops.tolist(), strict=True), most)

    def read_span(
        self,
        key: str,
        indexes: Sequence[int],
        span: Span,
        take: Callable[[int, Part], None] | None = None,
        buffer: NDArray[np.uint8] | None = None,
    ) -> list[Part]:
        """Give the chunks of one request of `chunk_spans`, each checked, in its order.

        Parameters
        ----------
        key, indexes, span
            As given to `chunk_spans`, and one of what it gave.
        take
            Is called with each chunk's place in ``indexes`` and its bytes as soon as they were
            checked, while the processor has them at hand; again after a try that failed.
        buffer
            Memory for the request's bytes, used where the store can read into it: what is given
            may lie there.
        """
        entry = self._entries[key]
        table = entry.chunks
        numbers = [indexes[place] for place in span.wanted]
        starts = [int(table.offsets[number]) for number in numbers]

        def check(place: int, payload: Part, where: str) -> None:
            number = numbers[place]
            if len(payload) != table.lengths[number] or crc32c(payload) != table.crcs[number]:
                raise CorruptShardError(
                    "the chunk's checksum is wrong",
                    where=f"{where}, chunk {number}",
                    next_step=ADVICE,
                )
            if take is not None:
                take(span.wanted[place], payload)

        stops = [at + int(table.lengths[n]) for at, n in zip(starts, numbers, strict=True)]
        parts = list(zip(starts, stops, strict=True))
        if buffer is not None:
            found = self._copies.read_straight(entry, parts, check, buffer)
            if found is not None:
                return found
        return self._copies.read_parts(entry, parts, check)

    @property
    def reads_straight(self) -> bool:
        """Whether bytes come from the store into memory that is there, without waiting for it."""
        return self._copies.straight() is not None

    def read_range(self, key: str, start: int, stop: int | None) -> bytes | None:
        """Give a part of an object, checked.

        The index of a shard is made from the manifest and not asked for. Another part that is made
        of whole inner chunks, and the index, is checked against their checksums; for any other the
        whole object is read.

        Raises
        ------
        GapError
            It holds a gap.
        """
        entry = self._entries.get(key)
        if entry is None or entry.absent:
            return None
        end = entry.nbytes if stop is None else min(stop, entry.nbytes)
        index = indexed_shard(entry.chunks, entry.nbytes)
        if index is not None and (start, end) == (entry.nbytes - len(index), entry.nbytes):
            return index
        self.refuse_gaps(key, start, end)
        parts = shard_parts(entry.chunks, entry.nbytes, start, end)
        if parts is None:
            return (self.read(key) or b"")[start:end]

        def check(data: Part, where: str) -> bytes:
            view = memoryview(data)
            held = (part_holds(view[a - start : b - start], crc) for a, b, crc in parts)
            if len(data) != end - start or not all(held):
                raise CorruptShardError(
                    f"bytes {start} to {end} are not those that were written",
                    where=where,
                    next_step=ADVICE,
                )
            return bytes(data)

        return self._copies.read(entry, (start, end), check)

    def refuse_gaps(self, key: str, start: int = 0, stop: int | None = None) -> None:
        """Refuse a part of an object that touches a gap.

        Raises
        ------
        GapError
            It does.
        """
        entry = self._entries.get(key)
        if entry is None:
            return
        table = entry.chunks
        for index in map(int, table.gaps):
            first = int(table.offsets[index])
            last = first + int(table.lengths[index]) + 4
            if start < last and (stop is None or first < stop):
                raise self._gap(key, index)

    def check_present(self) -> None:
        """Look whether every object of the store is there with its size; nothing is read.

        Raises
        ------
        MissingShardError, CorruptShardError
            One is not.
        """
        for entry in self.manifest.entries:
            if entry.absent or entry.packed:
                continue
            found = self.objects.size(entry.key)
            if found == entry.nbytes:
                continue
            kind = MissingShardError if found is None else CorruptShardError
            raise kind(
                f"an object of {entry.nbytes} bytes has {found or 0}",
                where=self._where(entry.key),
                next_step=ADVICE,
            )

    def _listed(self, key: str, indexes: Sequence[int]) -> ObjectEntry:
        entry = self._entries.get(key)
        last = int(np.max(indexes)) if len(indexes) else -1
        if entry is None or last >= len(entry.chunks):
            raise ManifestError(
                "the manifest does not know the chunk",
                where=f"{self.objects.url}/{key}, chunk {last}",
                next_step=ADVICE,
            )
        return entry

    def _gap(self, key: str, index: int) -> GapError:
        return GapError(
            "the chunk is a gap: it could not be carried over from its source",
            where=f"{self._where(key)}, chunk {index}",
            next_step="`hsc show` gives the reason; read the chunks beside it",
        )
