"""From a URL to where bytes live."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hsc.errors import ConfigurationError
from hsc.store.admission import DELIVERED
from hsc.store.delivered import DeliveredObjects
from hsc.store.directory import DirectoryObjects
from hsc.store.http import HttpObjects
from hsc.store.objects import ObjectStore
from hsc.store.origins import BUCKET_SCHEMES, split_url
from hsc.store.remote import FsspecObjects
from hsc.store.retrying import Patience
from hsc.store.s3 import S3Objects

Opener = Callable[[str], ObjectStore]
"""Opens the objects under a URL."""

_openers: dict[str, Opener] = {}


def add_scheme(scheme: str, opener: Opener) -> None:
    """Let an opener answer for all URLs of a scheme, in this process."""
    _openers[scheme] = opener


def open_objects(url: str, patience: Patience | None = None) -> ObjectStore:
    """Open the objects under a URL; nothing is made or asked until the first use.

    Parameters
    ----------
    url
        Where they are.
    patience
        How long a store that does not answer is waited for; None: as long as an ingest waits.

    Raises
    ------
    ConfigurationError
        The scheme is unknown, or the URL carries credentials.
    """
    parts = split_url(url)
    if parts.scheme in _openers:
        return _openers[parts.scheme](url)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise ConfigurationError(
                f"{url!r} names a host", next_step="write file:///path with three slashes"
            )
        # It brings http and ssl with it, which take a tenth of a second; `hsc inspect` opens none.
        from urllib.request import url2pathname

        return DirectoryObjects(Path(url2pathname(parts.path)))
    if parts.scheme in BUCKET_SCHEMES:
        return S3Objects(url, patience)
    if parts.scheme in DELIVERED:
        return DeliveredObjects(url, patience)
    if parts.scheme in ("http", "https"):
        return HttpObjects(url, patience)
    return FsspecObjects(url, patience)
