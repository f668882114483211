"""No secret is in a log, an error, a repr or a traceback, whatever goes wrong."""

from __future__ import annotations

import ast
import inspect
import logging
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from servers.ldap import BASE, Ldap
from servers.oidc import OidcProvider as RealProvider
from unit.identity.conftest import Clock

from hsc.errors import HscError
from hsc.model import Pid
from hsc_catalog.access import ALL_SCOPES, Caller
from hsc_catalog.databases import Database
from hsc_catalog.identity import (
    Directory,
    LoginThrottle,
    OidcProvider,
    PasswordHash,
    ServeSettings,
    authenticate,
    create_link,
    create_token,
    open_sources,
    passwords,
    secret_texts,
    sign_in,
)

AUDIENCE = "https://hsc.example"
PHRASE = "correct-horse-sesame"


@pytest.fixture
def served(tmp_path: Path, ldap: Ldap, oidc: RealProvider) -> tuple[ServeSettings, list[str]]:
    accounts, asker = tmp_path / "accounts.toml", tmp_path / "asker"
    for path in (accounts, asker):
        path.touch(mode=0o600)
    made = PasswordHash.of(PHRASE, log_n=10)
    accounts.write_text(f'[subject.anna]\npassword = "{made}"\n')
    asker.write_text(ldap.asker_password)
    directory = Directory(
        ldap.url, f"ou=people,{BASE}", f"ou=groups,{BASE}", bind_dn=ldap.asker,
        bind_password_file=asker, timeout_s=1.0,
    )  # fmt: skip
    provider = OidcProvider(oidc.issuer, (AUDIENCE,))
    settings = ServeSettings(accounts=accounts, oidc=(provider,), ldap=directory)
    return settings, [str(made), *str(made).split("$")[3:], ldap.asker_password]


def test_no_secret_is_told_by_anything_that_goes_right_or_wrong(
    served: tuple[ServeSettings, list[str]],
    kept: Database,
    ldap: Ldap,
    oidc: RealProvider,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    settings, secrets = served
    sources = open_sources(settings, kept)
    owner = Caller("anna", scopes=ALL_SCOPES - {"admin"})
    token = create_token(kept, owner, name="t", scopes=["read"], clock=clock)
    late = create_token(kept, owner, name="l", scopes=["read"], lasts=timedelta(seconds=1))
    link = create_link(kept, owner, [Pid.generate("hsc.maxiv")], clock=clock)
    bearer = oidc.token("anna", AUDIENCE)
    typed = ldap.passwords["bertil"]
    secrets += [token.text, late.text, link.text, bearer, bearer.rpartition(".")[2], typed, PHRASE]
    told: list[str] = [repr(each) for each in (token, late, link, sources, settings)]

    def ask(call: Callable[..., Any], *given: Any) -> None:
        try:
            told.append(repr(call(*given)))
        except HscError as error:
            told.append("".join(traceback.format_exception(error)) + repr(error.document()))

    for text in (token.text, late.text, bearer, link.text, bearer[:-3], token.text[:-1] + "!"):
        ask(authenticate, text, None, sources)
        ask(authenticate, None, text, sources)
    throttle = LoginThrottle()
    for name, password in (("anna", PHRASE), ("bertil", typed), ("bertil", PHRASE + "x")):
        ask(sign_in, name, password, sources, throttle, "192.0.2.1")
    ldap.server.pause()
    try:
        ask(open_sources(settings, kept).passwords[1].check_password, "bertil", typed)
    finally:
        ldap.server.resume()
    out, err = capfd.readouterr()
    everything = "\n".join([*told, caplog.text, out, err])
    assert "can't be asked" in everything
    assert [secret for secret in secrets if secret in everything] == []


@pytest.mark.parametrize("module", [secret_texts, passwords])
def test_what_proves_somebody_is_compared_in_constant_time_alone(module: Any) -> None:
    tree = ast.parse(inspect.getsource(module))
    compared = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(how, ast.Eq | ast.NotEq) for how in node.ops)
        and any(word in ast.unparse(node) for word in ("digest", "secret", "salt", "password"))
    ]
    assert compared == []
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert "hmac.compare_digest" in calls
