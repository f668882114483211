"""Writing one version of a dataset: shards with a journal beside them, then the manifest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from blake3 import blake3

from hsc.errors import (
    DamageError,
    ManifestError,
    MissingShardError,
    ObjectExistsError,
    ObjectMissingError,
    StoreError,
    StoreUnwritableError,
)
from hsc.model import Gap
from hsc.provenance import read_crate
from hsc.store.abreast import abreast
from hsc.store.inside import copy_inside
from hsc.store.intents import journal_key, place_intent, read_intent
from hsc.store.manifest import (
    MANIFEST_KEY,
    Manifest,
    ObjectEntry,
    dataset_root,
    digest_entry,
    pack_key,
)
from hsc.store.objects import ObjectStore
from hsc.store.streams import NewObject, begin_object

_LOG = logging.getLogger(__name__)

DATA = "data.zarr"
"""Folder of the Zarr tree in a version."""
CRATE_KEY = "ro-crate-metadata.json"
"""What a version says of itself; in the manifest, not in the root."""

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

    def begin(self, shards: Iterable[str], others: Iterable[str] = ()) -> None:
        """Note all keys that will be written, before the first of them is.

        Whatever is not noted here is not found when the attempt dies. The manifest and the crate
        need no mention.

        Parameters
        ----------
        shards
            Keys of objects that `put` writes.
        others
            Keys of objects that `put_metadata` writes.
        """
        rest = {*others, MANIFEST_KEY, CRATE_KEY}
        place_intent(self._objects, self._location, shards, rest)

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

    def open_object(self, key: str) -> NewObject:
        """Begin an object whose bytes come part by part; `place` ends it."""
        return begin_object(self._objects, self._key(key))

    def place(self, entry: ObjectEntry, made: NewObject) -> None:
        """Put an object that came part by part under its key and tell the journal, as `put`.

        Raises
        ------
        ObjectExistsError
            The version is committed, with other bytes under that key.
        """
        if entry.absent:
            return
        try:
            made.place()
        except ObjectExistsError:
            there = self._objects.get(self._key(entry.key))
            if blake3(there).digest() != entry.digest:
                if self._objects.size(self._key(MANIFEST_KEY)) is not None:
                    raise  # a committed version is never changed
                self._objects.delete(self._key(entry.key))
                made.place()
        if entry.nbytes >= _JOURNALLED_BYTES:
            self._put_same(self._journal_key(entry.key), _line([entry]))

    def copy(self, entry: ObjectEntry, source: str) -> bool:
        """Copy an object of another version inside the store and tell the journal, as `put`.

        Parameters
        ----------
        source
            Key of that object below the store.

        Returns
        -------
        copied
            False: what is there is not what its manifest says.

        Raises
        ------
        ObjectExistsError
            The version is committed, with other bytes under that key.
        """
        key = self._key(entry.key)
        try:
            self._copy_same(source, key, entry)
        except DamageError as error:
            _LOG.warning("an object can't be copied and is made anew: %s", error)
            return False
        self._put_same(self._journal_key(entry.key), _line([entry]))
        return True

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
        abreast(lambda each: self._put_same(self._key(each[0]), each[1]), [*documents.items()])
        return [digest_entry(key, data) for key, data in documents.items()]

    def commit(
        self,
        entries: Iterable[ObjectEntry],
        *,
        source_id: str | None,
        files: Sequence[str],
        gaps: Sequence[Gap],
        explain: Callable[[Manifest], bytes] | None = None,
        confirm: Callable[[], None] | None = None,
        resumed: bool = False,
    ) -> Manifest:
        """Write the manifest: from here on there is a version. Then drop the journal.

        Parameters
        ----------
        resumed
            Whether an earlier attempt may have written more than this one was asked for, as
            previews: that is dropped too.
        explain
            Gives the version's crate, from a manifest that lists all but the crate. Where an
            earlier attempt died after writing one, that one stays.
        confirm
            Called when the manifest is there, before anything is dropped: it raises when somebody
            else took over meanwhile.

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
        if explain is not None:
            crate = digest_entry(CRATE_KEY, self._put_crate(manifest, explain))
            listed = sorted((*ordered, crate), key=lambda entry: entry.key.encode())
            manifest = replace(manifest, entries=tuple(listed))
        self._put_same(self._key(MANIFEST_KEY), manifest.encode())
        if confirm is not None:
            confirm()
        self._settle(manifest, resumed=resumed)
        return manifest

    def committed(self) -> bool:
        """Tell whether the version is there."""
        return self._objects.size(self._key(MANIFEST_KEY)) is not None

    def _settle(self, manifest: Manifest, *, resumed: bool) -> None:
        """Drop what is no part of a committed version, as far as the store lets us."""
        entries = manifest.entries
        packs = {pack_key(entry.pack) for entry in entries if entry.packed}
        try:
            lines = [entry.key for entry in entries if entry.key in packs or _has_line(entry)]
            unlisted: list[str] = []
            if resumed:
                intent, _ = read_intent(self._objects, self._location)
                listed = {entry.key for entry in entries} | {MANIFEST_KEY}
                unlisted = sorted(intent.keys - listed)
                lines += [key for key in unlisted if key in intent.shards]
            gone = [*map(self._key, unlisted), *map(self._journal_key, lines)]
            abreast(self._objects.delete, gone)
            intent, notes = read_intent(self._objects, self._location)
            abreast(self._objects.delete, [*map(self._key, intent.passing)])
            for note in notes:  # the last of all: they name what there may be
                self._objects.delete(note)
        except StoreError as error:
            # A write-once store keeps it; of any other `hsc gc` removes it. The version is there.
            _LOG.info("the journal of %s stays: %s", self._location, error)

    def _check_there(self, entries: Sequence[ObjectEntry]) -> None:
        own = [entry for entry in entries if not entry.absent and not entry.packed]
        sizes = abreast(lambda entry: self._objects.size(self._key(entry.key)), own)
        for entry, found in zip(own, sizes, strict=True):
            if found != entry.nbytes:
                raise MissingShardError(
                    f"an object of {entry.nbytes} bytes was written and now has {found or 0}",
                    where=f"{self._objects.url}/{self._key(entry.key)}",
                    next_step="find out who changes the store's files, then ingest again",
                )

    def _put_crate(self, manifest: Manifest, explain: Callable[[Manifest], bytes]) -> bytes:
        """Write the crate unless there is one of the same version; give the one that is there."""
        key, crate = self._key(CRATE_KEY), explain(manifest)
        try:
            self._objects.put_new(key, crate)
        except ObjectExistsError:
            there = self._objects.get(key)
            alike, exact = _tells_of(there, manifest, f"{self._objects.url}/{key}")
            if exact:
                return there
            try:
                self._put_same(key, crate)
            except StoreUnwritableError:  # write-once
                if not alike:
                    raise
                return there
        return crate

    def _put_same(self, key: str, data: bytes) -> None:
        try:
            self._objects.put_new(key, data)
        except ObjectExistsError:
            if self._objects.get(key) == data:
                return
            if self.committed():
                raise  # a committed version is never changed
            self._objects.delete(key)
            self._objects.put_new(key, data)

    def _copy_same(self, source: str, key: str, entry: ObjectEntry) -> None:
        try:
            copy_inside(self._objects, source, key, entry.nbytes, entry.digest)
        except ObjectExistsError:
            if blake3(self._objects.get(key)).digest() == entry.digest:
                return
            if self.committed():
                raise  # a committed version is never changed
            self._objects.delete(key)
            copy_inside(self._objects, source, key, entry.nbytes, entry.digest)

    def _key(self, key: str) -> str:
        return f"{self._location}/{key}"

    def _journal_key(self, key: str) -> str:
        return journal_key(self._location, key)


def _tells_of(crate: bytes, manifest: Manifest, where: str) -> tuple[bool, bool]:
    """Tell whether a crate is of a version, and whether it is of all its objects and no other.

    An attempt that died may have written previews that this one was not asked for.
    """
    try:
        told = read_crate(crate, where).dataset
    except ManifestError:  # written by another release, or by nobody we know
        return False, False
    alike = (told.root, told.gaps) == (manifest.root, manifest.gaps)
    return alike, alike and told.bytes_out == manifest.nbytes


def _has_line(entry: ObjectEntry) -> bool:
    """Tell whether the journal got a line of an object; one in a pack stands in the pack's."""
    return entry.nbytes >= _JOURNALLED_BYTES and not entry.packed


def _line(entries: Sequence[ObjectEntry]) -> bytes:
    return Manifest(root="", entries=tuple(entries)).encode()
