"""The predicate on rows of both databases: who sees what, to the microsecond."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from hsc.testing.contracts import NOON
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql, tables
from hsc_catalog.access import ANONYMOUS, OPERATOR, Caller, visible_sets

BEFORE, AFTER = NOON - timedelta(microseconds=1), NOON + timedelta(microseconds=1)

SETS = {
    1: ("public", "open", None, []),
    2: ("public", "open", tables.microseconds(NOON), [{"maxiv/1"}]),
    3: ("public", "proprietary", None, [{"maxiv/1"}]),
    4: ("group", "open", tables.microseconds(BEFORE), [{"maxiv/1", "user:anna"}]),
    5: ("group", "open", None, [{"maxiv/1"}, {"maxiv/2", "user:anna"}]),
    6: ("private", "open", None, [set()]),
    7: ("public", "human", tables.microseconds(BEFORE), [{"staff:maxiv/CoSAXS"}, {"maxiv/1"}]),
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    catalog: SqlCatalog
    if request.param == "postgresql":
        catalog = open_postgresql(request.getfixturevalue("database"))
    else:
        catalog = open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    with catalog, catalog.database.writing() as connection:
        for number, (visibility, access_class, embargo, clauses) in SETS.items():
            row = {
                "id": number,
                "digest": str(number),
                "visibility": visibility,
                "access_class": access_class,
                "embargo": embargo,
                "clauses": max(len(clauses), 1),
            }
            connection.execute(insert(tables.access_set), row)
            for clause, names in enumerate(clauses):
                for name in names:
                    key = {"access": number, "clause": clause, "name": name}
                    connection.execute(insert(tables.access_key), key)
        yield connection


SEEN = [
    (ANONYMOUS, {1}, {1, 2}),
    (Caller("eve", frozenset({"maxiv/3", "user:anna", "staff:maxiv/CoSAXS"})), {1}, {1, 2}),
    (Caller("anna"), {1, 4}, {1, 2, 4}),
    (Caller("bob", frozenset({"maxiv/1"})), {1, 2, 3, 4}, {1, 2, 3, 4}),
    (Caller("anna", frozenset({"maxiv/1"})), {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}),
    (Caller("bob", leads=frozenset({"maxiv/1"})), {1, 2, 3, 4}, {1, 2, 3, 4}),
    (Caller("eve", staff_of=frozenset({"maxiv/CoSAXS"})), {1}, {1, 2}),
    (
        Caller("bob", frozenset({"maxiv/1"}), staff_of=frozenset({"maxiv/CoSAXS"})),
        {1, 2, 3, 4, 7},
        {1, 2, 3, 4, 7},
    ),
]


def test_a_set_is_seen_by_who_has_a_key_of_every_clause_or_when_it_is_free(
    connection: Connection,
) -> None:
    for caller, before, after in SEEN:
        for now, expected in ((BEFORE, before), (NOON, after), (AFTER, after)):
            wanted = visible_sets(caller, now)
            assert wanted is not None
            assert set(connection.scalars(wanted)) == expected
            sets = select(tables.access_set.c.id).where(tables.access_set.c.id.in_(wanted))
            assert set(connection.scalars(sets)) == expected


def test_to_operators_and_administrators_no_set_is_hidden() -> None:
    assert visible_sets(OPERATOR, NOON) is None
    assert visible_sets(Caller("root", roles=frozenset({"administrator"})), NOON) is None
    assert visible_sets(Caller("robot", roles=frozenset({"ingestor"})), NOON) is not None
