"""Bearer tokens of a real OpenID Connect provider, and of those who would like to be one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey
from servers import oidc as real
from servers.recording import RecordingServer
from unit.identity.conftest import Clock

from hsc.errors import UnauthenticatedError
from hsc_catalog.identity import OidcProvider, Sources, authenticate
from hsc_catalog.identity.oidc import OidcSource

AUDIENCE = "https://hsc.example"


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def settled(oidc: real.OidcProvider) -> OidcProvider:
    return OidcProvider(issuer=oidc.issuer, audience=(AUDIENCE,))


@pytest.fixture
def sources(settled: OidcProvider) -> Sources:
    source = OidcSource(settled)
    return Sources(bearers=(source,), groups=(source,))


class _Any(jwt.JWSRegistry):
    def check_header(self, header: Any) -> None:
        """Let any header through: it is a forger's."""


@cache
def own_key(kid: str) -> RSAKey:
    """Give a key that no real provider has; making one takes its time."""
    return RSAKey.generate_key(2048, {"kid": kid})


def claims(oidc: real.OidcProvider, clock: Clock, **changed: Any) -> dict[str, Any]:
    at = int(clock().timestamp())
    good = {"iss": oidc.issuer, "aud": AUDIENCE, "sub": "anna", "iat": at, "exp": at + 60}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(oidc: real.OidcProvider, told: dict[str, Any], **header: Any) -> str:
    key = oidc.keys.keys[0]
    named = {"alg": oidc.algorithm, "kid": key.kid, **header}
    return jwt.encode(named, told, key, algorithms=[oidc.algorithm], registry=_Any())


