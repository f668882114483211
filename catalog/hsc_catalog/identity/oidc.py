"""Bearer tokens of an OpenID Connect provider: whom they name, and what groups they claim."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from hsc.errors import UnauthenticatedError
from hsc_catalog.identity.group_names import known_groups
from hsc_catalog.identity.membership import NOBODY, ROLES, Membership, checked_subject
from hsc_catalog.identity.oidc_provider import OidcProvider
from hsc_catalog.identity.provider_keys import ProviderKeys
from hsc_catalog.identity.sources import SignedIn

# Other types are signed by the same keys and mean other things (RFC 8725, 3.11).
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}


class OidcSource:
    """Knows one provider's tokens (`BearerSource`), and the groups in them (`GroupSource`)."""

    def __init__(self, provider: OidcProvider) -> None:
        self._provider = provider
        self._keys = ProviderKeys(provider.issuer)

    def knows(self, bearer: str) -> bool:
        """Tell whether a token says it is this provider's; nothing of it is believed yet."""
        parts = bearer.split(".")
        claims = _part(parts[1]) if len(parts) == 3 else None
        return claims is not None and claims.get("iss") == self._provider.issuer

    def sign_in(self, bearer: str, now: datetime) -> SignedIn:
        """Give whom a token names.

        Raises
        ------
        UnauthenticatedError
            It is not signed by the provider, not for this catalog, or not valid now.
        CatalogUnavailableError
            The provider's keys can't be had.
        """
        provider = self._provider
        algorithm, kid = _header(bearer, provider.algorithms)
        key = self._keys.find(kid, algorithm, now)
        try:
            claims = jwt.decode(bearer, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, RecursionError) as error:
            # Not the library's words: some repeat parts of the token.
            raise UnauthenticatedError(
                f"the bearer token does not count ({type(error).__name__})"
            ) from None
        _check_audience(claims, provider)
        _check_times(claims, now.timestamp(), provider.leeway_s)
        return SignedIn(self._subject(claims), frozenset(provider.scopes), claims)

    def membership(self, subject: str, claims: Mapping[str, Any]) -> Membership:
        """Give the groups and roles that a token of this provider claims; it was checked."""
        provider = self._provider
        if claims.get("iss") != provider.issuer:
            return NOBODY
        roles = _listed(claims, provider.roles_claim) if provider.roles_claim else []
        return Membership(
            groups=known_groups(_listed(claims, provider.groups_claim), provider.group_names),
            roles=frozenset(role for role in ROLES if role in roles),
        )

    def _subject(self, claims: Mapping[str, Any]) -> str:
        name = self._provider.subject_claim
        # A token bound to its sender's key is no bearer token (RFC 8705, 9449), and one that
        # tells of a sign-out is no sign-in (OpenID Connect Back-Channel Logout 1.0, 2.4).
        if "cnf" in claims or "events" in claims:
            raise UnauthenticatedError("the bearer token is of a kind that signs nobody in")
        if name == "email" and claims.get("email_verified") is not True:
            raise UnauthenticatedError("the provider did not verify this email address")
        subject = checked_subject(claims.get(name), "the bearer token")
        return checked_subject(self._provider.subject_prefix + subject, "the bearer token")


def _header(bearer: str, algorithms: tuple[str, ...]) -> tuple[str, str | None]:
    header = _part(bearer.split(".", 1)[0])
    if header is None:
        raise UnauthenticatedError("the bearer token has no header")
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in algorithms:
        raise UnauthenticatedError("the bearer token is signed in a way that is not allowed")
    if "crit" in header or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise UnauthenticatedError("the bearer token is of a kind that is not taken")
    if kid is not None and not isinstance(kid, str):
        raise UnauthenticatedError("the bearer token names its key by no text")
    return str(algorithm), kid


def _check_audience(claims: Mapping[str, Any], provider: OidcProvider) -> None:
    if claims.get("iss") != provider.issuer:
        raise UnauthenticatedError("the bearer token is of another provider")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(name in named for name in provider.audience):
        raise UnauthenticatedError("the bearer token is for somebody else than this catalog")


def _check_times(claims: Mapping[str, Any], now: float, leeway_s: int) -> None:
    # Our own, for joserfc's have changed: a time of NaN must not be one that never comes.
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    for at in times.values():
        whole = isinstance(at, int) and not isinstance(at, bool)
        if not whole and not (isinstance(at, float) and math.isfinite(at)):
            raise UnauthenticatedError("the bearer token has a time that is none")
    if "exp" not in times:
        raise UnauthenticatedError("the bearer token would count for ever")
    if times["exp"] <= now - leeway_s:
        raise UnauthenticatedError("the bearer token is past its time", next_step="sign in again")
    if any(times.get(name, now) > now + leeway_s for name in ("nbf", "iat")):
        raise UnauthenticatedError("the bearer token does not count yet")


def _part(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _listed(claims: Mapping[str, Any], name: str) -> list[object]:
    found: Any = claims.get(name)
    if name not in claims:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        return [found]
    return found if isinstance(found, list) else []
