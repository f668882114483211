"""Tokens of catalogs: which one goes to which server, and where `hsc login` keeps them."""

from __future__ import annotations

import json
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from hsc import settings
from hsc.errors import ConfigurationError
from hsc.store.origins import origin_of

_FILE = "tokens.json"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_WEB = ("http://", "https://")
_LINK = "hscr_"  # how the secret of a reviewer's link begins

_lock = threading.Lock()
_bound: dict[str, str] = {}


def bind_token(origin: str, token: str) -> None:
    """Let a token answer for a catalog's server, in this process; it is sent to no other."""
    with _lock:
        _bound[origin_of(origin)] = token


def unbind_token(origin: str) -> None:
    """Forget what this process bound to a server."""
    with _lock:
        _bound.pop(origin_of(origin), None)


def token_of(origin: str) -> str | None:
    """Give the token of a catalog's server; None: it is asked as nobody.

    One that was bound in this process goes first, then ``HSC_TOKEN``, which is for the server
    that ``HSC_CATALOG`` names and for no other, then the one that `hsc login` kept.
    """
    with _lock:
        bound = _bound.get(origin)
    if bound is not None:
        return bound
    given, catalog = settings.token(), settings.catalog_url()
    if given is not None and catalog.startswith(_WEB) and origin_of(catalog) == origin:
        return given
    return kept_tokens().get(origin)


def token_headers(origin: str) -> dict[str, str]:
    """Give the headers that show a server its token, or a reviewer's link; none without one.

    Raises
    ------
    ConfigurationError
        The token would go through a network unencrypted.
    """
    token = token_of(origin)
    if token is None:
        return {}
    parts = urlsplit(origin)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not settings.bare_token():
        raise ConfigurationError(
            "the token would go through the network unencrypted",
            where=origin,
            next_step="use the catalog's https:// address, or set HSC_TOKEN_UNENCRYPTED=1 in a "
            "network that nobody else is in",
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(
            "the token holds signs that no token has",
            where=origin,
            next_step="copy it anew, without blanks or line ends, into HSC_TOKEN or `hsc login`",
        )
    if token.startswith(_LINK):
        return {"HSC-Reviewer-Link": token}
    return {"Authorization": f"Bearer {token}"}


def kept_tokens() -> dict[str, str]:
    """Give the tokens that `hsc login` kept, by origin.

    Raises
    ------
    ConfigurationError
        The file can't be read.
    """
    path = _path()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(origin): str(token) for origin, token in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError):  # its text may repeat a token
        raise ConfigurationError(
            "the file of tokens can't be read",
            where=str(path),
            next_step="remove it, and run `hsc login` again",
        ) from None


def keep_token(origin: str, token: str | None) -> Path:
    """Keep a server's token in a file under ``HSC_HOME`` that only its owner reads.

    Parameters
    ----------
    origin
        The server.
    token
        Its token; None: forget it.

    Returns
    -------
    path
        The file.
    """
    path, tokens = _path(), kept_tokens()
    tokens.pop(origin_of(origin), None)
    if token is not None:
        tokens[origin_of(origin)] = token
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{_FILE}.{secrets.token_hex(8)}")
    try:
        made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            json.dump(tokens, file)
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    return path


def _path() -> Path:
    return settings.home() / _FILE
