"""Limits: how often, how wrongly, and in how much memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.identity.conftest import Clock

from hsc.errors import TooManyRequestsError, UnauthenticatedError
from hsc_catalog.databases import Database
from hsc_catalog.identity import (
    AccountsFile,
    Buckets,
    LoginThrottle,
    PasswordHash,
    Rate,
    RequestLimit,
    ServeSettings,
    Sources,
    authenticate,
    open_sources,
    sign_in,
)

PHRASE = "correct horse battery"


class Seconds:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from("ab")), max_size=60))
def test_a_bucket_never_gives_more_than_its_rate_allows(asks: list[tuple[float, str]]) -> None:
    seconds = Seconds()
    buckets = Buckets(Rate(burst=3, per_s=1), clock=seconds)
    given_at: dict[str, list[float]] = {"a": [], "b": []}
    for wait_s, key in asks:
        seconds.at += wait_s
        told = buckets.take(key)
        if told == 0:
            given_at[key].append(seconds.at)
        else:
            assert 0 < told <= 1
    for times in given_at.values():
        for first, begin in enumerate(times):
            for last, end in enumerate(times[first:], first):
                assert last - first + 1 <= 3 + (end - begin) + 1e-6


def test_after_the_time_that_was_told_there_is_room_again(seconds: Seconds) -> None:
    buckets = Buckets(Rate(burst=1, per_s=0.5), clock=seconds)
    assert buckets.take("a") == 0
    wait_s = buckets.take("a")
    seconds.at += wait_s
    assert buckets.take("a") == 0


def test_a_flood_of_keys_fills_no_memory(seconds: Seconds) -> None:
    buckets = Buckets(Rate(1, 1), most_keys=100, clock=seconds)
    for number in range(5000):
        buckets.take(str(number))
    assert len(buckets) == 100


def test_callers_and_addresses_are_limited_apart(seconds: Seconds) -> None:
    limit = RequestLimit(Rate(2, 1), Rate(3, 1), seconds)
    limit.admit_caller(None)
    for _ in range(2):
        limit.admit_caller("anna")
    limit.admit_caller("bertil")
    with pytest.raises(TooManyRequestsError) as error:
        limit.admit_caller("anna")
    assert error.value.retry_after_s == 1.0
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"):
        limit.admit_address(address)
    with pytest.raises(TooManyRequestsError):
        limit.admit_address("2001:db8::3")
    limit.admit_address("2001:db8:0:1::1")


def test_reading_objects_takes_nothing_from_other_requests(seconds: Seconds) -> None:
    limit = RequestLimit(Rate(1, 1), Rate(1, 1), seconds, objects=Rate(3, 1))
    for _ in range(3):
        limit.admit_caller("anna", objects=True)
        limit.admit_address("192.0.2.7", objects=True)
    limit.admit_caller("anna")
    limit.admit_address("192.0.2.7")
    with pytest.raises(TooManyRequestsError):
        limit.admit_caller("anna", objects=True)
    with pytest.raises(TooManyRequestsError):
        limit.admit_address("192.0.2.7", objects=True)


def test_who_guesses_is_slowed_and_the_owner_comes_in_from_elsewhere(seconds: Seconds) -> None:
    throttle = LoginThrottle(seconds)
    for _ in range(5):
        throttle.admit("anna", "192.0.2.1")
    for name in ("anna", "ANNA"):
        with pytest.raises(TooManyRequestsError):
            throttle.admit(name, "192.0.2.1")
    throttle.admit("anna", "198.51.100.1")
    throttle.succeeded("anna", "198.51.100.1")
    with pytest.raises(TooManyRequestsError):
        throttle.admit("anna", "192.0.2.1")
    seconds.at += 60
    throttle.admit("anna", "192.0.2.1")


def test_who_tries_many_names_is_slowed_too(seconds: Seconds) -> None:
    throttle = LoginThrottle(seconds)
    for number in range(30):
        throttle.admit(f"name{number}", "192.0.2.1")
    with pytest.raises(TooManyRequestsError):
        throttle.admit("name30", "192.0.2.1")


def test_who_signs_in_rightly_again_and_again_is_never_kept_out(seconds: Seconds) -> None:
    throttle = LoginThrottle(seconds)
    for _ in range(1000):
        throttle.admit("robot", "192.0.2.1")
        throttle.succeeded("robot", "192.0.2.1")


@pytest.fixture
def sources(tmp_path: Path, kept: Database) -> Sources:
    path = tmp_path / "accounts.toml"
    path.touch(mode=0o600)
    made = PasswordHash.of(PHRASE, log_n=10)
    path.write_text(f'[subject.anna]\nroles = ["administrator"]\npassword = "{made}"\n')
    return open_sources(ServeSettings(accounts=path), kept)


def test_name_and_password_give_a_token_of_some_hours(
    sources: Sources, seconds: Seconds, clock: Clock
) -> None:
    throttle = LoginThrottle(seconds)
    issued = sign_in("anna", PHRASE, sources, throttle, "192.0.2.1", clock=clock)
    caller = authenticate(issued.text, None, sources, clock)
    assert caller.subject == "anna"
    assert caller.scopes == {"read", "ingest", "write", "share"}
    assert caller.roles == frozenset()
    clock.go_on(hours=12)
    with pytest.raises(UnauthenticatedError):
        authenticate(issued.text, None, sources, clock)


def test_a_wrong_password_is_told_as_an_unknown_name_and_counted(
    sources: Sources, seconds: Seconds, clock: Clock
) -> None:
    throttle = LoginThrottle(seconds)
    told = set()
    for name, password in (("anna", "wrong-sesame"), ("nobody", "wrong-sesame"), ("anna", "")):
        with pytest.raises(UnauthenticatedError) as error:
            sign_in(name, password, sources, throttle, "192.0.2.1", clock=clock)
        told.add(str(error.value))
    assert len(told) == 1
    assert "sesame" not in told.pop()
    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            sign_in("anna", "x", sources, throttle, "192.0.2.1", clock=clock)
    with pytest.raises(TooManyRequestsError):
        sign_in("anna", PHRASE, sources, throttle, "192.0.2.1", clock=clock)


def test_without_a_source_of_passwords_none_is_taken(kept: Database, seconds: Seconds) -> None:
    sources = open_sources(ServeSettings(), kept)
    with pytest.raises(UnauthenticatedError, match="no passwords"):
        sign_in("anna", "x", sources, LoginThrottle(seconds), "192.0.2.1")


def test_passwords_are_checked_one_after_another_in_bounded_memory(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    made = PasswordHash.of(PHRASE, log_n=10)
    path = tmp_path / "accounts.toml"
    path.touch(mode=0o600)
    path.write_text(f'[subject.anna]\npassword = "{made}"\n')
    file = AccountsFile(path)
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: file.check_password("anna", PHRASE), range(64)))
    assert found == ["anna"] * 64
