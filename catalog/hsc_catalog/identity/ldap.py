"""People and groups of an LDAP directory: whose password it is, and what they belong to."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ldap3
from ldap3.core.exceptions import (
    LDAPBindError,
    LDAPException,
    LDAPInvalidCredentialsResult,
    LDAPOperationResult,
    LDAPSASLPrepError,
    LDAPStartTLSError,
)
from ldap3.core.results import RESULT_SUCCESS
from ldap3.utils.conv import escape_filter_chars

from hsc.errors import CatalogUnavailableError, ConfigurationError
from hsc_catalog.identity.directory import Directory
from hsc_catalog.identity.group_names import known_groups
from hsc_catalog.identity.membership import NOBODY, Membership, is_subject

_MOST_GROUPS = 1000


class LdapSource:
    """Knows the people of one directory (`GroupSource`, `PasswordSource`).

    A connection for each question: none is left open for somebody else's answer to come on.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._tls = _Tls(directory)

    def membership(self, subject: str, claims: Mapping[str, Any]) -> Membership:
        """Give the groups that the directory has a subject in.

        Raises
        ------
        CatalogUnavailableError
            The directory does not answer, or not completely.
        """
        directory = self._directory
        if not subject.startswith(directory.subject_prefix):
            return NOBODY
        name = subject.removeprefix(directory.subject_prefix)
        with self._reported(), self._asking() as connection:
            found = self._person(connection, f"({directory.subject_attribute}={{name}})", name)
            if found is None:
                return NOBODY
            wanted = directory.group_filter.format(
                dn=escape_filter_chars(found[0]), subject=escape_filter_chars(found[1])
            )
            groups = _search(
                connection, directory.groups_base, wanted, directory.group_attribute, _MOST_GROUPS
            )
        names = [name for _, values in groups for name in values]
        return Membership(groups=known_groups(names, directory.group_names))

    def check_password(self, name: str, password: str) -> str | None:
        """Give the subject when the directory takes the password for theirs.

        Raises
        ------
        CatalogUnavailableError
            The directory does not answer.
        """
        # With an empty one every directory says yes, and means nobody (RFC 4513, 5.1.2).
        if not name or not password:
            return None
        with self._reported():
            with self._asking() as connection:
                found = self._person(connection, self._directory.person_filter, name)
            if found is None:
                return None
            try:
                with self._connected(found[0], password):
                    pass
            except (LDAPInvalidCredentialsResult, LDAPSASLPrepError):
                return None  # the second: it has letters that no password can have
        subject = self._directory.subject_prefix + found[1]
        return subject if is_subject(subject) else None

    def _person(
        self, connection: ldap3.Connection, wanted: str, name: str
    ) -> tuple[str, str] | None:
        directory = self._directory
        found = _search(
            connection,
            directory.people_base,
            wanted.format(name=escape_filter_chars(name)),
            directory.subject_attribute,
            2,
        )
        people = [(dn, values[0]) for dn, values in found if len(values) == 1]
        # Two people of one name: neither can be told from the other.
        return people[0] if len(found) == 1 and people else None

    @contextmanager
    def _asking(self) -> Iterator[ldap3.Connection]:
        directory = self._directory
        with self._connected(directory.bind_dn, directory.bind_password()) as connection:
            yield connection

    @contextmanager
    def _connected(self, dn: str | None, password: str | None) -> Iterator[ldap3.Connection]:
        scheme, host, port = self._directory.server
        timeout_s = self._directory.timeout_s
        server = ldap3.Server(
            host,
            port,
            use_ssl=scheme == "ldaps",
            tls=self._tls,
            get_info=ldap3.NONE,
            connect_timeout=timeout_s,
        )
        connection = ldap3.Connection(
            server,
            user=dn,
            password=password,
            authentication=ldap3.SIMPLE if dn is not None else ldap3.ANONYMOUS,
            # A referral leads the password to another server.
            auto_referrals=False,
            raise_exceptions=True,
            check_names=False,
            read_only=True,
            receive_timeout=max(1, round(timeout_s)),  # ldap3 takes whole ones alone
        )
        try:
            connection.open()
            # Each may say no without raising, as when the server names another one instead.
            if self._directory.starttls and scheme == "ldap" and not connection.start_tls():
                raise LDAPStartTLSError
            if not connection.bind():
                raise LDAPBindError
            yield connection
        finally:
            connection.unbind()
            if connection.socket is not None:  # ldap3 leaves one that did not connect
                connection.socket.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (LDAPException, OSError) as error:
            # Not chained, and not the library's words: its connection has the password.
            raise CatalogUnavailableError(
                f"the directory can't be asked ({type(error).__name__})",
                where=self._directory.url,
                next_step="try again in a minute; whoever runs the catalog finds it in serve.toml",
            ) from None


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS as Python checks it: the chain, and the host's name.

    ldap3's own way leaves the name to a function that Python deprecated in 3.7.
    """

    def __init__(self, directory: Directory) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._host = directory.server[1]
        try:
            self._context = ssl.create_default_context(cafile=directory.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                "the directory's certificates can't be read", where=str(directory.ca_file)
            ) from error

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Turn on TLS on a connection's socket."""
        plain: socket.socket = connection.socket
        connection.socket = self._context.wrap_socket(plain, server_hostname=self._host)


def _search(
    connection: ldap3.Connection, base: str, wanted: str, attribute: str, most: int
) -> list[tuple[str, list[str]]]:
    connection.search(base, wanted, attributes=[attribute], size_limit=most)
    # ldap3 raises for some results only: what is not complete, or is elsewhere, must not pass.
    if connection.result["result"] != RESULT_SUCCESS:
        raise LDAPOperationResult(connection.result["result"], connection.result["description"])
    return [
        (entry["dn"], _texts(entry["raw_attributes"].get(attribute, [])))
        for entry in connection.response or []
        if entry["type"] == "searchResEntry"
    ]


def _texts(values: list[bytes]) -> list[str]:
    return [value.decode("utf-8", "replace") for value in values]
