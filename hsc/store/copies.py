"""One copy of a version: its objects in one store, those in packs like any other."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.errors import ManifestError, MissingShardError, ObjectMissingError
from hsc.store.kept import KeptPacks
from hsc.store.manifest import MANIFEST_KEY, Manifest, ObjectEntry, pack_key
from hsc.store.objects import ObjectStore
from hsc.store.ranges import Part, get_ranges
from hsc.store.url import open_objects

ADVICE = "restore it from a copy of the store; `hsc lineage` tells which files it was made of"


class VersionCopy:
    """The objects of a version in one store; nothing of what they say is checked here.

    Parameters
    ----------
    objects
        Objects of the version's folder.
    manifest
        The manifest that lies with them.
    """

    def __init__(self, objects: ObjectStore, manifest: Manifest) -> None:
        self.objects = objects
        self.manifest = manifest
        self.entries = {entry.key: entry for entry in manifest.entries}
        self._packs = KeptPacks(objects)

    def get(self, key: str, ranges: Sequence[tuple[int, int]] | None) -> Sequence[Part]:
        """Give parts of an object that the manifest lists; None: the whole of it as one part.

        Raises
        ------
        MissingShardError
            It is not in the store.
        ManifestError
            The manifest does not list it, or not its pack.
        """
        entry = self.entries.get(key)
        if entry is None:
            raise ManifestError(
                "the manifest does not know the object", where=self.where(key), next_step=ADVICE
            )
        pack = self._pack(entry)
        try:
            if pack is not None:
                first = entry.pack_offset
                return [
                    self._packs.get(
                        pack.key, pack.nbytes, first + start, first + min(stop, entry.nbytes)
                    )
                    for start, stop in ranges or [(0, entry.nbytes)]
                ]
            if ranges is None:
                return [self.objects.get(key)]
            return get_ranges(self.objects, key, ranges)
        except ObjectMissingError as error:
            lost = pack or entry
            raise MissingShardError(
                f"an object of {lost.nbytes} bytes is gone from the store",
                where=self.where(key),
                next_step=ADVICE,
            ) from error

    def forget(self, key: str) -> None:
        """Get an object anew the next time: what was got of it was wrong."""
        entry = self.entries.get(key)
        if entry is not None and entry.packed:
            self._packs.forget(pack_key(entry.pack))

    def where(self, key: str) -> str:
        """Say where an object is, for an error."""
        entry = self.entries.get(key)
        if entry is not None and entry.packed:
            return f"{self.objects.url}/{pack_key(entry.pack)}, {key}"
        return f"{self.objects.url}/{key}"

    def _pack(self, entry: ObjectEntry) -> ObjectEntry | None:
        """Give the pack that an object lies in; None for an object of its own."""
        if not entry.packed:
            return None
        pack = self.entries.get(pack_key(entry.pack))
        if pack is None:
            raise ManifestError(
                f"the manifest does not know pack {entry.pack}",
                where=self.where(entry.key),
                next_step=ADVICE,
            )
        return pack


def open_copy(location: str, root: str | None = None) -> VersionCopy:
    """Open a copy by the URL of the version's folder: one request, for its manifest.

    Parameters
    ----------
    location
        The folder.
    root
        What the version's root must be; None: any.

    Raises
    ------
    ManifestError
        There is no manifest, it is damaged, or it is of another root.
    """
    objects = open_objects(location)
    where = f"{location}/{MANIFEST_KEY}"
    try:
        data = objects.get(MANIFEST_KEY)
    except ObjectMissingError as error:
        raise ManifestError("the version has no manifest", where=where, next_step=ADVICE) from error
    manifest = Manifest.decode(data, where)
    if root is not None and manifest.root != root:
        raise ManifestError(
            f"the manifest is of root {manifest.root}, the record of {root}",
            where=where,
            next_step="restore the version's folder from a copy of the store",
        )
    return VersionCopy(objects, manifest)
