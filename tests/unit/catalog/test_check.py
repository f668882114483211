"""Checking a catalog: whatever is changed behind its back, in whichever table, is told by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from servers.postgresql import Postgresql
from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)

from hsc.model import (
    AccessChange,
    ActivityState,
    Amendment,
    Annotation,
    Facility,
    Instrument,
    Person,
    Proposal,
    Publication,
    Quantity,
    Sample,
)
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc.testing.replicas import example_replica
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql, tables
from hsc_catalog.access import ALL_SCOPES, OPERATOR, Caller
from hsc_catalog.auditing import note
from hsc_catalog.checking import check_catalog
from hsc_catalog.faces.scicat.documents import keep
from hsc_catalog.identity.granted_roles import grant_role
from hsc_catalog.identity.reviewer_links import create_link
from hsc_catalog.identity.tokens import create_token
from hsc_catalog.records import Once, Posted
from hsc_catalog.searching import reindex

ANNA = Caller("anna", roles=frozenset({"administrator"}), scopes=ALL_SCOPES)

UNTOLD = {
    ("dataset", "registered"): "the log has a moment of its own for it",
    ("dataset", "revision"): "says how often others changed it, to those who change it now",
    ("dataset", "updated"): "the log has a moment of its own for each change",
    ("activity", "instrument"): "told where an edge says what it made; this one made nothing",
    ("activity", "revision"): "names the next document in the history; the log has them all",
    ("history", "at"): "the log has a moment of its own for each change",
    ("history", "revision"): "the documents are compared whichever number they go by",
    ("noun", "revision"): "as of a dataset",
    ("noun", "updated"): "as of a dataset",
    ("api_token", "used"): "noted every hour that a token is used, and no change",
    ("person", "name"): "kept outside the log, to be forgotten",
    ("person", "address"): "kept outside the log, to be forgotten",
    ("person", "erased"): "kept outside the log, to be forgotten",
    ("idempotency", "*"): "answers for those who ask again, for a week; no right hangs on them",
    ("annotation", "id"): "a row's number; what was said is compared",
    ("edge", "id"): "a row's number; what is stated is compared",
    ("replica", "id"): "a row's number; what it says is compared",
    ("foreign_document", "id"): "a row's number; what was posted is compared",
    ("person", "+"): "a pseudonym that the log does not know did nothing",
    ("proposal_number", "+"): "a number that no dataset has is found by nobody",
    ("listing_state", "id"): "the number of its one row",
    ("measure", "+"): "a name that no number has is found by nobody",
}
"""What a check does not tell, and why: by table and column; "+": a row put in, "*": all of it."""


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], scope="module"
)
def catalog(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SqlCatalog]:
    """Give a catalog that has rows in each table; one for all tests, each undoes what it does."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            file = tmp_path_factory.mktemp("checked") / "catalog.sqlite"
            opened = stack.enter_context(open_catalog(f"sqlite:///{file}"))
        else:
            server: Postgresql = request.getfixturevalue("postgresql")
            name = server.make_database()
            stack.callback(server.drop_database, name)
            opened = stack.enter_context(open_postgresql(server.url(name)))
        fill(opened.seen_by(ANNA))
        yield opened


def fill(catalog: SqlCatalog) -> None:
    first, activity = example_dataset(proposal="20260123"), example_activity()
    energy = {"photon_energy": Quantity(value=12.4, unit="keV")}
    first = first.model_copy(update={"keywords": ("protein",), "quantities": energy})
    catalog.register(first, activity, generated(first, activity, ["blake3:aa"]))
    with catalog.database.writing() as connection:
        reindex(connection)
    made, activity = example_dataset(title="I(q)"), example_activity(type="reduce")
    made = made.model_copy(update={"quantities": energy})
    edges = generated(made, activity, [f"{first.pid}@1"])
    catalog.post([Posted(made, activity, edges)], Once("key", "sha256:0", "{}"))
    catalog.record(activity.model_copy(update={"state": ActivityState.FAILED}))
    # While it runs, members of the proposal that it names see it; then who sees what came of it.
    told = {"facility": "maxiv", "instrument": "CoSAXS", "proposal": "20260123"}
    running = example_activity().model_copy(update={**told, "state": ActivityState.RUNNING})
    catalog.record(running)
    catalog.record(running.model_copy(update={"id": "01M828F5SZDSW23CKSCVPTBAAR"}))
    catalog.record(running.model_copy(update={"state": ActivityState.DONE}))
    catalog.register_replica(first.pid, example_replica(), example_activity())
    catalog.annotate(first.pid, Annotation(kind="note", text="Hm."))
    catalog.amend(first.pid, Amendment(sample="Salt", reason="It was."))
    until = datetime(2100, 1, 1, tzinfo=UTC)
    catalog.change_access(
        first.pid, AccessChange(visibility="public", embargo_until=until, reason="A paper.")
    )
    for noun in (
        Facility(id="maxiv", name="MAX IV", pid_prefix="hsc.maxiv", time_zone="Europe/Stockholm"),
        Instrument(facility="maxiv", name="CoSAXS"),
        Proposal(facility="maxiv", number="20260123", title="A title"),
        Sample(facility="maxiv", id="s1", name="Salt", proposal="20260123"),
        Publication(id="p1", title="A paper", creators=(Person(name="Anna"),)),
    ):
        catalog.keep(noun)
    create_token(catalog.database, OPERATOR, name="laptop", scopes=["read"], subject="anna")
    create_link(catalog.database, ANNA, [first.pid])
    grant_role(catalog.database, OPERATOR, "anna", "ingestor")
    with catalog.database.writing() as connection:
        kept = keep(connection, "dataset", str(made.pid), {"a": 1}, by="anna", at=until)
        note(connection, "anna", [kept])


