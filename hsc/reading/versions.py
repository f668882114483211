"""Versions as readers open them: through the cache, and once per process where work is sent to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hsc.store import CheckedVersion, open_cache, open_version

_KEPT = 8


def open_for_reading(
    location: str, others: Sequence[str] = (), root: str | None = None
) -> CheckedVersion:
    """Open a version through the cache that ``HSC_CACHE`` names, as `open_version` does."""
    return open_version(location, others=others, root=root, cache=open_cache())


@lru_cache(_KEPT)
def open_once(location: str, others: tuple[str, ...], root: str) -> CheckedVersion:
    """Open a version, or give the one that this process opened: what is committed never changes.

    Each task of a worker brings its array with it; the manifest is read for the first.
    """
    return open_for_reading(location, others, root)