def packed(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_what_the_provider_issued_names_its_client_with_its_groups(
    oidc: real.OidcProvider, sources: Sources, clock: Clock
) -> None:
    caller = authenticate(oidc.token("anna", AUDIENCE), None, sources, clock)
    assert caller.subject == "anna"
    # The provider also claims "staff:maxiv/CoSAXS" and "user:bertil", which are no groups.
    assert caller.groups == {"maxiv/20260123"}
    assert authenticate(oidc.token("bertil", AUDIENCE), None, sources, clock).groups == frozenset()


def test_a_time_beyond_all_numbers_is_no_defect(
    oidc: real.OidcProvider, sources: Sources, clock: Clock
) -> None:
    told = claims(oidc, clock, exp=10**400, aud=["https://other.example", AUDIENCE])
    assert authenticate(signed(oidc, told), None, sources, clock).subject == "anna"


def test_our_own_forgery_with_the_true_key_counts_so_that_the_others_can_fail(
    oidc: real.OidcProvider, sources: Sources, clock: Clock
) -> None:
    assert authenticate(signed(oidc, claims(oidc, clock)), None, sources, clock).subject == "anna"


def test_a_token_for_another_audience_does_not_count(
    oidc: real.OidcProvider, sources: Sources, clock: Clock
) -> None:
    with pytest.raises(UnauthenticatedError):
        authenticate(oidc.token("anna", "https://other.example"), None, sources, clock)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"aud": None},
        {"aud": "https://hsc.example.evil"},
        {"aud": ["https://other.example"]},
        {"aud": {"https://hsc.example": 1}},
        {"exp": None},
        {"exp": "2099-01-01"},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": True},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": ["anna"]},
        {"sub": "anna\n"},
        {"sub": "operator:root"},
        {"sub": "x" * 300},
        {"cnf": {"jkt": "a key that the sender must show"}},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
)
def test_a_claim_that_is_wrong_keeps_out(
    oidc: real.OidcProvider, sources: Sources, clock: Clock, wrong: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        authenticate(signed(oidc, claims(oidc, clock, **wrong)), None, sources, clock)


@pytest.mark.parametrize(
    ("claim", "seconds", "counts"),
    [
        ("exp", -29, True),
        ("exp", -30, False),
        ("nbf", 30, True),
        ("nbf", 31, False),
        ("iat", 30, True),
        ("iat", 31, False),
    ],
)
def test_clocks_may_differ_by_so_much(
    oidc: real.OidcProvider, sources: Sources, clock: Clock, claim: str, seconds: int, counts: bool
) -> None:
    told = claims(oidc, clock, **{claim: int(clock().timestamp()) + seconds})
    if counts:
        assert authenticate(signed(oidc, told), None, sources, clock).subject == "anna"
    else:
        with pytest.raises(UnauthenticatedError):
            authenticate(signed(oidc, told), None, sources, clock)


def forgeries(oidc: real.OidcProvider, clock: Clock) -> Iterator[tuple[str, str]]:
    told, key = claims(oidc, clock), oidc.keys.keys[0]
    assert isinstance(key, RSAKey)
    body = packed(told)
    for name in ("none", "None", "NONE", ""):
        yield f"alg={name}", f"{packed({'alg': name, 'kid': key.kid})}.{body}."
    shown = key.as_dict(private=False)
    public = (key.as_pem(private=False), str(shown["n"]).encode(), json.dumps(shown).encode())
    for secret in public:
        text = f"{packed({'alg': 'HS256', 'kid': key.kid, 'typ': 'JWT'})}.{body}"
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        yield "HS256 with what is public", f"{text}.{base64.urlsafe_b64encode(mac).decode()[:-1]}"
    own = own_key(str(key.kid))
    for name, header in (
        ("another key under the kid", {}),
        ("a key in the token", {"jwk": own.as_dict(private=False)}),
        ("a key somewhere else", {"jku": "http://127.0.0.1:9/keys"}),
        ("a certificate somewhere else", {"x5u": "http://127.0.0.1:9/keys"}),
    ):
        full = {"alg": "RS256", "kid": key.kid, **header}
        yield name, jwt.encode(full, told, own, algorithms=["RS256"], registry=_Any())
    for kid in ("../../etc/passwd", "' OR 1=1 --", "", "\0", "x" * 5000):
        yield f"kid={kid[:20]!r}", jwt.encode({"alg": "RS256", "kid": kid}, told, own)
    yield "no kid, another key", jwt.encode({"alg": "RS256"}, told, own)
    true = signed(oidc, told)
    head, _, mac = true.split(".")
    yield "another body", f"{head}.{packed({**told, 'sub': 'root'})}.{mac}"
    yield "no signature", f"{head}.{body}."
    yield "a cut signature", true[:-8]
    yield "RS512, which is not allowed", _signed_with(key, "RS512", told)
    for kind in ("logout+jwt", "dpop+jwt", "secevent+jwt", 7, None):
        yield f"typ={kind}", signed(oidc, told, typ=kind)
    text = f"{packed({'alg': 'RS256', 'kid': [key.kid]})}.{body}"
    yield "kid is a list", f"{text}.{mac}"


def _signed_with(key: RSAKey, algorithm: str, told: dict[str, Any]) -> str:
    free = RSAKey.import_key({**key.as_dict(private=True), "alg": algorithm})
    return jwt.encode({"alg": algorithm, "kid": key.kid}, told, free, algorithms=[algorithm])


def test_no_forgery_counts_and_none_is_repeated(
    oidc: real.OidcProvider, sources: Sources, clock: Clock
) -> None:
    passed = []
    for name, token in forgeries(oidc, clock):
        told = ""
        try:
            authenticate(token, None, sources, clock)
        except UnauthenticatedError as error:
            told = f"{error} {error!r} {error.__cause__!r}"
        if not told or token in told:
            passed.append(name)
    assert passed == []


def test_another_providers_token_does_not_count_whatever_it_says(
    oidc: real.OidcProvider, sources: Sources, clock: Clock
) -> None:
    mine = own_key("mine")
    shown = {"keys": [mine.as_dict(private=False)]}
    with RecordingServer({"/keys": json.dumps(shown).encode()}) as other:
        told = claims(oidc, clock)
        for issuer in (oidc.issuer, other.origin):
            token = jwt.encode({"alg": "RS256", "kid": "mine"}, {**told, "iss": issuer}, mine)
            with pytest.raises(UnauthenticatedError):
                authenticate(token, None, sources, clock)
        assert other.seen == []


def test_new_keys_are_followed_and_old_ones_forgotten(
    oidc: real.OidcProvider, sources: Sources, clock: Clock
) -> None:
    before = oidc.token("anna", AUDIENCE)
    authenticate(before, None, sources, clock)
    oidc.rotate()
    clock.at = datetime.now(UTC)
    after = oidc.token("anna", AUDIENCE)
    clock.go_on(seconds=10)
    assert authenticate(after, None, sources, clock).subject == "anna"
    with pytest.raises(UnauthenticatedError):
        authenticate(before, None, sources, clock)


@given(text=st.text(st.characters(codec="ascii"), max_size=200), dots=st.integers(0, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_as_token_is_refused_and_nothing_else(
    sources: Sources, text: str, dots: int
) -> None:
    with pytest.raises(UnauthenticatedError):
        authenticate(text + "." * dots, None, sources)
