"""How much room a store has left, where it can say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Room:
    """What a store can still take; None where it sets no bound or does not say."""

    nbytes: int | None = None
    """Bytes."""
    objects: int | None = None
    """Objects."""


@runtime_checkable
class TellsRoom(Protocol):
    """A store that can say how much room it has left."""

    def room(self) -> Room:
        """Give what it can still take."""
        ...


def folder_room(folder: Path) -> Room:
    """Give what the file system of a folder, or of where it will be made, can still take."""
    if not hasattr(os, "statvfs"):  # Windows
        return Room()
    there = next((each for each in (folder, *folder.parents) if each.is_dir()), None)
    if there is None:
        return Room()
    facts = os.statvfs(there)
    # Some file systems have no fixed number of inodes, and say 0.
    return Room(
        nbytes=facts.f_bavail * facts.f_frsize,
        objects=facts.f_favail if facts.f_files else None,
    )


def quota_room(headers: dict[str, str]) -> Room:
    """Give what a bucket's quota leaves, as Ceph's radosgw tells it in a bucket's headers.

    Examples
    --------
    >>> quota_room({"x-rgw-quota-bucket-size": "1000", "x-rgw-bytes-used": "300"})
    Room(nbytes=700, objects=None)
    >>> quota_room({"x-rgw-quota-bucket-size": "-1"})
    Room(nbytes=None, objects=None)
    """
    return Room(
        nbytes=_left(headers, "x-rgw-quota-bucket-size", "x-rgw-bytes-used"),
        objects=_left(headers, "x-rgw-quota-bucket-objects", "x-rgw-object-count"),
    )


def _left(headers: dict[str, str], quota: str, used: str) -> int | None:
    most = int(headers.get(quota, "-1"))
    return max(0, most - int(headers.get(used, "0"))) if most >= 0 else None