class UndoneError(Exception):
    """Ends a transaction without keeping it."""


def faults_after(catalog: SqlCatalog, change: Any, *values: Any) -> list[str]:
    """Give what a check tells of a change, which is undone again."""
    told: list[str] = []
    with suppress(UndoneError), catalog.database.writing() as connection:
        if tables.is_postgresql(connection):
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        else:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for trigger in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER audit_no_{trigger}")
        connection.execute(change, *values)
        told = check_catalog(connection).faults
        raise UndoneError
    return told


def other(column: Column[Any], value: Any) -> Any:
    kind = column.type.python_type if not isinstance(column.type, LargeBinary) else bytes
    if kind is bool:
        return not value
    if kind is bytes:
        return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1])
    if kind in (int, float):
        return (value or 0) + 1000
    if column.name == "json":
        return value + " "
    return f"{value or ''}x"


def one_row(connection: Connection, table: Table) -> Any:
    key = list(table.primary_key) or list(table.c)
    return connection.execute(select(table).order_by(*key).limit(1)).one()._mapping


def here(table: Table, row: Any) -> Any:
    return and_(*(each == row[each.name] for each in list(table.primary_key) or table.c))


def test_nothing_is_wrong_with_what_nobody_touched(catalog: SqlCatalog) -> None:
    with catalog.database.reading() as connection:
        assert check_catalog(connection).faults == []
        empty = [
            table.name
            for table in tables.metadata.sorted_tables
            if connection.execute(select(table).limit(1)).first() is None
        ]
    assert empty == []


def test_whatever_is_changed_in_any_table_is_told(catalog: SqlCatalog) -> None:
    silent, looked_at = [], set()
    for table in tables.metadata.sorted_tables:
        with catalog.database.reading() as connection:
            row = one_row(connection, table)
        # In PostgreSQL, where each takes longer, one column of each table.
        for column in list(table.c) if catalog.url.startswith("sqlite") else list(table.c)[-1:]:
            looked_at.add((table.name, column.name))
            value = other(column, row[column.name])
            change = update(table).where(here(table, row)).values({column.name: value})
            if not faults_after(catalog, change):
                silent.append((table.name, column.name))
    expected = {name for name in UNTOLD if name in looked_at}
    whole = {name for name, what in UNTOLD if what == "*"}
    assert {name for name in silent if name[0] not in whole} == expected


def test_an_activity_that_is_shown_to_others_is_told(catalog: SqlCatalog) -> None:
    row, access = tables.activity.c, tables.dataset.c.access
    with catalog.database.reading() as connection:
        other_set = connection.scalar(select(access).where(access.is_not(None)).limit(1))
    for shown in (row.access.is_(None), row.access.is_not(None)):
        change = update(tables.activity).where(shown).values(access=other_set)
        assert any("activity access" in fault for fault in faults_after(catalog, change))


def test_whatever_is_taken_out_of_any_table_is_told(catalog: SqlCatalog) -> None:
    silent = []
    for table in tables.metadata.sorted_tables:
        with catalog.database.reading() as connection:
            row = one_row(connection, table)
        if not faults_after(catalog, delete(table).where(here(table, row))):
            silent.append(table.name)
    assert set(silent) == {name for name, what in UNTOLD if what in "-*"}


def test_whatever_is_put_into_any_table_is_told(catalog: SqlCatalog) -> None:
    silent = []
    for table in tables.metadata.sorted_tables:
        with catalog.database.reading() as connection:
            row = dict(one_row(connection, table))
        unique = {
            column.name for each in table.constraints for column in getattr(each, "columns", ())
        }
        unique |= {each.name for each in table.c if each.unique}
        for name in unique or set(row):
            column = table.c[name]
            if not column.foreign_keys or len(unique) == 1:
                row[name] = other(column, row[name])
        if not faults_after(catalog, insert(table), row):
            silent.append(table.name)
    assert set(silent) == {name for name, what in UNTOLD if what in "+*"}
