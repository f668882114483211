"""Identity: who asks, from bearer token, reviewer link or password; tokens, roles and limits."""

from hsc_catalog.identity.accounts import AccountsFile
from hsc_catalog.identity.authenticating import authenticate, membership
from hsc_catalog.identity.directory import Directory
from hsc_catalog.identity.granted_roles import (
    GrantedRoles,
    grant_role,
    has_administrator,
    list_roles,
    make_administrator,
    withdraw_role,
)
from hsc_catalog.identity.limits import Buckets, LoginThrottle, Rate, RequestLimit
from hsc_catalog.identity.membership import NOBODY, ROLES, SCOPES, Membership
from hsc_catalog.identity.oidc_provider import OidcProvider
from hsc_catalog.identity.opening import open_sources
from hsc_catalog.identity.passwords import PasswordHash
from hsc_catalog.identity.reviewer_links import (
    IssuedLink,
    ReviewerLink,
    create_link,
    list_links,
    revoke_link,
)
from hsc_catalog.identity.settings import LimitSettings, ServeSettings, read_settings
from hsc_catalog.identity.signing_in import EVERYDAY_SCOPES, SESSION, sign_in
from hsc_catalog.identity.sources import (
    BearerSource,
    Clock,
    GroupSource,
    PasswordSource,
    SignedIn,
    Sources,
)
from hsc_catalog.identity.tokens import (
    IssuedToken,
    Token,
    TokenSource,
    create_token,
    list_tokens,
    revoke_token,
)

__all__ = [
    "EVERYDAY_SCOPES",
    "NOBODY",
    "ROLES",
    "SCOPES",
    "SESSION",
    "AccountsFile",
    "BearerSource",
    "Buckets",
    "Clock",
    "Directory",
    "GrantedRoles",
    "GroupSource",
    "IssuedLink",
    "IssuedToken",
    "LimitSettings",
    "LoginThrottle",
    "Membership",
    "OidcProvider",
    "PasswordHash",
    "PasswordSource",
    "Rate",
    "RequestLimit",
    "ReviewerLink",
    "ServeSettings",
    "SignedIn",
    "Sources",
    "Token",
    "TokenSource",
    "authenticate",
    "create_link",
    "create_token",
    "grant_role",
    "has_administrator",
    "list_links",
    "list_roles",
    "list_tokens",
    "make_administrator",
    "membership",
    "open_sources",
    "read_settings",
    "revoke_link",
    "revoke_token",
    "sign_in",
    "withdraw_role",
]
