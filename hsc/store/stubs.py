"""Stubs: what lies in place of an object that was left out of a copy on purpose."""

from __future__ import annotations

import json
from typing import Literal

import google_crc32c
from blake3 import blake3

from hsc.errors import ManifestError, MissingShardError, ObjectMissingError
from hsc.model import Pid, Record
from hsc.store.manifest import ObjectEntry
from hsc.store.objects import ObjectStore

_TEXT = b"hsc: not fetched; `hsc fetch PID FOLDER` brings it\n"

STUB: bytes = _TEXT + (google_crc32c.value(_TEXT) ^ 0xFFFFFFFF).to_bytes(4, "little")
"""Ends in a crc32c that is wrong on purpose, so that Zarr readers raise and none gives zeros: where
an object is missing they take it for one that was never written."""

FETCHED_KEY = ".fetched.json"
"""In a folder that `hsc fetch` filled: `FetchedFolder` in its wire form."""


class FetchedFolder(Record):
    """What lies in a folder that `hsc fetch` filled, or is on its way there."""

    format: Literal["hsc.fetched/1"] = "hsc.fetched/1"
    """Name and version of this wire form."""
    pid: Pid
    """The dataset, with its version."""
    root: str
    """Root of the version."""
    left: frozenset[str] = frozenset()
    """Keys of objects that were left out."""


def read_fetched(objects: ObjectStore) -> FetchedFolder | None:
    """Read what was fetched to a folder; None: it is no such folder.

    Raises
    ------
    ManifestError
        That can't be read.
    """
    try:
        return FetchedFolder(**json.loads(objects.get(FETCHED_KEY)))
    except ObjectMissingError:
        return None
    except (TypeError, ValueError) as error:
        raise ManifestError(
            "what was fetched to this folder can't be read",
            where=f"{objects.url}/{FETCHED_KEY}",
            next_step="fetch into a new folder",
        ) from error


def is_stub(objects: ObjectStore, entry: ObjectEntry) -> bool:
    """Tell whether a stub lies in an object's place."""
    if entry.absent or objects.size(entry.key) != len(STUB):
        return False
    return objects.get(entry.key) == STUB and entry.digest != blake3(STUB).digest()


def unfetched(objects: ObjectStore, key: str) -> MissingShardError | None:
    """Word that an object was left out of a folder that `hsc fetch` filled; None: it was not."""
    if not objects.url.startswith("file:") or (told := read_fetched(objects)) is None:
        return None
    size = objects.size(key)
    stub = size == len(STUB) and objects.get(key) == STUB
    if key not in told.left or not (size is None or stub):
        return None
    return MissingShardError(
        "the object was not fetched",
        where=f"{objects.url}/{key}",
        next_step=f"fetch the rest: `hsc fetch {told.pid}` into the same folder",
    )
