"""One OpenID Connect provider, as ``[[oidc]]`` in serve.toml has it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import with_config

from hsc.errors import ConfigurationError
from hsc_catalog.access import Scope
from hsc_catalog.identity.group_names import GroupName
from hsc_catalog.identity.membership import SCOPES
from hsc_catalog.identity.settings_form import FORM

ALGORITHMS = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
)
"""Algorithms of public keys: with a shared secret whoever checks tokens could make them."""

_MOST_LEEWAY_S = 300


@with_config(FORM)
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
