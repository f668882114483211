"""A provider's keys: fetched seldom, bounded, from itself alone; and what its tokens may name."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey
from servers.recording import RecordingServer, Request, redirect
from unit.identity.conftest import Clock

from hsc.errors import CatalogUnavailableError, ConfigurationError, UnauthenticatedError
from hsc_catalog.identity import OidcProvider, Sources, authenticate
from hsc_catalog.identity.oidc import OidcSource

AUDIENCE = "https://hsc.example"


@cache
def own_key(kid: str) -> RSAKey:
    """Give a key; making one takes its time."""
    return RSAKey.generate_key(2048, {"kid": kid})


class Provider:
    """A provider whose every answer is ours."""

    def __init__(self) -> None:
        self.key = own_key("a")
        self.about: dict[str, Any] = {}
        self.keys: bytes = json.dumps({"keys": [self.key.as_dict(private=False)]}).encode()
        self.fetched = 0
        self.away = False
        self.source: OidcSource | None = None

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


@pytest.mark.parametrize(
    "keys", [b"", b"[]", b"{}", b"[" * 10**5, b'{"keys": [], "x": "' + b"x" * 10**6 + b'"}']
)
def test_keys_that_are_none_or_too_many_are_not_read(
    provider: Provider, clock: Clock, keys: bytes
) -> None:
    provider.keys = keys
    with pytest.raises(CatalogUnavailableError):
        source_of(provider).sign_in(provider.token(clock), clock())


def test_odd_keys_beside_a_good_one_do_no_harm(provider: Provider, clock: Clock) -> None:
    good = provider.key.as_dict(private=False)
    odd = [7, {}, {"kty": "oct", "k": "c2VjcmV0", "kid": "a"}, {"kty": "new"}, {"kty": "RSA"}]
    encrypting = {**good, "use": "enc"}
    provider.keys = json.dumps({"keys": [*odd, encrypting, good]}).encode()
    assert source_of(provider).sign_in(provider.token(clock), clock()).subject == "anna"


def test_a_key_that_is_too_short_counts_as_none(provider: Provider, clock: Clock) -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 (that is the point)
    public = short.public_key().public_numbers()
    shown = {"kty": "RSA", "kid": "a", "n": number(public.n), "e": number(public.e)}
    provider.keys = json.dumps({"keys": [shown]}).encode()
    head, body, _ = provider.token(clock).split(".")
    mac = short.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    token = f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    with pytest.raises(UnauthenticatedError, match="no key"):
        source_of(provider).sign_in(token, clock())


def number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["RS512", "PS384"])
def test_only_the_ways_of_signing_that_were_chosen_count(
    provider: Provider, clock: Clock, algorithm: str
) -> None:
    told = {"iss": provider.about["issuer"], "aud": AUDIENCE, "sub": "anna", "exp": 10**11}
    header = {"alg": algorithm, "kid": "a"}
    token = jwt.encode(header, told, provider.key, algorithms=[algorithm])
    with pytest.raises(UnauthenticatedError):
        source_of(provider).sign_in(token, clock())
    chosen = source_of(provider, algorithms=(algorithm,))
    assert chosen.sign_in(token, clock()).subject == "anna"


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


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "zip", "x"]), ODD),
    told=st.dictionaries(st.sampled_from(["aud", "exp", "nbf", "sub", "x"]), ODD),
    mac=st.text("abcXYZ09-_=+/é ", max_size=12),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_token_is_refused_and_no_defect(
    provider: Provider, header: dict[str, Any], told: dict[str, Any], mac: str
) -> None:
    issued = {**told, "iss": provider.about["issuer"]}
    named = {"alg": "RS256", "kid": "a", **header}
    parts = (base64.urlsafe_b64encode(json.dumps(each).encode()) for each in (named, issued))
    token = ".".join(part.decode().rstrip("=") for part in parts) + f".{mac}"
    with pytest.raises(UnauthenticatedError):
        authenticate(token, None, sources_of(provider))


def sources_of(provider: Provider) -> Sources:
    provider.source = provider.source or source_of(provider)
    return Sources(bearers=(provider.source,), groups=(provider.source,))
