"""Bearer tokens of an OpenID Connect provider: whom they name, and what groups they claim."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError

from hsc.errors import ConfigurationError, UnauthenticatedError
from hsc_catalog.access import Scope
from hsc_catalog.identity.group_names import GroupName, known_groups
from hsc_catalog.identity.membership import NOBODY, ROLES, SCOPES, Membership, checked_subject
from hsc_catalog.identity.provider_keys import ProviderKeys
from hsc_catalog.identity.sources import SignedIn

ALGORITHMS = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
)
"""Algorithms of public keys: with a shared secret whoever checks tokens could make them."""

_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
_MOST_LEEWAY_S = 300


@dataclass(frozen=True)
class OidcProvider:
    """One provider of accounts, as ``[[oidc]]`` in serve.toml has it."""

    issuer: str
    """Its URL, exactly as its tokens have it in ``iss``; https, but on this machine."""
    audience: tuple[str, ...]
    """Who tokens must be for: one of these stands in ``aud``."""
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")
    """How tokens may be signed, of `ALGORITHMS`."""
    subject_claim: str = "sub"
    """What names the person. Where people choose it themselves they could choose another's."""
    subject_prefix: str = ""
    """What stands before it here, so that two providers' people are never one: ``desy:``."""
    groups_claim: str = "groups"
    """What lists their groups; a dotted name goes into objects, as in ``realm_access.roles``."""
    roles_claim: str | None = None
    """What lists their roles in the catalog; None: tokens give none."""
    group_names: tuple[GroupName, ...] = ()
    """How groups are called here; the first rule that matches; without rules, as they are."""
    scopes: tuple[Scope, ...] = SCOPES
    """What the provider's tokens are good for."""
    leeway_s: int = 30
    """By how many seconds clocks may differ."""

    def __post_init__(self) -> None:
        for name, given, known in (
            ("algorithms", self.algorithms, ALGORITHMS),
            ("scopes", self.scopes, SCOPES),
        ):
            if unknown := [each for each in given if each not in known] or not given:
                raise ConfigurationError(
                    f"{name} has {unknown!r}",
                    where=f"oidc {self.issuer}",
                    next_step=f"choose of {', '.join(sorted(known))}",
                )
        if not self.audience or not all(self.audience):
            raise ConfigurationError(
                "no audience: tokens for anybody would do",
                where=f"oidc {self.issuer}",
                next_step="write who tokens must be for, as in audience = ['hsc']",
            )
        if not 0 <= self.leeway_s <= _MOST_LEEWAY_S:
            raise ConfigurationError("leeway_s is 0 to 300", where=f"oidc {self.issuer}")


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
