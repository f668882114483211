"""Replica: a place where one version of a dataset lies, and how it stands there."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from hsc.model.wire import UtcTime, VersionedRecord


class ReplicaState(StrEnum):
    """How a replica stands."""

    ONLINE = "online"
    """It can be read."""
    ARCHIVED = "archived"
    """It lies on tape or the like: it has to be asked for before it can be read."""
    DAMAGED = "damaged"
    """A verify found objects missing or wrong."""
    GONE = "gone"
    """It is no longer there."""


class Replica(VersionedRecord):
    """One place where a version of a dataset lies."""

    format: Literal["hsc.replica/1"] = "hsc.replica/1"
    """Name and version of this wire form."""
    location: str
    """URL of the version's folder there, without credentials; no slash at its end."""
    state: ReplicaState = ReplicaState.ONLINE
    """How it stands."""
    since: UtcTime
    """Since when it stands so."""
    verified: UtcTime | None = None
    """When every byte of it was last found as it was written; None: never since it was made."""
    activity: str | None = None
    """ULID of the activity that told this last; None for the place where the dataset was made."""
