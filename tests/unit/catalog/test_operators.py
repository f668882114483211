"""What an operator does with a catalog: check, back up, restore, export, import, erase, upgrade."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hsc.cli.main import app
from hsc.errors import CatalogUnavailableError, ConfigurationError, ConflictError, HscError
from hsc.model import AccessChange, Instrument, Query
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc.testing.replicas import example_replica
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql
from hsc_catalog.checking import check_catalog
from hsc_catalog.faces.importing import import_lines
from hsc_catalog.records import Posted, export_lines
from hsc_catalog.sql import open_sql

GOLDEN = Path(__file__).parents[2] / "golden" / "catalogs"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    """Give an empty catalog."""
    if request.param == "sqlite":
        opened = open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    else:
        opened = open_postgresql(str(request.getfixturevalue("database")))
    with opened:
        yield opened


def fill(catalog: SqlCatalog) -> None:
    raw, activity = example_dataset(), example_activity()
    catalog.register(raw, activity, generated(raw, activity, ["blake3:aa"]))
    made, activity = example_dataset(title="I(q)"), example_activity(type="reduce")
    text = json.dumps(made.document(), indent=2)
    edges = generated(made, activity, [f"{raw.pid}@1"])
    catalog.post([Posted(made, activity, edges, text)])
    catalog.register_replica(raw.pid, example_replica(), example_activity())
    catalog.keep(Instrument(facility="maxiv", name="CoSAXS"))
    catalog.record(example_activity(state="failed"))


def exported(catalog: SqlCatalog) -> list[str]:
    with catalog.database.reading() as connection:
        return list(export_lines(connection, catalog.sight()))


def run(*words: str, code: int = 0) -> dict[str, object]:
    done = CliRunner().invoke(app, ["catalog", *words, "--json"])
    if isinstance(done.exception, HscError):
        raise done.exception
    assert done.exit_code == code, done.output
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_what_was_exported_is_imported_whole(catalog: SqlCatalog, tmp_path: Path) -> None:
    fill(catalog)
    lines = exported(catalog)
    with open_catalog(f"sqlite:///{tmp_path}/other.sqlite") as other:
        done = import_lines(other, (line.encode() for line in lines), at_once=2)
        assert (done.kept, done.wrong) == (len(lines), 0)
        assert sorted(exported(other)) == sorted(lines)
        for dataset in catalog.search(Query()).datasets:
            assert other.version(dataset.pid).text == catalog.version(dataset.pid).text
            ours = catalog.lineage(dataset.pid, up=True, down=True, depth=9)
            theirs = other.lineage(dataset.pid, up=True, down=True, depth=9)
            assert set(ours.edges) == set(theirs.edges)
        again = import_lines(other, (line.encode() for line in lines))
        assert (again.kept, again.wrong) == (len(lines), 0)
        assert sorted(exported(other)) == sorted(lines)
        with other.database.reading() as connection:
            assert check_catalog(connection).faults == []


def test_a_wrong_line_is_named_and_keeps_none_of_the_others_back(catalog: SqlCatalog) -> None:
    items = [
        {"dataset": example_dataset().document(), "activity": example_activity().document()}
        for _ in range(3)
    ]
    taken = {**items[0], "dataset": {**items[0]["dataset"], "root": "blake3:ff"}}
    lines = [
        json.dumps(items[0]), "", "{", '"text"', '{"dataset": {"title": 1}}', json.dumps(taken),
        json.dumps(items[1]), '{"noun": {}, "kind": "house"}', json.dumps(items[2]),
    ]  # fmt: skip
    done = import_lines(catalog, (line.encode() for line in lines))
    assert done.kept == 3
    assert [number for number, _ in done.refused] == [3, 4, 5, 8, 6]
    assert catalog.search(Query(limit=0)).total == 3


def test_commands_do_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSC_CATALOG", f"sqlite:///{tmp_path}/catalog.sqlite")
    with open_sql(None) as catalog:
        fill(catalog)
        total = len(exported(catalog))
    checked = run("check")
    assert (checked["faults"], checked["datasets"]) == ([], 2)
    assert run("check", "--head", str(checked["head"]))["faults"] == []
    assert run("check", "--head", "sha256:0", code=1)["faults"]
    lines, copy = tmp_path / "all.ndjson", tmp_path / "copy.sqlite"
    assert run("export", str(lines))["lines"] == total
    other = f"sqlite:///{tmp_path}/other.sqlite"
    assert run("import", str(lines), "--catalog", other)["kept"] == total
    assert run("check", "--catalog", other)["faults"] == []
    assert run("backup", str(copy))["nbytes"] == copy.stat().st_size
    with open_sql(None) as catalog:
        catalog.register(example_dataset(), example_activity(), [])
        actor = catalog.caller.actor
    with pytest.raises(ConflictError):
        run("restore", str(copy))
    restored = run("restore", str(copy), "--force")
    with open_catalog(f"sqlite:///{restored['kept']}") as kept:
        assert kept.search(Query(limit=0)).total == 3
    assert run("check")["datasets"] == 2
    assert str(run("erase", actor)["erased"]).startswith("agent:")
    assert run("check")["faults"] == []
    with pytest.raises(HscError, match="knows nobody"):
        run("erase", "nobody")
    assert run("upgrade")["version"] == 3


def test_what_is_imported_stands_as_where_it_was_exported(tmp_path: Path) -> None:
    changes = [
        AccessChange(visibility="private", access_class="human", reason="patients"),
        AccessChange(
            visibility="public", embargo_until=datetime(2100, 1, 1, tzinfo=UTC), reason="-"
        ),
        AccessChange(add_groups=("friends", "maxiv/2"), reason="they helped"),
        AccessChange(visibility="public", reason="the paper is out"),
    ]
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        datasets = [example_dataset(proposal="20260123") for _ in changes]
        for dataset, change in zip(datasets, changes, strict=True):
            activity = example_activity()
            catalog.register(dataset, activity, generated(dataset, activity, []))
            catalog.change_access(dataset.pid, change)
        lines = [line.encode() for line in exported(catalog)]
        with open_catalog(f"sqlite:///{tmp_path}/other.sqlite") as other:
            assert import_lines(other, lines).wrong == 0
            for dataset in datasets:
                assert other.access(dataset.pid) == catalog.access(dataset.pid)
            # What was there stands as it was changed since.
            other.change_access(datasets[3].pid, AccessChange(visibility="group", reason="no"))
            assert import_lines(other, lines).wrong == 0
            assert other.access(datasets[3].pid).visibility == "group"
            with other.database.reading() as connection:
                assert check_catalog(connection).faults == []


def test_a_backup_made_while_others_write_is_whole(tmp_path: Path) -> None:
    ended, kept = threading.Event(), []
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:

        def write() -> None:
            while not ended.is_set():
                dataset, activity = example_dataset(), example_activity()
                catalog.register(dataset, activity, generated(dataset, activity, ["blake3:aa"]))
                kept.append(dataset.pid)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            copies = []
            for number in range(3):
                known = len(kept)
                catalog.database.back_up(tmp_path / f"copy-{number}.sqlite")
                copies.append((known, len(kept) + 1))
        finally:
            ended.set()
            writer.join()
    for number, (least, most) in enumerate(copies):
        file = tmp_path / f"copy-{number}.sqlite"
        assert not list(tmp_path.glob(f"{file.name}-*"))
        with open_catalog(f"sqlite:///{file}") as copy, copy.database.reading() as connection:
            found = check_catalog(connection)
        assert found.faults == []
        assert least <= found.datasets <= most


def test_a_backup_in_the_place_of_the_catalog_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    (tmp_path / "other-name").symlink_to(file)
    with open_catalog(f"sqlite:///{file}") as catalog:
        fill(catalog)
        for name in (file, tmp_path / "other-name"):
            with pytest.raises(ConfigurationError, match="own place"):
                run("backup", str(name), "--catalog", catalog.url)
        catalog.register(example_dataset(), example_activity(), [])
    assert run("check", "--catalog", f"sqlite:///{file}")["datasets"] == 3


@pytest.mark.parametrize("command", ["backup", "export", "import"])
@pytest.mark.parametrize("name", ["no-folder/file", "."])
def test_a_file_that_cannot_be_is_named(tmp_path: Path, command: str, name: str) -> None:
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    open_catalog(url).close()
    with pytest.raises(HscError) as caught:
        run(command, str(tmp_path / name), "--catalog", url)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.next_step
    assert not list(tmp_path.parent.glob("*.part"))


def test_what_two_restores_replaced_is_all_kept(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path}/catalog.sqlite", tmp_path / "copy.sqlite"
    run("backup", str(copy), "--catalog", url)
    kept = []
    for _ in range(2):
        with open_catalog(url) as catalog:
            fill(catalog)
        kept.append(run("restore", str(copy), "--force", "--catalog", url)["kept"])
    assert len(set(kept)) == 2
    for file in kept:
        with open_catalog(f"sqlite:///{file}") as catalog:
            assert catalog.search(Query(limit=0)).total == 2


def test_a_backup_of_an_older_release_is_restored_and_upgraded(tmp_path: Path) -> None:
    copy = tmp_path / "older.sqlite"
    copy.write_bytes(gzip.decompress((GOLDEN / "schema-2.sqlite.gz").read_bytes()))
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    assert run("restore", str(copy), "--catalog", url)["kept"] is None
    assert run("check", "--catalog", url)["datasets"] == 5


@pytest.mark.parametrize("content", [None, b"no database", b""])
def test_what_is_no_backup_replaces_nothing(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "copy.sqlite"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CatalogUnavailableError, match="no backup"):
        run("restore", str(file), "--catalog", f"sqlite:///{tmp_path}/catalog.sqlite")
    assert not (tmp_path / "catalog.sqlite").exists()


def test_only_a_database_is_tended(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="own database"):
        run("check", "--catalog", "https://catalog.example.org")
    with pytest.raises(ConfigurationError, match="pg_dump"):
        run("backup", "copy.sqlite", "--catalog", "postgresql://db.example.org/hsc")
