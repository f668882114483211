"""The audit log: every change is in it, nothing of it changes, and nobody's name is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hsc.errors import CatalogDamagedError, CatalogUnavailableError, ConflictError
from hsc.model import AccessChange, Amendment, Annotation, Proposal
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc.testing.replicas import example_replica
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql
from hsc_catalog.access import ALL_SCOPES, Caller
from hsc_catalog.auditing import Head, head, verify_chain
from hsc_catalog.checking import check_catalog

ANNA = Caller("anna@example.org", roles=frozenset({"administrator"}), scopes=ALL_SCOPES)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    """Give an empty catalog, as anna sees it."""
    if request.param == "sqlite":
        opened = open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    else:
        opened = open_postgresql(str(request.getfixturevalue("database")))
    with opened:
        yield opened.seen_by(ANNA)


def newest(catalog: SqlCatalog) -> Head:
    with catalog.database.reading() as connection:
        return head(connection)


def change_everything(catalog: SqlCatalog) -> list[str]:
    """Call each method that changes something once; give the methods that noted nothing."""
    dataset, activity = example_dataset(), example_activity()
    change = AccessChange(visibility="public", reason="Published.")
    noun = Proposal(facility="maxiv", number="20260123")
    silent, before = [], newest(catalog).number
    for name, call in {
        "register": lambda: catalog.register(dataset, activity, generated(dataset, activity, [])),
        "record": lambda: catalog.record(example_activity()),
        "replica": lambda: catalog.register_replica(
            dataset.pid, example_replica(), example_activity()
        ),
        "keep": lambda: catalog.keep(noun),
        "amend": lambda: catalog.amend(dataset.pid, Amendment(sample="Salt", reason="It was.")),
        "annotate": lambda: catalog.annotate(dataset.pid, Annotation(kind="note", text="Hm.")),
        "access": lambda: catalog.change_access(dataset.pid, change),
    }.items():
        call()
        after = newest(catalog).number
        silent += [] if after > before else [name]
        before = after
    return silent


def test_every_method_that_changes_something_is_in_the_log(catalog: SqlCatalog) -> None:
    assert change_everything(catalog) == []
    with catalog.database.reading() as connection:
        assert verify_chain(connection) == head(connection)
        assert check_catalog(connection).faults == []


def test_what_changes_nothing_is_not_in_the_log(catalog: SqlCatalog) -> None:
    dataset, activity = example_dataset(), example_activity()
    edges = generated(dataset, activity, ["blake3:aa"])
    catalog.register(dataset, activity, edges)
    before = newest(catalog)
    catalog.register(dataset, activity, edges)
    catalog.record(activity)
    with pytest.raises(ConflictError):
        catalog.register(dataset.model_copy(update={"root": "blake3:ff"}), activity, edges)
    assert newest(catalog) == before


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_log(catalog: SqlCatalog, change: str) -> None:
    catalog.record(example_activity())
    before = newest(catalog)
    with (
        pytest.raises(CatalogUnavailableError, match="append-only"),
        catalog.database.writing() as connection,
    ):
        connection.exec_driver_sql(change)
    assert newest(catalog) == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET actor = 'agent:eve' WHERE number = 2",
        "UPDATE audit SET after = NULL WHERE number = 2",
        "UPDATE audit SET at = at + 1 WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit WHERE number = 4",
    ],
)
def test_whoever_changes_the_log_behind_the_catalog_is_found_out(
    tmp_path: Path, change: str
) -> None:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        for _ in range(4):
            catalog.record(example_activity())
        noted = newest(catalog).digest
        with catalog.database.writing() as connection:
            for trigger in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER audit_no_{trigger}")
            connection.exec_driver_sql(change)
        with (
            catalog.database.reading() as connection,
            pytest.raises(CatalogDamagedError, match="audit log"),
        ):
            verify_chain(connection, noted)


def test_a_document_that_was_changed_behind_the_catalog_is_named(tmp_path: Path) -> None:
    dataset = example_dataset()
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        catalog.register(dataset, example_activity(), [])
        with catalog.database.writing() as connection:
            connection.exec_driver_sql(
                "UPDATE dataset_document SET json = replace(json, 'HEWL', 'Salt')"
            )
        with catalog.database.reading() as connection:
            faults = check_catalog(connection).faults
    assert f"dataset {dataset.pid}@1 is not as the audit log has it" in faults
