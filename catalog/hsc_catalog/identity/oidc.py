"""Bearer tokens of an OpenID Connect provider: whom they name, and what groups they claim."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError

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
            self._registry(now).validate(claims)
        except ExpiredTokenError:
            raise UnauthenticatedError(
                "the bearer token is past its time", next_step="sign in again"
            ) from None
        except (JoseError, ValueError, RecursionError) as error:
            # Not the library's words: some repeat parts of the token.
            raise UnauthenticatedError(
                f"the bearer token does not count ({type(error).__name__})"
            ) from None
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

    def _registry(self, now: datetime) -> jwt.JWTClaimsRegistry:
        provider = self._provider
        return jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=provider.leeway_s,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "values": list(provider.audience)},
            exp={"essential": True},
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
