"""An LDAP directory: whose password it is, who is in which group, and what stays unsaid."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from servers.ldap import BASE, Ldap

from hsc.errors import CatalogUnavailableError, ConfigurationError
from hsc_catalog.identity import Directory
from hsc_catalog.identity.cached_groups import CachedGroups
from hsc_catalog.identity.group_names import GroupName
from hsc_catalog.identity.ldap import LdapSource
from hsc_catalog.identity.membership import NOBODY, Membership


@pytest.fixture
def directory(ldap: Ldap, tmp_path: Path) -> Directory:
    password = tmp_path / "ldap-password"
    password.write_text(f"{ldap.asker_password}\n")
    return Directory(
        url=ldap.url,
        people_base=f"ou=people,{BASE}",
        groups_base=f"ou=groups,{BASE}",
        bind_dn=ldap.asker,
        bind_password_file=password,
        group_names=(
            GroupName("prop-(?P<number>[0-9]{8})", "maxiv/{number}"),
            GroupName("(?P<name>.*)", "{name}"),
        ),
    )


def test_the_right_password_gives_the_subject_as_the_directory_spells_it(
    ldap: Ldap, directory: Directory
) -> None:
    source = LdapSource(directory)
    assert source.check_password("anna", ldap.passwords["anna"]) == "anna"
    assert source.check_password("ANNA", ldap.passwords["anna"]) == "anna"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", "wrong"),
        ("anna", ""),
        ("", "x"),
        ("nobody", "x"),
        ("*", "{anna}"),
        ("an*", "{anna}"),
        ("anna)(uid=*", "{anna}"),
        ("bertil", "{anna}"),
        ("anna\0", "{anna}"),
        ("anna", "{anna}\0"),
        ("anna", "\u00aa\u0000\ud800"),
    ],
)
def test_no_other_name_or_password_gives_anybody(
    ldap: Ldap, directory: Directory, name: str, password: str
) -> None:
    shown = password.replace("{anna}", ldap.passwords["anna"])
    assert LdapSource(directory).check_password(name, shown) is None


def test_groups_come_by_dn_and_by_name_and_never_as_keys_of_others(directory: Directory) -> None:
    source = LdapSource(directory)
    assert source.membership("anna", {}) == Membership(
        groups=frozenset({"maxiv/20260123", "cosaxs"})
    )
    assert source.membership("bertil", {}).groups == {"cosaxs"}
    assert source.membership("nobody", {}) == NOBODY
    assert source.membership("*", {}) == NOBODY


def test_another_sources_people_are_not_looked_for(directory: Directory) -> None:
    source = LdapSource(replace(directory, subject_prefix="lund:"))
    assert source.membership("anna", {}) == NOBODY
    assert source.membership("lund:anna", {}).groups


@pytest.mark.parametrize("way", ["starttls", "ldaps"])
def test_tls_is_checked_against_the_authority_that_was_named(
    ldap: Ldap, directory: Directory, way: str
) -> None:
    secure = replace(directory, url=ldap.tls_url) if way == "ldaps" else directory
    secure = replace(secure, starttls=way == "starttls", ca_file=ldap.ca_file)
    assert LdapSource(secure).check_password("anna", ldap.passwords["anna"]) == "anna"
    with pytest.raises(CatalogUnavailableError):  # an authority that this machine does not trust
        LdapSource(replace(secure, ca_file=None)).membership("anna", {})
    elsewhere = replace(secure, url=secure.url.replace("127.0.0.1", "localhost"))
    with pytest.raises(CatalogUnavailableError):  # the certificate is for another name
        LdapSource(elsewhere).membership("anna", {})


def test_nothing_is_sent_in_clear_text_to_another_machine(directory: Directory) -> None:
    with pytest.raises(ConfigurationError, match="clear text"):
        replace(directory, url="ldap://ldap.example.org")
    replace(directory, url="ldap://ldap.example.org", starttls=True)


def test_a_directory_that_is_away_lets_nobody_pass_for_less(
    ldap: Ldap, directory: Directory, capsys: pytest.CaptureFixture[str]
) -> None:
    away = LdapSource(replace(directory, url="ldap://127.0.0.1:9"))
    for ask in (
        lambda: away.membership("anna", {}),
        lambda: away.check_password("anna", ldap.passwords["anna"]),
    ):
        with pytest.raises(CatalogUnavailableError) as error:
            ask()
        told = f"{error.value} {error.value!r} {error.value.__cause__!r}"
        assert ldap.passwords["anna"] not in told
        assert ldap.asker_password not in told


def test_the_askers_own_password_is_never_a_default(
    ldap: Ldap, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    unnamed = replace(directory, bind_password_file=None)
    with pytest.raises(ConfigurationError, match="no password"):
        LdapSource(unnamed).membership("anna", {})
    monkeypatch.setenv("HSC_LDAP_PASSWORD", ldap.asker_password)
    assert LdapSource(unnamed).membership("anna", {}).groups
    monkeypatch.setenv("HSC_LDAP_PASSWORD", "wrong")
    with pytest.raises(CatalogUnavailableError):
        LdapSource(unnamed).membership("anna", {})


def test_more_groups_than_are_asked_for_are_an_error_and_no_part_of_them(
    directory: Directory,
) -> None:
    everybody = replace(directory, person_filter="(objectClass=*)")
    with pytest.raises(CatalogUnavailableError):
        LdapSource(everybody).check_password("anna", "x")


def test_groups_are_remembered_for_a_while_and_errors_are_not(directory: Directory) -> None:
    asked: list[str] = []

    class Source:
        def membership(self, subject: str, claims: object) -> Membership:
            asked.append(subject)
            if subject == "away":
                raise CatalogUnavailableError("away")
            return Membership(groups=frozenset({f"g{len(asked)}"}))

    at = 0.0
    cached = CachedGroups(Source(), 60.0, clock=lambda: at)
    ask: Callable[[str], Membership] = lambda subject: cached.membership(subject, {})  # noqa: E731
    first = ask("anna")
    at = 59.9
    assert ask("anna") == first
    at = 60.0
    assert ask("anna") != first
    for _ in range(2):
        with pytest.raises(CatalogUnavailableError):
            ask("away")
    assert asked == ["anna", "anna", "away", "away"]


def test_a_server_that_names_another_one_signs_nobody_in(directory: Directory) -> None:
    # RFC 4511, 4.1.9: 10, referral, to the bind; 0, nothing found, to a search that must not come.
    refer = bytes.fromhex("300c02010161070a010a04000400")
    nothing = bytes.fromhex("300c02010265070a010004000400")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            taken, _ = server.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(refer)
                taken.recv(4096)
                with suppress(OSError):
                    taken.sendall(nothing)

        thread = threading.Thread(target=answer)
        thread.start()
        source = LdapSource(replace(directory, url=f"ldap://127.0.0.1:{server.getsockname()[1]}"))
        with pytest.raises(CatalogUnavailableError):
            source.membership("anna", {})
        thread.join(10)
