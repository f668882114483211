"""Errors about where the bytes live."""

from __future__ import annotations

from hsc.errors.base import HscError


class StoreError(HscError):
    """Something is wrong with where the bytes live."""


class StoreUnwritableError(StoreError, PermissionError):
    """The store does not take writes."""


class StoreFullError(StoreError, OSError):
    """The store has no room, or no quota left, for what is to be written."""


class StoreUnavailableError(StoreError, ConnectionError):
    """The store did not answer, or answered that it can't now, for as long as was waited."""


class LocationRefusedError(StoreError, PermissionError):
    """A catalog elsewhere names a location that only the user may name."""


class StoreRefusedError(StoreError, PermissionError):
    """A server does not give an object to who asks, or what he showed has expired."""


class RedirectRefusedError(StoreError):
    """A server answered with the address of another one, which is not followed."""


class ObjectMissingError(StoreError, FileNotFoundError):
    """There is no object under a key."""


class ObjectExistsError(StoreError, FileExistsError):
    """An object under a key was there first."""


class IngestInProgressError(StoreError):
    """The same source is being ingested by somebody else."""


class FormatVersionError(StoreError):
    """The dataset was written in a newer format than this release knows."""


class GapError(StoreError):
    """A chunk is a gap: it could not be carried over, and its dataset says so."""


class ElsewhereError(StoreError):
    """The data of a dataset lies with another catalog, in no store of hsc's."""


class ArchivedError(StoreError):
    """All replicas of a dataset that could be read lie in an archive: ask for one first."""


class DamageError(StoreError):
    """Stored bytes are not what was committed."""


class MissingShardError(DamageError):
    """The manifest lists an object that the store does not have."""


class CorruptShardError(DamageError):
    """An object's size, checksum or digest is not the manifest's."""


class ManifestError(DamageError):
    """The manifest is absent or damaged."""
