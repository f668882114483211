"""Fetching a small JSON document from a server that was configured: bounded, no redirects."""

from __future__ import annotations

import ipaddress
import json
import ssl
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from hsc.errors import CatalogUnavailableError, ConfigurationError

_MOST_BYTES = 512 * 1024
_TIMEOUT_S = 5.0


def fetch_json(url: str, *, most_bytes: int = _MOST_BYTES, timeout_s: float = _TIMEOUT_S) -> Any:
    """Fetch a JSON object.

    Raises
    ------
    CatalogUnavailableError
        The server does not answer in time, answers with something else, sends us elsewhere or
        sends too much.
    """
    try:
        raw = _fetch(url, most_bytes, timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise _unusable(url, f"can't be asked ({type(error).__name__})") from error
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _unusable(url, "sends no JSON") from error
    if not isinstance(document, dict):
        raise _unusable(url, "sends no JSON object")
    return document


def check_secure(url: str, what: str) -> str:
    """Give a URL that is encrypted, or on this machine.

    Raises
    ------
    ConfigurationError
        It is neither, holds credentials, or is no URL.
    """
    try:
        parts = urlsplit(url)
        host, credentials = parts.hostname, parts.username or parts.password
    except ValueError:
        host, credentials = None, None
    near = host is not None and is_loopback(host)
    if host and not credentials and (parts.scheme == "https" or (parts.scheme == "http" and near)):
        return url
    raise ConfigurationError(
        f"{what} is no https URL, nor one of this machine",
        next_step="write it like https://login.example.org/realms/hsc, without credentials",
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _fetch(url: str, most_bytes: int, timeout_s: float) -> bytes:
    deadline = time.monotonic() + timeout_s
    # httpx's timeouts are for each read: a server that drips would hold us for ever.
    raw = bytearray()
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    with (
        httpx.Client(follow_redirects=False, timeout=timeout_s, verify=_tls()) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise _unusable(url, f"answers {answer.status_code}")
        for part in answer.iter_raw(8192):
            raw += part
            if len(raw) > most_bytes:
                raise _unusable(url, f"sends more than {most_bytes} bytes")
            if time.monotonic() > deadline:
                raise _unusable(url, f"takes more than {timeout_s:g} s")
    return bytes(raw)


@cache
def _tls() -> ssl.SSLContext:
    # To read all certificates that are trusted takes longer than to fetch.
    return httpx.create_ssl_context()


def _unusable(url: str, what: str) -> CatalogUnavailableError:
    return CatalogUnavailableError(
        f"the server that says who is who {what}",
        where=url,
        next_step="try again in a minute; whoever runs the catalog finds the address in serve.toml",
    )
