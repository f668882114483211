"""Writing one version of a dataset: shards with a journal beside them, then the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blake3 import blake3

from hsc.errors import MissingShardError, ObjectExistsError, ObjectMissingError
from hsc.model import Gap
from hsc.store.manifest import (
    MANIFEST_KEY,
    Manifest,
    ObjectEntry,
    dataset_root,
    digest_entry,
    pack_key,
)
from hsc.store.objects import ObjectStore

DATA = "data.zarr"
"""Folder of the Zarr tree in a version."""

FILES = "files"
"""Folder of what is carried byte for byte."""

# Below this a shard is made again sooner than its line in the journal is made durable.
_JOURNALLED_BYTES = 1 << 20


class VersionWriter:
    """Writes the objects of one version; cheap to make, also on a worker.

    Parameters
    ----------
    objects
        The store.
    location
        Folder of the version below the store.
    """

    def __init__(self, objects: ObjectStore, location: str) -> None:
        self._objects = objects
        self._location = location

    def finished(self, key: str) -> ObjectEntry | None:
        """Give the journal's entry of an object that an attempt finished, if it is there."""
        entries = self.finished_pack(key)
        return entries[0] if entries else None

    def finished_pack(self, key: str) -> list[ObjectEntry]:
        """Give the journal's entries of a pack and of what lies in it; none if it is not there."""
        try:
            data = self._objects.get(self._journal_key(key))
        except ObjectMissingError:
            return []
        where = f"{self._objects.url}/{self._journal_key(key)}"
        entries = list(Manifest.decode(data, where).entries)
        there = self._objects.size(self._key(key)) == entries[0].nbytes
        return entries if there else []

    def put(self, entry: ObjectEntry, data: bytes) -> None:
        """Write an object and tell the journal; an absent one leaves nothing.

        An object of the same bytes that is there already (an attempt died between the two
        steps) counts as written; one of other bytes is replaced.

        Raises
        ------
        ObjectExistsError
            The version is committed, with other bytes under that key.
        """
        if entry.absent:
            return
        self._put_same(self._key(entry.key), data)
        if entry.nbytes >= _JOURNALLED_BYTES:
            self._put_same(self._journal_key(entry.key), _line([entry]))

    def put_pack(self, data: bytes, entries: Sequence[ObjectEntry]) -> None:
        """Write a pack and tell the journal.

        Parameters
        ----------
        data
            Its bytes.
        entries
            Its own entry, and those of what lies in it (`PackBuilder.finish`).
        """
        self._put_same(self._key(entries[0].key), data)
        self._put_same(self._journal_key(entries[0].key), _line(entries))

    def put_metadata(self, documents: dict[str, bytes]) -> list[ObjectEntry]:
        """Write small objects without a journal: metadata is made anew by each attempt."""
        entries = []
        for key, data in documents.items():
            self._put_same(self._key(key), data)
            entries.append(digest_entry(key, data))
        return entries

    def commit(
        self,
        entries: Iterable[ObjectEntry],
        *,
        source_id: str | None,
        files: Sequence[str],
        gaps: Sequence[Gap],
    ) -> Manifest:
        """Write the manifest: from here on there is a version. Then drop the journal.

        Raises
        ------
        MissingShardError
            An object that was written is not there any more: nothing is committed.
        """
        ordered = tuple(sorted(entries, key=lambda entry: entry.key.encode()))
        self._check_there(ordered)
        manifest = Manifest(
            root=dataset_root(ordered),
            entries=ordered,
            source_id=source_id,
            files=tuple(files),
            gaps=tuple(gaps),
        )
        self._put_same(self._key(MANIFEST_KEY), manifest.encode())
        packs = {pack_key(entry.pack) for entry in ordered if entry.packed}
        for entry in ordered:
            if entry.key in packs or (entry.nbytes >= _JOURNALLED_BYTES and not entry.packed):
                self._objects.delete(self._journal_key(entry.key))
        return manifest

    def abandon(self) -> bool:
        """Remove everything of a version that was never committed; tell whether that was so."""
        if self._objects.size(self._key(MANIFEST_KEY)) is not None:
            return False
        for key in self._objects.keys(self._location):
            self._objects.delete(key)
        return True

    def _check_there(self, entries: Sequence[ObjectEntry]) -> None:
        for entry in entries:
            if entry.absent or entry.packed:
                continue
            found = self._objects.size(self._key(entry.key))
            if found != entry.nbytes:
                raise MissingShardError(
                    f"an object of {entry.nbytes} bytes was written and now has {found or 0}",
                    where=f"{self._objects.url}/{self._key(entry.key)}",
                    next_step="find out who changes the store's files, then ingest again",
                )

    def _put_same(self, key: str, data: bytes) -> None:
        try:
            self._objects.put_new(key, data)
        except ObjectExistsError:
            if self._objects.get(key) == data:
                return
            if self._objects.size(self._key(MANIFEST_KEY)) is not None:
                raise  # a committed version is never changed
            self._objects.delete(key)
            self._objects.put_new(key, data)

    def _key(self, key: str) -> str:
        return f"{self._location}/{key}"

    def _journal_key(self, key: str) -> str:
        return f"{self._location}/.journal/{blake3(key.encode()).hexdigest()[:32]}"


def _line(entries: Sequence[ObjectEntry]) -> bytes:
    return Manifest(root="", entries=tuple(entries)).encode()
