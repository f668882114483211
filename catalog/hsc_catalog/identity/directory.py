"""One LDAP directory, as ``[ldap]`` in serve.toml has it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import with_config

from hsc.errors import ConfigurationError
from hsc_catalog.identity.fetching import is_loopback
from hsc_catalog.identity.group_names import GroupName
from hsc_catalog.identity.settings_form import FORM

_MOST_BYTES = 4096


@with_config(FORM)
@dataclass(frozen=True)
class Directory:
    """Where people and groups are found, and how."""

    url: str
    """``ldaps://host`` or ``ldap://host``; without TLS on this machine alone."""
    people_base: str
    """Below which entry people are."""
    groups_base: str
    """Below which entry groups are."""
    starttls: bool = False
    """Whether to turn on TLS on an ``ldap://`` connection before anything is sent."""
    ca_file: Path | None = None
    """Certificates of who may vouch for the server; None: those that this machine trusts."""
    bind_dn: str | None = None
    """Who asks; None: nobody in particular."""
    bind_password_file: Path | None = None
    """Their password, in a file; None: ``HSC_LDAP_PASSWORD`` has it."""
    person_filter: str = "(uid={name})"
    """Finds a person by the name that they sign in with."""
    subject_attribute: str = "uid"
    """What names a person here; never the name as typed, which a directory compares loosely."""
    subject_prefix: str = ""
    """What stands before it here, as in `OidcProvider.subject_prefix`."""
    group_filter: str = "(|(member={dn})(uniqueMember={dn})(memberUid={subject}))"
    """Finds a person's groups."""
    group_attribute: str = "cn"
    """What names a group."""
    group_names: tuple[GroupName, ...] = ()
    """How groups are called here; the first rule that matches; without rules, as they are."""
    passwords: bool = True
    """Whether people sign in with their passwords in the directory."""
    cache_s: float = 60.0
    """For how many seconds a person's groups are remembered."""
    timeout_s: float = 5.0
    """How many seconds to wait for an answer."""

    def __post_init__(self) -> None:
        scheme, host = self.server[:2]
        if scheme not in ("ldap", "ldaps") or not host:
            raise ConfigurationError(
                "the directory's URL is none", where="ldap", next_step="write it like ldaps://host"
            )
        if scheme == "ldap" and not self.starttls and not is_loopback(host):
            raise ConfigurationError(
                "passwords and groups would travel in clear text",
                where=f"ldap url {self.url}",
                next_step="use ldaps://, or set starttls = true",
            )
        try:
            self.person_filter.format(name="")
            self.group_filter.format(dn="", subject="")
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                "a filter names what is not known",
                where="ldap",
                next_step="person_filter knows {name}; group_filter knows {dn} and {subject}",
            ) from error

    @property
    def server(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        try:
            parts = urlsplit(self.url)
            if parts.username or parts.password or parts.path.strip("/") or parts.query:
                return "", "", 0
            port = parts.port or (636 if parts.scheme == "ldaps" else 389)
        except ValueError:
            return "", "", 0
        return parts.scheme, parts.hostname or "", port

    def bind_password(self) -> str | None:
        """Read the password of who asks; None: nobody in particular asks.

        Raises
        ------
        ConfigurationError
            It is in none of its places.
        """
        if self.bind_dn is None:
            return None
        if self.bind_password_file is None:
            found = os.environ.get("HSC_LDAP_PASSWORD") or ""
        else:
            try:
                with self.bind_password_file.open(encoding="utf-8") as file:
                    found = file.read(_MOST_BYTES).rstrip("\r\n")
            except OSError as error:
                raise ConfigurationError(
                    f"the directory's password can't be read: {error.strerror}",
                    where=str(self.bind_password_file),
                ) from error
        if not found:
            raise ConfigurationError(
                "there is no password for the directory",
                where=f"ldap bind_dn {self.bind_dn}",
                next_step="name its file in bind_password_file, or set HSC_LDAP_PASSWORD",
            )
        return found
