"""Erasing a person: no table and no page of the file has their names, and all else stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hsc.cli.main import app
from hsc.errors import InvalidRecordError, RecordNotFoundError, UnauthenticatedError
from hsc.model import AccessChange, Amendment, Annotation, Edge, Person, Pid, Proposal, Query, now
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql, tables
from hsc_catalog.access import ALL_SCOPES, ANONYMOUS, OPERATOR, Caller
from hsc_catalog.auditing import note, person_of, pseudonym, verify_chain
from hsc_catalog.checking import check_catalog
from hsc_catalog.databases import SqliteDatabase
from hsc_catalog.erasing import Erased, erase_person
from hsc_catalog.faces.scicat.documents import keep
from hsc_catalog.identity.granted_roles import grant_role, list_roles
from hsc_catalog.identity.reviewer_links import create_link, open_link
from hsc_catalog.identity.tokens import TokenSource, create_token
from hsc_catalog.records import Once, Posted

ACCOUNT, NAME = "anna.svensson@accounts.example", "Anna Svensson-Åkerö"
MAIL, ORCID = "anna@mail.example", "0000-0002-1825-0097"
ANNA = Caller(ACCOUNT, groups=frozenset({"maxiv/1"}), scopes=ALL_SCOPES)
LEAD = Caller("lead", leads=frozenset({"maxiv/1"}), scopes=ALL_SCOPES)
STAFF = Caller("staff", staff_of=frozenset({"maxiv/CoSAXS"}), scopes=ALL_SCOPES)
MEMBER = Caller("bo", groups=frozenset({"maxiv/1"}), scopes=ALL_SCOPES)
CALLERS = (OPERATOR, LEAD, STAFF, MEMBER, Caller("eve"), ANONYMOUS)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    """Give an empty catalog."""
    if request.param == "sqlite":
        opened = open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    else:
        opened = open_postgresql(str(request.getfixturevalue("database")))
    with opened:
        yield opened


def fill(catalog: SqlCatalog) -> tuple[str, str]:
    """Name anna everywhere; give the texts of a token and of a link of hers."""
    mine = catalog.seen_by(ANNA)
    person = Person(name=NAME, email=MAIL, orcid=ORCID, role="local contact")
    named = {"people": (person, Person(name="Bo")), "description": f"As {NAME} measured it."}
    raw = example_dataset(proposal="1", instrument="CoSAXS", title=f"For {NAME}")
    raw, activity = raw.model_copy(update=named), example_activity()
    agent = Edge(
        subject=f"activity:{activity.id}", predicate="was_associated_with", object=f"agent:{ORCID}"
    )
    edges = [*generated(raw, activity, ["blake3:aa"]), agent]
    mine.post([Posted(raw, activity, edges)], Once("key", "sha256:0", json.dumps(NAME)))
    mine.annotate(raw.pid, Annotation(kind="note", text=f"Ask {NAME}, {MAIL}."))
    mine.amend(raw.pid, Amendment(title="Lysozyme", reason=f"{NAME} said so."))
    made, activity = example_dataset(proposal=None), example_activity(type="reduce")
    mine.register(made, activity, generated(made, activity, [f"{raw.pid}@1"]))
    mine.record(example_activity())
    catalog.change_access(raw.pid, AccessChange(add_groups=("friends",), reason=f"for {NAME}"))
    catalog.keep(Proposal(facility="maxiv", number="1", title="-", members=(person,)))
    catalog.keep(Proposal(facility="maxiv", number="1", title="+", members=(person,)))
    token = create_token(catalog.database, ANNA, name=f"laptop of {NAME}", scopes=["read"])
    link = create_link(catalog.database, ANNA, [raw.pid], note=f"{NAME} asks you")
    grant_role(catalog.database, OPERATOR, ACCOUNT, "ingestor")
    with catalog.database.writing() as connection:
        pseudonym(connection, ACCOUNT, name=NAME, address=MAIL)
        posted, about = {"owner": NAME, "contactEmail": MAIL}, str(raw.pid)
        kept = keep(connection, "attachment", "a1", posted, by=ACCOUNT, at=now(), pid=about)
        note(connection, ACCOUNT, [kept])
    return token.text, link.text


def seen(catalog: SqlCatalog, caller: Caller) -> set[Pid]:
    return {each.pid for each in catalog.seen_by(caller).search(Query(limit=100)).datasets}


def erased(catalog: SqlCatalog, *others: str) -> Erased:
    with catalog.database.writing() as connection:
        return erase_person(connection, OPERATOR.actor, ACCOUNT, list(others))


def test_nothing_names_them_any_more_and_everybody_else_sees_what_they_saw(
    catalog: SqlCatalog,
) -> None:
    token, link = fill(catalog)
    before = [seen(catalog, caller) for caller in CALLERS]
    done = erased(catalog, ORCID)
    for table in tables.metadata.sorted_tables:
        with catalog.database.reading() as connection:
            rows = repr(connection.execute(table.select()).all())
        for word in (ACCOUNT, NAME, "Svensson", json.dumps(NAME)[1:-1], MAIL, ORCID):
            assert word not in rows, (table.name, word)
    assert [seen(catalog, caller) for caller in CALLERS] == before
    assert catalog.search("svensson").total == 0
    assert catalog.search("lysozyme").total == 2
    with catalog.database.reading() as connection:
        verify_chain(connection)
        assert person_of(connection, done.agent) is None
        assert check_catalog(connection).faults == []
    assert done.revoked == {"tokens": 1, "links": 1, "roles": 1}
    assert list_roles(catalog.database) == []
    with pytest.raises(UnauthenticatedError, match="withdrawn"):
        TokenSource(catalog.database).sign_in(token, now())
    with pytest.raises(UnauthenticatedError, match="does not count"):
        open_link(catalog.database, link, now())
    assert seen(catalog, Caller(ACCOUNT, scopes=ALL_SCOPES)) == set()
    with pytest.raises(RecordNotFoundError):
        erased(catalog)


def test_no_page_of_the_file_names_them_any_more(tmp_path: Path) -> None:
    file, copy = tmp_path / "catalog.sqlite", tmp_path / "copy.sqlite"
    with open_catalog(f"sqlite:///{file}") as catalog:
        fill(catalog)
        assert isinstance(catalog.database, SqliteDatabase)
        catalog.database.back_up(copy)
    url = f"sqlite:///{file}"
    words = ["catalog", "erase", ACCOUNT, "--also", ORCID, "--catalog", url, "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["backups"] == [str(copy)]
    assert told["left"] is None
    spelled = [ACCOUNT, NAME, "svensson", "Svensson", json.dumps(NAME)[1:-1], MAIL, ORCID]
    assert all(word.encode() in copy.read_bytes() for word in spelled)
    for each in tmp_path.glob("catalog.sqlite*"):
        content = each.read_bytes()
        assert [word for word in spelled if word.encode() in content] == [], each.name


def test_a_word_that_a_record_cannot_be_without_is_refused_and_nothing_is_done(
    catalog: SqlCatalog,
) -> None:
    fill(catalog)
    with pytest.raises(InvalidRecordError, match="no record"):
        erased(catalog, "raw")
    with catalog.database.reading() as connection:
        assert check_catalog(connection).faults == []
    assert seen(catalog, ANNA)
