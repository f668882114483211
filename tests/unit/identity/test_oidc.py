"""Bearer tokens of a real OpenID Connect provider, and of those who would like to be one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
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
from servers.recording import RecordingServer, Request, redirect
from unit.identity.conftest import Clock

from hsc.errors import CatalogUnavailableError, ConfigurationError, UnauthenticatedError
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
    return jwt.encode(
        named, told, key, algorithms=[oidc.algorithm], default_type=None, registry=_Any()
    )


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


class Provider:
    """A provider whose every answer is ours."""

    def __init__(self) -> None:
        self.key = own_key("a")
        self.about: dict[str, Any] = {}
        self.keys: bytes = json.dumps({"keys": [self.key.as_dict(private=False)]}).encode()
        self.fetched = 0
        self.away = False

    def answer(self, asked: Request) -> tuple[int, dict[str, str], bytes]:
        if self.away:
            return 503, {}, b""
        if asked.path.endswith("openid-configuration"):
            return 200, {}, json.dumps(self.about).encode()
        self.fetched += 1
        return 200, {}, self.keys

    def token(self, clock: Clock, **changed: Any) -> str:
        at = int(clock().timestamp())
        told = {"iss": self.about["issuer"], "aud": AUDIENCE, "sub": "anna", "exp": at + 10**6}
        header = {"alg": "RS256", "kid": changed.pop("kid", "a")}
        return jwt.encode(header, {**told, **changed}, self.key)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    with RecordingServer(answer=made.answer) as server:
        made.about = {"issuer": server.origin, "jwks_uri": f"{server.origin}/keys"}
        yield made


def source_of(provider: Provider, **changed: Any) -> OidcSource:
    issuer = provider.about["issuer"]
    return OidcSource(OidcProvider(issuer=issuer, audience=(AUDIENCE,), **changed))


def test_unknown_keys_make_nobody_ask_the_provider_all_the_time(
    provider: Provider, clock: Clock
) -> None:
    source = source_of(provider)
    source.sign_in(provider.token(clock), clock())
    for _ in range(20):
        with pytest.raises(UnauthenticatedError):
            source.sign_in(provider.token(clock, kid=secrets.token_hex(4)), clock())
    assert provider.fetched == 1
    clock.go_on(seconds=10)
    for _ in range(20):
        with pytest.raises(UnauthenticatedError):
            source.sign_in(provider.token(clock, kid=secrets.token_hex(4)), clock())
    assert provider.fetched == 2


def test_a_provider_that_is_away_is_done_without_for_a_day(
    provider: Provider, clock: Clock
) -> None:
    source, token = source_of(provider), provider.token(clock)
    provider.away = True
    for _ in range(2):
        with pytest.raises(CatalogUnavailableError):
            source.sign_in(token, clock())
    provider.away = False
    clock.go_on(seconds=10)
    source.sign_in(token, clock())
    provider.away = True
    clock.go_on(hours=23)
    source.sign_in(token, clock())
    clock.go_on(hours=1)
    with pytest.raises(CatalogUnavailableError):
        source.sign_in(token, clock())


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://127.0.0.1:9"},
        {"jwks_uri": "http://keys.example.org/"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
def test_a_provider_that_contradicts_itself_is_not_believed(
    provider: Provider, clock: Clock, wrong: dict[str, Any]
) -> None:
    source, token = source_of(provider), provider.token(clock)
    provider.about |= wrong
    with pytest.raises(CatalogUnavailableError):
        source.sign_in(token, clock())


@pytest.mark.parametrize("keys", [b"", b"[]", b"{}", b"[" * 10**5, b'{"keys": "' + b"x" * 10**6])
def test_keys_that_are_none_or_too_many_are_not_read(
    provider: Provider, clock: Clock, keys: bytes
) -> None:
    provider.keys = keys
    with pytest.raises(CatalogUnavailableError):
        source_of(provider).sign_in(provider.token(clock), clock())


def test_odd_keys_beside_a_good_one_do_no_harm(provider: Provider, clock: Clock) -> None:
    good = provider.key.as_dict(private=False)
    odd = [7, {}, {"kty": "oct", "k": "c2VjcmV0", "kid": "a"}, {"kty": "new"}, {"kty": "RSA"}]
    weak = {**good, "n": good["n"][:171], "kid": "a"}
    encrypting = {**good, "use": "enc"}
    provider.keys = json.dumps({"keys": [*odd, weak, encrypting, good]}).encode()
    assert source_of(provider).sign_in(provider.token(clock), clock()).subject == "anna"


def test_no_redirect_is_followed(clock: Clock, provider: Provider) -> None:
    with RecordingServer(answer=lambda _: redirect(f"{provider.about['issuer']}/x")) as server:
        told = {"iss": server.origin, "aud": AUDIENCE, "sub": "anna", "exp": 10**11}
        token = jwt.encode({"alg": "RS256", "kid": "a"}, told, provider.key)
        source = OidcSource(OidcProvider(issuer=server.origin, audience=(AUDIENCE,)))
        with pytest.raises(CatalogUnavailableError):
            source.sign_in(token, clock())
    assert provider.fetched == 0


def test_names_come_from_the_claims_that_were_chosen(provider: Provider, clock: Clock) -> None:
    source = source_of(
        provider,
        subject_claim="email",
        subject_prefix="desy:",
        groups_claim="realm_access.roles",
        roles_claim="hsc",
    )
    told = {
        "email": "anna@desy.example",
        "email_verified": True,
        "realm_access": {"roles": ["desy/11010001", 7, "user:x"]},
        "hsc": ["ingestor", "emperor"],
    }
    signed_in = source.sign_in(provider.token(clock, **told), clock())
    assert signed_in.subject == "desy:anna@desy.example"
    known = source.membership(signed_in.subject, signed_in.claims)
    assert known.groups == {"desy/11010001"}
    assert known.roles == {"ingestor"}
    with pytest.raises(UnauthenticatedError, match="verify"):
        source.sign_in(provider.token(clock, **{**told, "email_verified": "yes"}), clock())


@pytest.mark.parametrize("wrong", ["HS256", "none", "RS1"])
def test_a_shared_secret_is_no_way_to_sign(wrong: str) -> None:
    with pytest.raises(ConfigurationError):
        OidcProvider(issuer="https://a.example", audience=("hsc",), algorithms=("RS256", wrong))


@pytest.mark.parametrize("issuer", ["http://a.example", "ftp://a.example", "https://u:p@a", "a"])
def test_a_provider_is_asked_with_tls_alone(issuer: str) -> None:
    with pytest.raises(ConfigurationError):
        OidcSource(OidcProvider(issuer=issuer, audience=("hsc",)))
