"""Which locations a catalog may name: a catalog elsewhere does not lead us to what is ours."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from hsc.errors import ConfigurationError, LocationRefusedError
from hsc.store.credentials import bound_credentials
from hsc.store.origins import BUCKET_SCHEMES, ENDPOINT_SCHEMES, origin_of, split_bucket
from hsc.store.s3_client import environment_origin

_FAR = 2
DELIVERED = {"hsc+http", "hsc+https"}
"""Schemes of what a catalog's own server delivers."""

_WEB = {"http", "https"}
_DELIVER = (
    "ask whoever runs the catalog to have its server deliver that store (HSC_DELIVER), or to "
    "replicate it into one that it delivers"
)


def admit_location(location: str, catalog: str) -> str:
    """Give a location back when the catalog that names it may name it.

    A catalog of one's own (one that names no host, as SQLite, and PostgreSQL) may name any. Any
    other, as one that is reached over HTTP, may name buckets and web addresses only: no file, no
    other scheme, and no server in a private network, on this machine or beside it, unless that
    server is the catalog's own, the one that AWS_ENDPOINT_URL names, or one that credentials were
    bound to.

    Parameters
    ----------
    location
        URL of a version's folder, as the catalog tells it.
    catalog
        URL of the catalog.

    Raises
    ------
    LocationRefusedError
        It may not.
    """
    kind = urlsplit(catalog)
    if not kind.netloc or kind.scheme.partition("+")[0] == "postgresql":
        return location
    named = location.partition("://")[0]
    try:
        if named in DELIVERED and origin_of(location.removeprefix("hsc+")) == origin_of(catalog):
            return location
        if named not in _WEB and named not in BUCKET_SCHEMES:
            raise _refused(location, catalog, f"it begins with {named}://")
        if named in BUCKET_SCHEMES:
            _check_bucket(location, catalog)
        if named in _WEB or named in ENDPOINT_SCHEMES:
            _check_server(location, catalog)
    except ConfigurationError as error:
        raise _refused(location, catalog, error.message) from error
    return location


def admit_delivery(address: str, catalog: str) -> None:
    """Check that a catalog's server may send us to an address for an object's bytes.

    It may name any server of the internet; one in a private network only when it is in one itself
    or on this machine, and one on this machine only when it is there itself; beside that those
    that `admit_location` takes. Nothing that is ours is sent there.

    Raises
    ------
    LocationRefusedError
        It may not.
    """
    place = address.partition("?")[0]  # behind it stands a signature
    try:
        if address.partition("://")[0] not in _WEB:
            raise _refused(place, catalog, "it is no web address")
        if _distance(origin_of(address)) < _distance(origin_of(catalog)):
            _check_server(place, catalog)
    except ConfigurationError as error:
        raise _refused(place, catalog, error.message) from error


def _distance(origin: str) -> int:
    """Tell how far away a server is: 0 this machine, 1 a private network, 2 the internet."""
    parts = urlsplit(origin)
    try:
        found = socket.getaddrinfo(str(parts.hostname), parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        return _FAR
    return min((_distance_of(str(place[0])) for *_, place in found), default=_FAR)


def _distance_of(text: str) -> int:
    """Tell how far away an address is.

    Examples
    --------
    >>> [_distance_of(a) for a in ("127.0.0.1", "10.1.2.3", "8.8.8.8", "169.254.169.254", "::1")]
    [0, 1, 2, -1, 0]
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if address.is_link_local:  # where clouds keep the keys of a machine: no place for data
        return -1
    if address.is_loopback:
        return 0
    return _FAR if _in_internet(text) else 1


def _check_bucket(location: str, catalog: str) -> None:
    _, bucket, _ = split_bucket(location)
    if ":" in bucket:  # an ARN leads botocore to servers of its own choice
        raise _refused(location, catalog, "its bucket is no plain name")


def _check_server(location: str, catalog: str) -> None:
    origin = origin_of(location)
    if urlsplit(catalog).scheme in _WEB and origin == origin_of(catalog):
        return
    private = _private_address(origin)
    if private is None or bound_credentials(origin) is not None:
        return
    if origin != environment_origin():
        raise _refused(location, catalog, f"its server is {private}")


def _private_address(origin: str) -> str | None:
    """Word where a server is when it is not in the internet; None when it is."""
    # It brings http and ssl with it, which take a tenth of a second; `hsc inspect` admits nothing.
    from urllib.request import getproxies

    parts = urlsplit(origin)
    host = str(parts.hostname)
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        # Behind a proxy names may be known to that alone.
        return None if getproxies() else f"{host}, which has no address"
    for *_, place in found:
        if not _in_internet(str(place[0])):
            return f"{host}, at {place[0]}: in no public network"
    return None


def _in_internet(text: str) -> bool:
    """Tell whether an address is a public one.

    Examples
    --------
    >>> [_in_internet(a) for a in ("8.8.8.8", "10.1.2.3", "169.254.169.254", "::1")]
    [True, False, False, False]
    >>> [_in_internet(a) for a in ("::ffff:127.0.0.1", "2002:7f00:1::", "224.0.0.1", "fe80::1%lo")]
    [False, False, False, False]
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast


def _refused(location: str, catalog: str, what: str) -> LocationRefusedError:
    return LocationRefusedError(
        f"the catalog names a location that it may not name: {what}",
        where=f"{location} (from {catalog.partition('?')[0].rpartition('@')[2]})",
        next_step=_DELIVER
        if urlsplit(location).scheme not in {*_WEB, *BUCKET_SCHEMES}
        else "where you know the server to be right, set AWS_ENDPOINT_URL to it, or bind "
        "credentials to it (hsc.store.bind_credentials)",
    )
