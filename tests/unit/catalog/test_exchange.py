"""Lines of JSON between catalogs: the same by command and over HTTP, to any kind of catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from servers.catalog import TOKEN, CatalogServer
from servers.postgresql import Postgresql
from typer.testing import CliRunner

from hsc.cli.main import app
from hsc.model import AccessChange, Instrument, Registration
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc.testing.replicas import example_replica
from hsc_catalog.databases import Database
from hsc_catalog.faces.importing import import_lines
from hsc_catalog.sql import SqlCatalog, open_catalog, open_database


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CatalogServer]:
    url = f"sqlite:///{tmp_path}/served.sqlite"
    with closing(open_database(url)) as database, CatalogServer(database) as running:
        monkeypatch.setenv("HSC_TOKEN", TOKEN)
        monkeypatch.setenv("HSC_CATALOG", running.url)
        yield running


def fill(database: Database) -> None:
    catalog = SqlCatalog(database)
    source, items = "blake3:aa", []
    for step in range(503):  # more than a page of any export
        dataset, activity = example_dataset(title=f"Step {step}"), example_activity()
        edges = tuple(generated(dataset, activity, [source]))
        items.append(Registration(dataset=dataset, activity=activity, edges=edges))
        source = f"{dataset.pid}@1"
    catalog.register_many(items)
    first = items[0].dataset.pid
    catalog.change_access(first, AccessChange(add_groups=("friends",), reason="they helped"))
    catalog.register_replica(first, example_replica(), example_activity())
    for name in ("CoSAXS", "BioMAX"):
        catalog.keep(Instrument(facility="maxiv", name=name))
    catalog.record(example_activity(state="failed"))


def run(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["catalog", *words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_catalog_goes_over_http_and_by_command_alike(
    server: CatalogServer, tmp_path: Path, postgresql: Postgresql
) -> None:
    own = f"sqlite:///{tmp_path}/own.sqlite"
    with open_catalog(own) as catalog:
        fill(catalog.database)
    by_command, over_http = tmp_path / "command.ndjson", tmp_path / "http.ndjson"
    count = run("export", str(by_command), "--catalog", own)["lines"]
    assert run("import", str(by_command)) == {"kept": count, "wrong": 0, "lines": []}
    assert run("export", str(over_http))["lines"] == count
    assert over_http.read_bytes() == by_command.read_bytes()
    kinds = {min(json.loads(line)) for line in over_http.read_text().splitlines()}
    assert kinds == {"access", "activity", "kind", "of"}
    for url in (f"sqlite:///{tmp_path}/third.sqlite", postgresql.url(postgresql.make_database())):
        assert run("import", str(over_http), "--catalog", url)["kept"] == count
        again = tmp_path / "again.ndjson"
        run("export", str(again), "--catalog", url)
        assert again.read_bytes() == over_http.read_bytes()


def test_a_line_may_name_the_version_in_its_pid(tmp_path: Path) -> None:
    """And who may see what is there already stays, whatever such a line tells of it."""
    dataset = example_dataset()
    there = {"visibility": "group", "groups": ["friends"]}
    versions = [dataset.model_copy(update={"pid": dataset.pid.at(n), "version": n}) for n in (1, 2)]
    lines = [
        json.dumps(
            {
                "dataset": each.document(),
                "activity": example_activity().document(),
                "edges": [],
                "access": access,
            }
        ).encode()
        for each, access in zip(versions, (there, {"visibility": "public"}), strict=True)
    ]
    with open_catalog(f"sqlite:///{tmp_path}/own.sqlite") as catalog:
        done = import_lines(catalog, lines, at_once=1)
        assert (done.kept, done.refused) == (2, [])
        stands = catalog.access(dataset.pid)
        assert (stands.visibility, stands.groups) == ("group", ("friends",))


def test_a_wrong_line_is_told_alike(server: CatalogServer, tmp_path: Path) -> None:
    lines = [
        json.dumps({"dataset": {"title": 1}, "activity": {}}),
        json.dumps({"noun": {}, "kind": "house"}),
        "",
        json.dumps({"replica": {}, "of": "nothing"}),
        "{",
        json.dumps({"activity": example_activity(state="failed").document()}),
    ]
    file = tmp_path / "wrong.ndjson"
    file.write_text("\n".join(lines))
    told = run("import", str(file), code=1)
    own = run("import", str(file), "--catalog", f"sqlite:///{tmp_path}/own.sqlite", code=1)
    for done in (told, own):
        assert (done["kept"], done["wrong"]) == (1, 4)
        assert [each["line"] for each in done["lines"]] == [1, 2, 4, 5]
        assert {each["error"] for each in done["lines"]} == {"InvalidRecordError"}
    messages = [[each["message"] for each in done["lines"]] for done in (told, own)]
    assert messages[0] == messages[1]
