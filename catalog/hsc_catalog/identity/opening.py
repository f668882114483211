"""Opening the sources that serve.toml names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsc.errors import DependencyMissingError
from hsc_catalog.databases import Database
from hsc_catalog.identity.accounts import AccountsFile
from hsc_catalog.identity.cached_groups import CachedGroups
from hsc_catalog.identity.directory import Directory
from hsc_catalog.identity.granted_roles import GrantedRoles
from hsc_catalog.identity.settings import ServeSettings
from hsc_catalog.identity.sources import BearerSource, GroupSource, PasswordSource, Sources
from hsc_catalog.identity.tokens import TokenSource

if TYPE_CHECKING:
    from hsc_catalog.identity.ldap import LdapSource
    from hsc_catalog.identity.oidc import OidcSource


def open_sources(settings: ServeSettings, database: Database) -> Sources:
    """Open all that a served catalog asks who is who; nothing on the network is asked yet.

    Raises
    ------
    ConfigurationError
        The accounts file, or what else was named, can't be used.
    DependencyMissingError
        This installation was made without what a source needs.
    """
    bearers: list[BearerSource] = [TokenSource(database)]
    groups: list[GroupSource] = [GrantedRoles(database)]
    passwords: list[PasswordSource] = []
    accounts = AccountsFile(settings.accounts) if settings.accounts is not None else None
    if accounts is not None:
        groups.append(accounts)
        passwords.append(accounts)
    for source in _oidc(settings):
        bearers.append(source)
        groups.append(source)
    if settings.ldap is not None:
        people = _ldap(settings.ldap)
        groups.append(CachedGroups(people, settings.ldap.cache_s))
        if settings.ldap.passwords:
            passwords.append(people)
    return Sources(
        database,
        tuple(bearers),
        tuple(groups),
        accounts.meaning if accounts is not None else None,
        tuple(passwords),
    )


def _oidc(settings: ServeSettings) -> list[OidcSource]:
    if not settings.oidc:
        return []
    try:
        # joserfc is no part of the base installation, which keeps tokens all the same.
        from hsc_catalog.identity.oidc import OidcSource
    except ModuleNotFoundError as error:
        raise _missing(error, "catalog") from error
    return [OidcSource(provider) for provider in settings.oidc]


def _ldap(directory: Directory) -> LdapSource:
    try:
        # ldap3 is an extra of its own.
        from hsc_catalog.identity.ldap import LdapSource
    except ModuleNotFoundError as error:
        raise _missing(error, "ldap") from error
    return LdapSource(directory)


def _missing(error: ModuleNotFoundError, extra: str) -> DependencyMissingError:
    return DependencyMissingError(
        f"serve.toml names a source of accounts that needs {error.name}, which is not installed",
        next_step=f"pip install 'hanseatic-science-cloud[{extra}]'",
    )
