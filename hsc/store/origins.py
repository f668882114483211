"""Origins: which server a URL leads to. Credentials belong to an origin, and to no other."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from hsc.errors import ConfigurationError

ENDPOINT_SCHEMES = {"s3+http": "http", "s3+https": "https"}
"""Schemes of buckets that name their server, as in ``s3+https://s3.example.org/bucket/prefix``,
and what that server speaks."""
BUCKET_SCHEMES = {"s3", "s3a", *ENDPOINT_SCHEMES}

_AMAZON = "https://s3.amazonaws.com"
_PORTS = {"http": 80, "https": 443}
_AMAZON_HOST = re.compile(r"s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_CHAINED = re.compile(r"[a-z0-9+_-]+::")
_EXPRESS = "--x-s3"  # botocore asks another server for a session of such a bucket


def origin_of(url: str) -> str:
    """Give scheme, host and port of a URL's server, in one spelling.

    All S3 servers of Amazon are one origin: which of them has a bucket is a matter of its region.

    Raises
    ------
    ConfigurationError
        It names no server that speaks HTTP.

    Examples
    --------
    >>> origin_of("s3+https://S3.Example.org:443/bucket/key")
    'https://s3.example.org'
    >>> origin_of("http://127.0.0.1:8480/bucket")
    'http://127.0.0.1:8480'
    >>> origin_of("https://s3.eu-north-1.amazonaws.com/bucket")
    'https://s3.amazonaws.com'
    """
    parts = split_url(url)
    scheme = ENDPOINT_SCHEMES.get(parts.scheme, parts.scheme)
    if scheme not in _PORTS or not parts.hostname:
        raise ConfigurationError(
            f"{url!r} names no server",
            next_step="write it like https://s3.example.org or s3+https://s3.example.org/bucket",
        )
    host = parts.hostname.rstrip(".")
    if scheme == "https" and _AMAZON_HOST.fullmatch(host):
        return _AMAZON
    host = f"[{host}]" if ":" in host else host
    port = parts.port or _PORTS[scheme]
    return f"{scheme}://{host}" if port == _PORTS[scheme] else f"{scheme}://{host}:{port}"


def split_url(url: str) -> SplitResult:
    """Split a store's URL.

    Raises
    ------
    ConfigurationError
        It carries credentials, or is none.
    """
    if _CHAINED.match(url):  # as fsspec's zip::https://host/file.zip
        split_url(url.partition("::")[2])
    try:
        parts = urlsplit(url)
        _ = parts.port  # a ValueError when it is no number
    except ValueError:  # its text may repeat a password
        raise ConfigurationError(
            "a store's URL can't be read: what stands behind the host's colon is no port",
            next_step="write it like s3://bucket/prefix or s3+https://s3.example.org:8443/bucket",
        ) from None
    if parts.scheme != "file" and "@" in parts.netloc:
        raise ConfigurationError(
            "a store's URL must not carry credentials",
            where=f"{parts.scheme}://…@{parts.hostname}{parts.path}",
            next_step="put them into the environment (AWS_ACCESS_KEY_ID and the like)",
        )
    return parts


def split_bucket(url: str) -> tuple[str | None, str, str]:
    """Give endpoint (None: the environment's), bucket and prefix of a bucket's URL.

    Raises
    ------
    ConfigurationError
        It names no bucket.

    Examples
    --------
    >>> split_bucket("s3://bucket/a/b")
    (None, 'bucket', 'a/b')
    >>> split_bucket("s3+https://s3.example.org/bucket/a/b")
    ('https://s3.example.org', 'bucket', 'a/b')
    """
    scheme, _, rest = url.partition("://")
    endpoint = None
    if scheme in ENDPOINT_SCHEMES:
        parts = split_url(url)
        origin_of(url)  # it names a server
        endpoint = f"{ENDPOINT_SCHEMES[scheme]}://{parts.netloc}"
        rest = rest.partition("/")[2]
    bucket, _, prefix = rest.partition("/")
    # With a server of its own a bucket's name must be nothing but a name: botocore reads other
    # servers out of some.
    if not bucket or (endpoint and (not _BUCKET.fullmatch(bucket) or bucket.endswith(_EXPRESS))):
        example = "s3://bucket/prefix" if endpoint is None else f"{scheme}://host/bucket/prefix"
        raise ConfigurationError(f"{url!r} names no bucket", next_step=f"write it like {example}")
    return endpoint, bucket, prefix.strip("/")
