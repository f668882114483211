"""From a URL to where bytes live."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hsc.errors import ConfigurationError
from hsc.store.directory import DirectoryObjects
from hsc.store.objects import ObjectStore
from hsc.store.remote import FsspecObjects
from hsc.store.s3 import S3Objects


def open_objects(url: str) -> ObjectStore:
    """Open the objects under a URL; nothing is made or asked until the first use.

    Raises
    ------
    ConfigurationError
        The scheme is unknown, or the URL carries credentials.
    """
    parts = urlsplit(url)
    if parts.password or (parts.username and parts.scheme != "file"):
        raise ConfigurationError(
            "a store's URL must not carry credentials",
            where=f"{parts.scheme}://…@{parts.hostname}{parts.path}",
            next_step="put them into the environment (AWS_ACCESS_KEY_ID and the like)",
        )
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise ConfigurationError(
                f"{url!r} names a host", next_step="write file:///path with three slashes"
            )
        return DirectoryObjects(Path(url2pathname(parts.path)))
    return S3Objects(url) if parts.scheme in ("s3", "s3a") else FsspecObjects(url)
