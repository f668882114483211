"""Delivered versions: where a version lies in a store of ours, and which objects it has."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hsc.errors import DamageError, InvalidPidError, LocationRefusedError, ObjectMissingError
from hsc.model import Dataset
from hsc.provenance import read_crate
from hsc.store import CRATE_KEY, MANIFEST_KEY, open_version

_VERSION = re.compile(r"v[1-9][0-9]{0,8}")
_PREVIEW = "preview/"


@dataclass(frozen=True, slots=True)
class DeliveredObject:
    """An object of a version."""

    nbytes: int
    """Its bytes."""
    digest: str
    """BLAKE3, hexadecimal digits: it never changes."""


@dataclass(frozen=True)
class DeliveredVersion:
    """A version in a store of ours."""

    location: str
    """URL of its folder."""
    objects: Mapping[str, DeliveredObject]
    """All that its folder has, the manifest included, by key."""

    @property
    def folder(self) -> Path | None:
        """The folder on this machine; None where the store is no directory."""
        parts = urlsplit(self.location)
        return Path(url2pathname(parts.path)) if parts.scheme == "file" else None

    def find(self, key: str, *, preview: bool) -> DeliveredObject:
        """Give what is known of an object.

        Parameters
        ----------
        key
            The object.
        preview
            Whether previews may be seen.

        Raises
        ------
        ObjectMissingError
            The version has no such object, or none that may be seen.
        """
        found = self.objects.get(key)
        if found is None or (key.startswith(_PREVIEW) and not preview):
            raise ObjectMissingError("the version has no such object", where=key[:200])
        return found

    def path_of(self, key: str) -> Path:
        """Give the file of an object; it lies in the version's folder, links followed.

        Raises
        ------
        ObjectMissingError
            There is no such file, or it leads out of the folder.
        """
        if self.folder is None:
            raise LocationRefusedError("its store gives no files", where=key[:200])
        root = Path(os.path.realpath(self.folder))
        found = Path(os.path.realpath(root / key))
        if not found.is_relative_to(root) or not found.is_file():
            raise ObjectMissingError("the version has no such object", where=key[:200])
        return found


def find_version(
    record: Dataset, locations: Sequence[str], stores: Sequence[str]
) -> DeliveredVersion:
    """Find a version in one of the stores that are delivered from.

    A record says where its version lies, and whoever registers may say what they like. So it must
    lie in one of the stores, in a folder of its own PID and version, be of the root that the
    record tells, and say of itself that it is that dataset: else a record could lead to another's
    bytes, or to any file of the server.

    Raises
    ------
    LocationRefusedError
        It lies in none of them.
    DamageError, StoreUnavailableError
        It lies there and can't be read.
    """
    ours = [each for each in locations if _is_ours(record, each, stores)]
    first: DamageError | None = None
    for location in ours:
        try:
            return _opened(record, location)
        except DamageError as error:
            first = first or error
    raise first or LocationRefusedError(
        "this server does not deliver from where the dataset lies",
        where=f"{record.pid}@{record.version}",
        next_step="read it from its location, with credentials of your own for that store",
    )


def _is_ours(record: Dataset, location: str, stores: Sequence[str]) -> bool:
    try:
        folder = f"{record.pid.ulid}/v{record.version}"
    except InvalidPidError:  # of another catalog: no store has a folder for it
        return False
    place = location.rstrip("/")
    inside = any(place.startswith(f"{store.rstrip('/')}/") for store in stores)
    plain = not any(part in ("", ".", "..") for part in place.partition("://")[2].split("/")[1:])
    return inside and plain and place.endswith(f"/{folder}") and "%2e" not in place.lower()


def _opened(record: Dataset, location: str) -> DeliveredVersion:
    version = open_version(location, root=record.root)
    where = f"{version.objects.url}/{CRATE_KEY}"
    told = read_crate(version.read(CRATE_KEY) or b"", where).dataset
    if (told.pid, told.version) != (record.pid, record.version):
        raise LocationRefusedError(
            "what lies there is another dataset", where=f"{record.pid}@{record.version}"
        )
    listed = {
        entry.key: DeliveredObject(entry.nbytes, entry.digest.hex())
        for entry in version.manifest.entries
        if not (entry.absent or entry.packed)
    }
    size = version.objects.size(MANIFEST_KEY) or 0
    # The manifest is no entry of its own; its root and size tell it from any other.
    manifest = DeliveredObject(size, f"{record.root.partition(':')[2]}-{size}")
    return DeliveredVersion(location.rstrip("/"), {**listed, MANIFEST_KEY: manifest})
