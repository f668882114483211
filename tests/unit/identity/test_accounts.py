"""The accounts file: read again when it changes, refused when others could change or read it."""

from __future__ import annotations

import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.identity.conftest import Clock

from hsc.errors import ConfigurationError, UnauthenticatedError
from hsc_catalog.access import OPERATOR
from hsc_catalog.databases import Database
from hsc_catalog.identity import (
    AccountsFile,
    Membership,
    PasswordHash,
    ServeSettings,
    Sources,
    authenticate,
    create_token,
    open_sources,
    read_settings,
)
from hsc_catalog.identity.accounts import Accounts
from hsc_catalog.identity.settings import settings_from

PHRASE = "correct horse battery"
HASH = str(PasswordHash.of(PHRASE, log_n=10))
FILE = f"""
[subject.anna]
leads = ["maxiv/20260123"]
groups = ["maxiv/20260123", "beamline-staff"]
password = "{HASH}"
[subject.eve]
disabled = true
[group.beamline-staff]
staff_of = ["maxiv/CoSAXS"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.toml"
    path.touch(mode=0o600)
    path.write_text(FILE)
    return path


@pytest.fixture
def sources(path: Path, kept: Database) -> Sources:
    return open_sources(ServeSettings(accounts=path), kept)


def token(kept: Database, subject: str, clock: Clock) -> str:
    return create_token(
        kept, OPERATOR, name="t", scopes=["read"], subject=subject, clock=clock
    ).text


def test_a_file_tells_groups_and_what_belonging_to_them_brings(
    sources: Sources, kept: Database, clock: Clock
) -> None:
    caller = authenticate(token(kept, "anna", clock), None, sources, clock)
    assert caller.leads == {"maxiv/20260123"}
    assert caller.staff_of == {"maxiv/CoSAXS"}
    assert {"staff:maxiv/CoSAXS", "user:anna"} < caller.keys()


def test_a_change_of_the_file_counts_at_the_next_request(
    path: Path, sources: Sources, kept: Database, clock: Clock
) -> None:
    text = token(kept, "anna", clock)
    assert authenticate(text, None, sources, clock).leads
    path.write_text("[subject.anna]\ndisabled = true\n")
    with pytest.raises(UnauthenticatedError, match="disabled"):
        authenticate(text, None, sources, clock)
    path.write_text("")
    assert authenticate(text, None, sources, clock).leads == frozenset()


def test_a_file_that_broke_keeps_everybody_out_until_it_is_mended(
    path: Path, sources: Sources, kept: Database, clock: Clock
) -> None:
    text = token(kept, "anna", clock)
    path.write_text("[subject.anna")
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            authenticate(text, None, sources, clock)
    path.unlink()
    with pytest.raises(ConfigurationError):
        authenticate(text, None, sources, clock)
    path.touch(mode=0o600)
    path.write_text(FILE)
    assert authenticate(text, None, sources, clock).leads


@pytest.mark.skipif(os.name != "posix", reason="permissions are kept elsewhere on this system")
@pytest.mark.parametrize(
    ("mode", "text", "usable"),
    [
        (0o600, FILE, True),
        (0o640, FILE, True),
        (0o644, FILE, False),
        (0o644, "[subject.anna]", True),
        (0o664, "[subject.anna]", False),
        (0o646, "[subject.anna]", False),
    ],
)
def test_permissions_are_checked(path: Path, mode: int, text: str, usable: bool) -> None:
    path.write_text(text)
    path.chmod(mode)
    if usable:
        assert "anna" in AccountsFile(path).accounts().subjects
    else:
        with pytest.raises(ConfigurationError, match=r"others may write|everybody may read"):
            AccountsFile(path)


@pytest.mark.parametrize(
    "text",
    [
        "[subjects.anna]",
        "subject = 1",
        "[subject.anna]\ngroup = ['a']",
        "[subject.anna]\ngroups = 'a'",
        "[subject.anna]\ngroups = ['user:bertil']",
        "[subject.anna]\ngroups = ['']",
        "[subject.anna]\nstaff_of = ['CoSAXS']",
        "[subject.anna]\nroles = ['emperor']",
        "[subject.anna]\ndisabled = 'no'",
        "[subject.anna]\npassword = 'sesame-open'",
        "[subject.anna]\npassword = 7",
        "[subject.'operator:root']",
        "[subject.' anna']",
        "[group.'staff:maxiv/CoSAXS']",
        "[group.a]\npassword = 'sesame-open'",
        "a = [" + "[" * 5000,
    ],
)
def test_what_a_file_can_not_say_is_refused_and_no_password_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Accounts.read(text, "accounts.toml")
    assert "sesame" not in str(error.value)


def test_passwords_are_checked_by_name(path: Path) -> None:
    file = AccountsFile(path)
    assert file.check_password("anna", PHRASE) == "anna"
    for name, password in (("anna", PHRASE + "x"), ("eve", PHRASE), ("", ""), ("x", "")):
        assert file.check_password(name, password) is None
    assert HASH not in f"{file.accounts()!r} {file!r}"


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_hash_holds_its_password_and_no_other(password: str, other: str) -> None:
    kept = PasswordHash.of(password, log_n=10)
    again = PasswordHash.read(str(kept))
    assert again.holds(password)
    assert again.holds(other) == (other == password) or _same_spelled(password, other)
    assert kept.digest.hex() not in repr(kept)


def _same_spelled(one: str, other: str) -> bool:
    import unicodedata

    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


@given(st.text(string.printable, max_size=120))
def test_no_text_but_a_hash_is_read_as_one(text: str) -> None:
    with pytest.raises(ConfigurationError):
        PasswordHash.read(text)


@pytest.mark.parametrize(
    "cost", ["ln=30,r=8,p=1", "ln=20,r=99,p=1", "ln=1,r=8,p=1", "ln=15,r=8,p=0"]
)
def test_a_hash_that_would_take_all_memory_is_refused(cost: str) -> None:
    with pytest.raises(ConfigurationError):
        PasswordHash.read(HASH.replace("ln=10,r=8,p=3", cost))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("x = 1", ""),
        ("port = 'sesame-open'", ""),
        ("port = 70000", ""),
        ("[ldap]\nurl = 'ldap://x.org'\npeople_base = ''\ngroups_base = ''", "ldap"),
        ("[ldap]\nbind_password = 'sesame-open'", ""),
        ("[[oidc]]\nissuer = 'https://a.org'\naudience = []", "oidc"),
        ("[[oidc]]\nissuer = 'https://a.org'\naudience = ['h']\nclient_secret = 'sesame-open'", ""),
        ("[[oidc]]\nissuer = 'https://a'\naudience = ['h']\n" * 2, "oidc"),
        ("trusted_proxies = ['somewhere']", "trusted_proxies"),
        ("[limits]\nbody_bytes = 0", "limits"),
        ("[[ldap.group_names]]\npattern = '('\nbecomes = 'x'", ""),
    ],
)
def test_settings_that_can_not_be_are_refused_and_no_value_repeated(text: str, where: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        settings_from(text, "serve.toml")
    assert "sesame" not in str(error.value)
    assert where in error.value.where


def test_a_settings_file_needs_nothing_and_its_paths_start_at_itself(tmp_path: Path) -> None:
    assert read_settings(None) == ServeSettings()
    assert ServeSettings().host == "127.0.0.1"
    file = tmp_path / "serve.toml"
    file.write_text('accounts = "people/accounts.toml"\n')
    assert read_settings(file).accounts == tmp_path / "people/accounts.toml"
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_settings(tmp_path / "absent.toml")


def test_memberships_are_joined() -> None:
    one = Membership(groups=frozenset({"a"}), roles=frozenset({"ingestor"}))
    both = one | Membership(groups=frozenset({"b"}), disabled=True)
    assert both.groups == {"a", "b"}
    assert both.roles == {"ingestor"}
    assert both.disabled
