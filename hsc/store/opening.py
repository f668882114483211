"""Opening a committed version: its first copy that can be, to be read against the manifest."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.errors import DamageError, HscError, StoreUnavailableError
from hsc.store.checked import CheckedVersion
from hsc.store.copies import open_copy
from hsc.store.disk_cache import DiskCache
from hsc.store.fallback import tell_fallback


def open_version(
    location: str,
    *,
    others: Sequence[str] = (),
    root: str | None = None,
    cache: DiskCache | None = None,
) -> CheckedVersion:
    """Open a committed version by the URL of its folder: one request, for its manifest.

    Parameters
    ----------
    location
        The folder.
    others
        Folders of further copies, for what is damaged or missing in the first.
    root
        What the version's root must be; None: any.
    cache
        Keeps what is read on the local disk; None: nothing does.

    Raises
    ------
    ManifestError
        There is no manifest, it is damaged, or it is of another root; in all copies.
    """
    first: HscError | None = None
    left = [location, *others]
    while left:
        try:
            copy = open_copy(left.pop(0), root)
        except HscError as error:
            if first is None and not isinstance(error, DamageError | StoreUnavailableError):
                raise
            first = first or error
            continue
        if first is not None:
            tell_fallback(first, copy)
        return CheckedVersion(copy.objects, copy.manifest, left, cache)
    raise first or AssertionError("a version has at least one copy")
