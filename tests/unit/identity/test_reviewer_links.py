"""Reviewer links: some datasets, to read, for a while, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from unit.identity.conftest import Clock

from hsc.errors import (
    ForbiddenError,
    InvalidRecordError,
    TokenNotFoundError,
    UnauthenticatedError,
)
from hsc.model import Pid, canonical_json
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog import SqlCatalog
from hsc_catalog.access import ANONYMOUS, OPERATOR, Caller
from hsc_catalog.auditing import digest_of, verify_chain
from hsc_catalog.databases import Database
from hsc_catalog.identity import (
    GrantedRoles,
    IssuedLink,
    Sources,
    TokenSource,
    authenticate,
    create_link,
    create_token,
    list_links,
    revoke_link,
)
from hsc_catalog.identity.secret_texts import SecretText

ONE, OTHER = Pid.generate("hsc.maxiv"), Pid.generate("hsc.maxiv")


@pytest.fixture
def sources(kept: Database) -> Sources:
    return Sources(kept, bearers=(TokenSource(kept),), groups=(GrantedRoles(kept),))


@pytest.fixture
def issued(kept: Database, anna: Caller, clock: Clock) -> IssuedLink:
    return create_link(kept, anna, [ONE.at(2), ONE], note="for referee 2", clock=clock)


def test_a_link_opens_its_datasets_to_read_and_nothing_else(
    sources: Sources, issued: IssuedLink, clock: Clock
) -> None:
    caller = authenticate(None, issued.text, sources, clock)
    assert caller == Caller(datasets=frozenset({ONE}))
    assert caller.scopes == {"read"}


def test_a_link_is_added_to_whoever_is_signed_in(
    kept: Database, sources: Sources, issued: IssuedLink, anna: Caller, clock: Clock
) -> None:
    token = create_token(kept, anna, name="t", scopes=["ingest"], clock=clock)
    caller = authenticate(token.text, issued.text, sources, clock)
    assert caller.subject == "anna"
    assert caller.datasets == {ONE}


def test_a_link_is_no_token_and_a_token_no_link(
    kept: Database, sources: Sources, issued: IssuedLink, anna: Caller, clock: Clock
) -> None:
    token = create_token(kept, anna, name="t", scopes=["read"], clock=clock)
    with pytest.raises(UnauthenticatedError):
        authenticate(issued.text, None, sources, clock)
    with pytest.raises(UnauthenticatedError):
        authenticate(None, token.text, sources, clock)


def test_a_link_that_is_unknown_withdrawn_or_late_opens_nothing(
    kept: Database, sources: Sources, issued: IssuedLink, anna: Caller, clock: Clock
) -> None:
    forged = SecretText("hscr", issued.link.id, SecretText.new("hscr").secret)
    for text in (forged.reveal(), SecretText.new("hscr").reveal(), "", "hscr_"):
        with pytest.raises(UnauthenticatedError):
            authenticate(None, text, sources, clock)
    clock.go_on(days=90)
    with pytest.raises(UnauthenticatedError):
        authenticate(None, issued.text, sources, clock)
    clock.go_on(days=-1)
    authenticate(None, issued.text, sources, clock)
    revoke_link(kept, anna, ONE, issued.link.id, clock=clock)
    with pytest.raises(UnauthenticatedError):
        authenticate(None, issued.text, sources, clock)


def test_links_are_listed_by_dataset_without_their_secret(
    kept: Database, issued: IssuedLink
) -> None:
    (link,) = list_links(kept, ONE.at(1))
    assert link == issued.link
    assert list_links(kept, OTHER) == []
    secret = issued.text[-43:]
    assert secret not in f"{link!r} {link.document()} {issued!r}"


def test_a_links_other_datasets_are_told_to_those_alone_who_see_them(
    kept: Database, anna: Caller
) -> None:
    seen, hidden = example_dataset(), example_dataset()
    with SqlCatalog(kept) as catalog:
        for each in (seen, hidden):
            catalog.register(each, example_activity(), [])
        made = create_link(kept, anna, [seen.pid, hidden.pid])
        stranger = Caller("bertil", scopes=anna.scopes)
        for caller, told in ((stranger, 1), (ANONYMOUS, 1), (OPERATOR, 2)):
            (link,) = list_links(kept, seen.pid, caller)
            assert len(link.pids) == told
            assert seen.pid in link.pids
        gone = revoke_link(kept, stranger, seen.pid, made.link.id)
        assert gone.pids == (seen.pid,)


def test_a_link_is_withdrawn_by_way_of_its_datasets_alone(
    kept: Database, issued: IssuedLink, anna: Caller
) -> None:
    with pytest.raises(TokenNotFoundError):
        revoke_link(kept, anna, OTHER, issued.link.id)
    with pytest.raises(TokenNotFoundError):
        revoke_link(kept, anna, ONE, "nix")
    with pytest.raises(ForbiddenError):
        revoke_link(kept, ANONYMOUS, ONE, issued.link.id)


def test_who_may_not_share_makes_no_link(kept: Database) -> None:
    for caller in (ANONYMOUS, Caller("anna", scopes=frozenset({"read", "write"}))):
        with pytest.raises(ForbiddenError):
            create_link(kept, caller, [ONE])


@pytest.mark.parametrize(
    ("pids", "lasts", "note", "where"),
    [
        ([], 90, "", "/pids"),
        ([ONE], 366, "", "/expires"),
        ([ONE], -1, "", "/expires"),
        ([ONE], 90, "x" * 501, "/note"),
    ],
)
def test_a_wrong_wish_names_its_field(
    kept: Database, anna: Caller, pids: list[Pid], lasts: int, note: str, where: str
) -> None:
    with pytest.raises(InvalidRecordError) as error:
        create_link(kept, anna, pids, note=note, lasts=timedelta(days=lasts))
    assert error.value.where == where


def test_every_change_is_in_the_audit_log_by_pseudonym(
    kept: Database, issued: IssuedLink, anna: Caller, clock: Clock
) -> None:
    create_token(kept, anna, name="t", scopes=["read"], clock=clock)
    revoke_link(kept, anna, ONE, issued.link.id, clock=clock)
    with kept.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM audit").all()
        assert verify_chain(connection).number == len(rows) == 3
    assert "anna" not in repr(rows)
    # Nor as a digest that whoever guesses a name could compare.
    named = digest_of(canonical_json(issued.link.document()).decode())
    assert named is not None
    assert named not in repr(rows)
    assert issued.link.id in repr(rows)
