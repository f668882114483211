"""What the version before of a run that grew has: objects that may be copied instead of made."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from hsc.errors import StoreError
from hsc.store import SMALL_BYTES, ObjectEntry, VersionWriter, open_version

NO_MAKINGS = bytes(32)
"""Nothing is known of what an object is made of."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object of the version before, which may do for one of this version."""

    source: str
    """Its key below the store."""
    entry: ObjectEntry
    """What that version's manifest says of it."""
    same: bool
    """Whether it was made of the same; if not, that shows when the bytes of this one are there."""

    def copy_as(self, entry: ObjectEntry, writer: VersionWriter) -> bool:
        """Copy it as an object of this version; False when it is damaged."""
        return writer.copy(entry, self.source)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The version before."""

    location: str = ""
    """Its folder below the store; empty: there is none."""
    entries: Mapping[str, ObjectEntry] = field(default_factory=dict)
    """Its large objects, by key."""

    def known(self, key: str, makings: bytes, count: int = 0) -> KnownObject | None:
        """Give its object of a key, if there is one that may do.

        Parameters
        ----------
        makings
            What the object of this version is made of.
        count
            Inner chunks that it has.
        """
        entry = self.entries.get(key)
        # Why a chunk is a gap must be told again: such a shard is made again.
        if entry is None or len(entry.chunks) != count or len(entry.chunks.gaps):
            return None
        same = makings != NO_MAKINGS and entry.makings == makings
        return KnownObject(f"{self.location}/{key}", entry, same)


def read_earlier(store: str, location: str) -> Earlier:
    """Read what the version before has; nothing, with a warning, where that is damaged.

    Parameters
    ----------
    store, location
        URL of the store, and that version's folder below it; empty: there is none.
    """
    if not location:
        return Earlier()
    try:
        entries = open_version(f"{store.rstrip('/')}/{location}").manifest.entries
    except StoreError as error:
        _LOG.warning("of the version before nothing can be copied: %s", error)
        return Earlier()
    large = {e.key: e for e in entries if e.nbytes >= SMALL_BYTES and not e.packed}
    return Earlier(location, large)
