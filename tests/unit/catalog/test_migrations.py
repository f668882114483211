"""Catalogs of older releases are upgraded, and stand then as new ones do."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from servers.postgresql import Postgresql
from sqlalchemy import Connection, inspect

from hsc.client import connect
from hsc.errors import CatalogOutdatedError
from hsc.model import Pid, Query
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql, tables
from hsc_catalog.access import ANONYMOUS
from hsc_catalog.auditing import verify_chain
from hsc_catalog.checking import check_catalog

GOLDEN = Path(__file__).parents[2] / "golden" / "catalogs"
RAW = Pid.parse("hsc.maxiv/01JG0000000000000000000001")
DERIVED = Pid.parse("hsc.maxiv/01JG0000000000000000000002")
PUBLIC = Pid.parse("hsc.maxiv/01JG0000000000000000000003")


def older_file(folder: Path, version: int) -> Path:
    file = folder / "catalog.sqlite"
    file.write_bytes(gzip.decompress((GOLDEN / f"schema-{version}.sqlite.gz").read_bytes()))
    return file


def fill_older(server: Postgresql, url: str, version: int) -> None:
    statements = (GOLDEN / f"schema-{version}.postgresql.sql").read_text(encoding="utf-8")
    server.ask(statements, url.rpartition("/")[2])


@contextmanager
def upgraded(request: pytest.FixtureRequest, folder: Path, kind: str) -> Iterator[SqlCatalog]:
    dialect, version = kind.split()
    if dialect == "sqlite":
        with open_catalog(f"sqlite:///{older_file(folder, int(version))}") as catalog:
            yield catalog
        return
    url = str(request.getfixturevalue("database"))
    fill_older(request.getfixturevalue("postgresql"), url, int(version))
    with open_postgresql(url, upgraded=True) as catalog:
        yield catalog


KINDS = [
    "sqlite 1",
    "sqlite 2",
    pytest.param("postgresql 1", marks=pytest.mark.postgresql),
    pytest.param("postgresql 2", marks=pytest.mark.postgresql),
]


@pytest.fixture(params=KINDS)
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    """Give a catalog of an older release, upgraded."""
    with upgraded(request, tmp_path, request.param) as catalog:
        yield catalog


def described(connection: Connection) -> dict[str, object]:
    """Give all that a schema says, in an order that does not depend on how it came about."""
    found = inspect(connection)
    facts: dict[str, object] = {}
    for name in sorted(found.get_table_names()):
        columns = [
            (c["name"], str(c["type"]), c["nullable"], c["default"])
            for c in found.get_columns(name)
        ]
        facts[name] = {
            "columns": sorted(map(str, columns)),
            "indexes": sorted(map(str, found.get_indexes(name))),
            "unique": sorted(
                str(sorted(u["column_names"])) for u in found.get_unique_constraints(name)
            ),
            "key": sorted(found.get_pk_constraint(name)["constrained_columns"]),
            "references": sorted(
                f"{f['constrained_columns']} {f['referred_table']}"
                for f in found.get_foreign_keys(name)
            ),
        }
    facts["triggers"] = triggers(connection)
    return facts


def triggers(connection: Connection) -> list[str]:
    statement = (
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        if tables.is_postgresql(connection)
        else "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
    )
    return sorted(str(row[0]) for row in connection.exec_driver_sql(statement))


def missing_steps(connection: Connection) -> str:
    """Give the operations that would still make the tables those of the metadata."""

    def is_ours(name: str | None, kind: str, _: object) -> bool:
        return not (kind == "table" and (name or "").startswith("dataset_words"))

    context = MigrationContext.configure(connection, opts={"include_name": is_ours})
    steps = produce_migrations(context, tables.metadata).upgrade_ops
    assert steps is not None
    return "" if steps.is_empty() else render_python_code(steps)


def test_an_upgraded_catalog_has_the_tables_of_a_new_one(
    catalog: SqlCatalog, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with catalog.database.reading() as connection:
        older = described(connection)
        steps = missing_steps(connection)
    if catalog.url.startswith("sqlite"):
        new = open_catalog(f"sqlite:///{tmp_path}/new.sqlite")
    else:
        server = request.getfixturevalue("postgresql")
        new = open_postgresql(server.url(server.make_database()))
    with new, new.database.reading() as connection:
        assert older == described(connection)
    # Whoever adds a table or a column adds the step to it: in tables/migrations, like this.
    assert not steps, steps


def test_an_upgraded_catalog_holds_what_it_held(catalog: SqlCatalog) -> None:
    assert catalog.search(Query(limit=10)).total == 4
    assert catalog.get(RAW).version == 2
    assert catalog.get(RAW.at(1)).quantities["photon_energy"].unit == "keV"
    walked = catalog.lineage(DERIVED, up=True, down=False, depth=9)
    assert {node.id for node in walked.nodes} >= {f"{RAW}@2", "blake3:dd"}
    assert catalog.search("lysozyme", where="photon_energy > 12 keV", technique="SAXS").total == 2
    assert catalog.facets().counts["facility"] == {"maxiv": 3, "desy": 1}
    failed = [each.state for each in catalog.activities()]
    assert failed.count("failed") == 1
    with catalog.database.reading() as connection:
        assert verify_chain(connection).number > 5 + len(failed)
        assert check_catalog(connection).faults == []


def test_an_upgraded_catalog_hides_by_the_rules_of_now(catalog: SqlCatalog) -> None:
    nobody = catalog.seen_by(ANONYMOUS)
    assert [each.pid for each in nobody.search().datasets] == [PUBLIC]
    assert nobody.facets().total == 1
    with catalog.database.reading() as connection:
        row, access = tables.dataset.c, tables.access_set.c
        found = connection.execute(
            tables.dataset.join(tables.access_set)
            .select()
            .with_only_columns(row.pid, row.flagged, access.visibility)
        )
        stands = {pid: (visibility, bool(flagged)) for pid, flagged, visibility in found}
    assert stands[str(RAW)] == ("group", False)
    assert stands[str(DERIVED)] == ("private", True)
    assert stands[str(PUBLIC)] == ("public", False)


def test_a_copy_of_the_older_file_stays_beside_it(tmp_path: Path) -> None:
    file = older_file(tmp_path, 2)
    open_catalog(f"sqlite:///{file}").close()
    copy = tmp_path / "catalog.sqlite.schema-2"
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(2,)]
        assert connection.execute("SELECT count(*) FROM dataset").fetchall() == [(5,)]
    before = copy.stat().st_mtime_ns
    open_catalog(f"sqlite:///{file}").close()
    assert copy.stat().st_mtime_ns == before
    assert not list(tmp_path.glob("*.part"))


def test_several_at_once_upgrade_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{older_file(tmp_path, 1)}"
    with ThreadPoolExecutor(4) as threads:
        totals = list(threads.map(lambda _: total_of(url), range(4)))
    assert totals == [4] * 4


def total_of(url: str) -> int:
    with connect(url) as catalog:
        return catalog.search(Query(limit=0)).total


@pytest.mark.postgresql
def test_an_older_database_on_a_server_is_left_alone_and_named(
    postgresql: Postgresql, database: str
) -> None:
    fill_older(postgresql, database, 2)
    for _ in range(2):
        with pytest.raises(CatalogOutdatedError, match=r"version 2(.|\n)*hsc catalog upgrade"):
            connect(database)


def test_alembic_is_not_loaded_where_nothing_is_to_be_upgraded(tmp_path: Path) -> None:
    code = (
        "import sys; from hsc_catalog import open_catalog\n"
        f"for _ in range(2): open_catalog('sqlite:///{tmp_path}/new.sqlite').close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
