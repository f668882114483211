"""The public keys of an OpenID Connect provider: kept for a while, followed when they change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from hsc.errors import CatalogUnavailableError, ConfigurationError, UnauthenticatedError
from hsc_catalog.identity.fetching import check_secure, fetch_json

Key = RSAKey | ECKey | OKPKey

_LASTS = timedelta(minutes=15)
_LASTS_UNREACHED = timedelta(hours=24)
_BETWEEN = timedelta(seconds=10)
_MOST_KEYS = 100
_LEAST_RSA_BITS = 2048
_DISCOVERY = "/.well-known/openid-configuration"
# Public members alone (RFC 7518, section 6), whatever else a provider shows.
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
_KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}

_log = logging.getLogger(__name__)


class ProviderKeys:
    """The signing keys of one provider.

    Fetched at first use, again after 15 minutes, and when a token names a key that is not known,
    at most every 10 seconds, however many such tokens come. A provider that does not answer is
    done without for a day.

    Parameters
    ----------
    issuer
        The provider's URL, as tokens have it.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = check_secure(issuer, "the issuer")
        self._lock = threading.Lock()
        self._documents: list[dict[str, Any]] = []
        self._fetched: datetime | None = None
        self._tried: datetime | None = None

    def find(self, kid: str | None, algorithm: str, now: datetime) -> Key:
        """Give the key that a token was signed with, if the provider has it.

        Raises
        ------
        UnauthenticatedError
            It has none of that id for that algorithm, or several that could be meant.
        CatalogUnavailableError
            The provider does not answer, and did not lately.
        """
        with self._lock:
            if self._fetched is None or now - self._fetched >= _LASTS:
                self._refresh(now)
            found = self._fitting(kid, algorithm)
            if not found:
                self._refresh(now)
                found = self._fitting(kid, algorithm)
        if len(found) != 1:
            raise UnauthenticatedError("the bearer token is signed with no key of its provider")
        return found[0]

    def _may_try(self, now: datetime) -> bool:
        return self._tried is None or now - self._tried >= _BETWEEN

    def _refresh(self, now: datetime) -> None:
        if self._may_try(now):
            self._tried = now
            try:
                self._documents, self._fetched = self._fetch(), now
            except CatalogUnavailableError as error:
                _log.warning("keys of %s are not to be had: %s", self._issuer, error.message)
        if self._fetched is None or now - self._fetched >= _LASTS_UNREACHED:
            raise CatalogUnavailableError(
                "the provider of accounts does not show its keys",
                where=self._issuer,
                next_step="try again in a minute; the server's log says more",
            )

    def _fetch(self) -> list[dict[str, Any]]:
        about = fetch_json(self._issuer.rstrip("/") + _DISCOVERY)
        if about.get("issuer") != self._issuer:
            raise CatalogUnavailableError(
                "the provider of accounts says it is another one",
                where=self._issuer,
                next_step="write the issuer in serve.toml exactly as the provider does",
            )
        try:
            keys = fetch_json(check_secure(str(about.get("jwks_uri")), "jwks_uri")).get("keys")
        except ConfigurationError as error:
            raise CatalogUnavailableError(error.message, where=self._issuer) from error
        if not isinstance(keys, list):
            raise CatalogUnavailableError("the provider shows no keys", where=self._issuer)
        return [key for key in keys[:_MOST_KEYS] if isinstance(key, dict)]

    def _fitting(self, kid: str | None, algorithm: str) -> list[Key]:
        chosen = [each for each in self._documents if _fits(each, algorithm)]
        if kid is not None:
            chosen = [each for each in chosen if each.get("kid") == kid]
        return [key for key in map(_key, chosen) if key is not None]


def _fits(document: Mapping[str, Any], algorithm: str) -> bool:
    if document.get("use", "sig") != "sig" or document.get("alg", algorithm) != algorithm:
        return False
    operations = document.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    if algorithm[:2] in ("RS", "PS"):
        return document.get("kty") == "RSA"
    kind = "OKP" if algorithm == "EdDSA" else "EC"
    return document.get("kty") == kind and document.get("crv") == _CURVES.get(algorithm)


def _key(document: Mapping[str, Any]) -> Key | None:
    kind = str(document["kty"])
    members = {name: document.get(name) for name in _MEMBERS[kind]}
    if not all(isinstance(value, str) for value in members.values()):
        return None
    try:
        if kind == "RSA" and _bits(str(members["n"])) < _LEAST_RSA_BITS:
            return None
        return _KINDS[kind].import_key({"kty": kind, **cast("dict[str, str]", members)})
    except (JoseError, ValueError):
        return None  # a key of a kind or shape that is not known is as good as absent


def _bits(number: str) -> int:
    return len(number) * 6
