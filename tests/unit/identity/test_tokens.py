"""API tokens: whom they name, for how long, and what of them is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from unit.identity.conftest import Clock

from hsc.errors import (
    ForbiddenError,
    InvalidRecordError,
    TokenNotFoundError,
    UnauthenticatedError,
)
from hsc_catalog import tables
from hsc_catalog.access import ANONYMOUS, OPERATOR, Caller
from hsc_catalog.databases import Database
from hsc_catalog.identity import (
    GrantedRoles,
    IssuedToken,
    Sources,
    TokenSource,
    authenticate,
    create_token,
    grant_role,
    has_administrator,
    list_roles,
    list_tokens,
    make_administrator,
    revoke_token,
    withdraw_role,
)
from hsc_catalog.identity.secret_texts import SecretText


@pytest.fixture
def sources(kept: Database) -> Sources:
    return Sources(kept, bearers=(TokenSource(kept),), groups=(GrantedRoles(kept),))


@pytest.fixture
def issued(kept: Database, anna: Caller, clock: Clock) -> IssuedToken:
    return create_token(kept, anna, name="laptop", scopes=["read", "ingest"], clock=clock)


def test_without_a_token_the_caller_is_nobody(sources: Sources) -> None:
    assert authenticate(None, None, sources) == ANONYMOUS


def test_a_token_names_its_maker_with_its_scopes(
    sources: Sources, issued: IssuedToken, clock: Clock
) -> None:
    caller = authenticate(issued.text, None, sources, clock)
    assert caller.subject == "anna"
    assert caller.scopes == {"read", "ingest"}


def test_the_secret_is_shown_once_and_kept_nowhere(
    kept: Database, sources: Sources, issued: IssuedToken, clock: Clock, tmp_path: Path
) -> None:
    authenticate(issued.text, None, sources, clock)
    secret = issued.text[-40:]
    kept.close()
    for path in tmp_path.glob("catalog.sqlite*"):
        assert secret.encode() not in path.read_bytes()
    assert secret not in f"{issued!r} {issued.token!r} {issued.token.document()}"
    assert issued.document()["token"] == issued.text


def test_a_token_stops_to_count_at_its_time(
    sources: Sources, issued: IssuedToken, clock: Clock
) -> None:
    clock.go_on(days=90, microseconds=-1)
    authenticate(issued.text, None, sources, clock)
    clock.go_on(microseconds=1)
    with pytest.raises(UnauthenticatedError, match="past its time"):
        authenticate(issued.text, None, sources, clock)


def test_a_withdrawn_token_stops_to_count_at_once(
    kept: Database, sources: Sources, issued: IssuedToken, anna: Caller, clock: Clock
) -> None:
    authenticate(issued.text, None, sources, clock)
    revoke_token(kept, anna, issued.token.id, clock=clock)
    with pytest.raises(UnauthenticatedError, match="withdrawn"):
        authenticate(issued.text, None, sources, clock)
    again = revoke_token(kept, anna, issued.token.id, clock=clock)
    assert again.revoked == clock()


def test_a_wrong_secret_under_a_true_id_is_as_unknown_as_a_wrong_id(
    sources: Sources, issued: IssuedToken, clock: Clock
) -> None:
    other = SecretText.new("hsc")
    forged = SecretText("hsc", issued.token.id, other.secret)
    told = []
    for text in (forged.reveal(), other.reveal()):
        with pytest.raises(UnauthenticatedError) as error:
            authenticate(text, None, sources, clock)
        assert other.secret not in str(error.value)
        told.append(str(error.value))
    assert told[0] == told[1]


@given(text=st.one_of(st.text(max_size=80), st.from_regex(r"hscr?_[a-z2-7]{0,13}_.{0,44}")))
def test_any_text_is_read_as_a_secret_or_as_none(text: str) -> None:
    read = SecretText.read(text, "hsc")
    assert read is None or read.reveal() == text


def test_a_secret_has_256_bits_and_no_two_are_alike() -> None:
    made = {SecretText.new("hsc").secret for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) == 43 for secret in made)


@pytest.mark.parametrize("text", ["", "hsc_", "ä" * 20, "a b\nc", "x" * 20_000, "a.b.c"])
def test_what_is_no_token_is_refused_and_not_repeated(sources: Sources, text: str) -> None:
    with pytest.raises(UnauthenticatedError) as error:
        authenticate(text, None, sources)
    assert not text or text not in str(error.value)


def test_the_last_use_is_known_to_the_hour(
    kept: Database, sources: Sources, issued: IssuedToken, anna: Caller, clock: Clock
) -> None:
    assert list_tokens(kept, anna)[0].used is None
    for minutes in (0, 10, 25):
        clock.go_on(minutes=minutes)
        authenticate(issued.text, None, sources, clock)
    used = list_tokens(kept, anna)[0].used
    assert used == clock().replace(minute=0)


def test_one_sees_and_withdraws_ones_own_tokens_alone(
    kept: Database, issued: IssuedToken, anna: Caller
) -> None:
    other = Caller("bertil", scopes=anna.scopes)
    assert [token.id for token in list_tokens(kept, anna)] == [issued.token.id]
    assert list_tokens(kept, other) == []
    with pytest.raises(TokenNotFoundError):
        revoke_token(kept, other, issued.token.id)
    assert revoke_token(kept, OPERATOR, issued.token.id).revoked is not None


@pytest.mark.parametrize("scopes", [["admin"], ["read", "admin"]])
def test_nobody_makes_a_token_for_more_than_they_may(
    kept: Database, anna: Caller, scopes: list[str]
) -> None:
    with pytest.raises(ForbiddenError):
        create_token(kept, anna, name="more", scopes=scopes)
    reader = Caller("anna", scopes=frozenset({"read"}))
    with pytest.raises(ForbiddenError):
        create_token(kept, reader, name="again", scopes=["read"])
    with pytest.raises(ForbiddenError):
        create_token(kept, anna, name="another's", scopes=["read"], subject="bertil")
    with pytest.raises(UnauthenticatedError):
        create_token(kept, ANONYMOUS, name="nobody's", scopes=["read"])


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["reed"]}, "/scopes"),
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"lasts": timedelta(0)}, "/expires"),
        ({"lasts": timedelta(days=366)}, "/expires"),
    ],
)
def test_a_wrong_wish_names_its_field(
    kept: Database, anna: Caller, wrong: dict[str, object], where: str
) -> None:
    asked = {"name": "laptop", "scopes": ["read"], **wrong}
    with pytest.raises(InvalidRecordError) as error:
        create_token(kept, anna, **asked)  # type: ignore[arg-type]
    assert error.value.where == where


def test_an_administrator_with_an_everyday_token_is_none(
    kept: Database, sources: Sources, clock: Clock
) -> None:
    assert not has_administrator(kept)
    first = make_administrator(kept, OPERATOR, "root@maxiv", clock=clock)
    assert has_administrator(kept)
    caller = authenticate(first.text, None, sources, clock)
    assert caller.roles == {"administrator"}
    everyday = create_token(kept, caller, name="laptop", scopes=["read"], clock=clock)
    assert authenticate(everyday.text, None, sources, clock).roles == frozenset()
    assert withdraw_role(kept, caller, "root@maxiv", "administrator")
    assert authenticate(first.text, None, sources, clock).roles == frozenset()


def test_roles_are_given_by_administrators_alone(kept: Database, anna: Caller) -> None:
    ingestor = Caller("robot", roles=frozenset({"ingestor"}), scopes=anna.scopes)
    for caller in (anna, ingestor, ANONYMOUS):
        with pytest.raises(ForbiddenError):
            grant_role(kept, caller, "anna", "administrator")
        with pytest.raises(ForbiddenError):
            withdraw_role(kept, caller, "anna", "administrator")
    assert grant_role(kept, OPERATOR, "robot", "ingestor")
    assert not grant_role(kept, OPERATOR, "robot", "ingestor")
    assert list_roles(kept) == [("robot", "ingestor")]


def test_a_refused_wish_keeps_nothing(kept: Database, anna: Caller) -> None:
    with pytest.raises(InvalidRecordError):
        create_token(kept, anna, name="", scopes=["read"])
    with kept.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.api_token)) == 0
