"""Records go to a SciCat and come from one: our own face is the other side, as a second server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import httpx
import numpy as np
import pytest
from scitacean import Client
from scitacean.testing.backend.config import USERS

import hsc
from hsc.client import Catalog, connect
from hsc.errors import (
    CatalogUnavailableError,
    ConfigurationError,
    ConflictError,
    DatasetNotFoundError,
    InvalidRecordError,
    UnauthenticatedError,
)
from hsc.model import Pid
from hsc_catalog.faces.scicat.exchanging import PULL, PUSH, pull, push
from hsc_catalog.faces.scicat.remote import RemoteScicat, address

MAIN = "from hsc.cli.main import main; main()"


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with connect(f"sqlite:///{tmp_path}/catalog.sqlite") as opened:
        yield opened


@pytest.fixture(scope="session")
def token(api: str) -> str:
    """Give a token of the other side."""
    return str(httpx.post(f"{api}/auth/login", json=USERS["user1"].credentials).json()["id"])


@pytest.fixture
def remote(api: str, token: str) -> RemoteScicat:
    return RemoteScicat(api, token)


def test_a_pulled_record_keeps_its_pid_and_says_where_it_lies(
    catalog: Catalog, remote: RemoteScicat, seeded: dict[str, Any]
) -> None:
    theirs = seeded["raw"]
    done = pull(catalog, remote, str(theirs.pid), "local")
    record = catalog.get(done.pid)
    assert str(done.pid) == f"{theirs.pid}@1"
    assert record.origin is not None
    assert (record.origin.catalog, record.origin.folder) == (remote.url, "/hex/data/123")
    assert (record.title, record.bytes_in) == (theirs.datasetName, 619)
    assert record.scientific_metadata == theirs.scientificMetadata
    activity = catalog.activities(limit=1)[0]
    assert (activity.type, activity.generated) == (PULL, (done.pid,))
    assert activity.parameters["document"]["classification"] == theirs.classification
    edges = catalog.lineage(done.pid, up=True, down=False, depth=1).edges
    assert (str(done.pid), "was_generated_by") in {(e.subject, e.predicate) for e in edges}


def test_pulling_again_changes_nothing_until_it_changed_there(
    catalog: Catalog, api: str, token: str, clients: dict[str, Client], remote: RemoteScicat
) -> None:
    posted = {
        "contactEmail": "a@b.se",
        "creationTime": "2026-01-01T00:00:00Z",
        "datasetName": "first",
        "owner": "me",
        "ownerGroup": "group1",
        "sourceFolder": "/x",
        "type": "raw",
    }
    pid = remote.create("datasets", posted, "new")["pid"]
    assert not pull(catalog, remote, pid, "local").existing
    assert pull(catalog, remote, pid, "local").existing
    assert len(catalog.activities()) == 1
    headers = {"Authorization": f"Bearer {token}"}
    changed = httpx.patch(f"{api}/datasets/{pid}", json={"datasetName": "second"}, headers=headers)
    assert changed.status_code == 200, changed.text
    assert pull(catalog, remote, pid, "local").pid.version == 2
    assert catalog.get(Pid.parse(pid)).title == "second"


def test_what_is_not_there_is_not_pulled(catalog: Catalog, remote: RemoteScicat) -> None:
    with pytest.raises(DatasetNotFoundError):
        pull(catalog, remote, "no/such", "local")
    assert not catalog.activities()


def test_a_pid_that_is_taken_here_by_something_else_stays_what_it_is(
    catalog: Catalog, remote: RemoteScicat, api: str, seeded: dict[str, Any]
) -> None:
    pull(catalog, remote, str(seeded["raw"].pid), "local")
    other = RemoteScicat(api.replace("127.0.0.1", "localhost"), None)
    with pytest.raises(DatasetNotFoundError):
        pull(catalog, other, str(seeded["raw"].pid), "local")
    pull(catalog, remote, str(seeded["public"].pid), "local")
    with pytest.raises(ConflictError):
        pull(catalog, other, str(seeded["public"].pid), "local")


def _ingested(tmp_path: Path) -> Pid:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["entry/data/data"] = np.arange(24, dtype="u2").reshape(2, 3, 4)
    return Pid.parse(str(hsc.ingest(tmp_path / "scan.h5").pid))


def test_a_pushed_record_arrives_with_its_files_and_is_sent_once(
    tmp_path: Path, remote: RemoteScicat
) -> None:
    pid = _ingested(tmp_path)
    with hsc.connect() as catalog:
        with pytest.raises(InvalidRecordError, match="ownerGroup"):
            push(catalog, remote, pid, owner_group=None, contact="a@b.se")
        done = push(catalog, remote, pid, owner_group="group1", contact="a@b.se")
        assert (done.remote_pid, done.existing) == (str(pid), False)
        there = remote.dataset(str(pid))
        record = catalog.get(pid)
        assert there["datasetName"] == record.title
        assert there["numberOfFiles"] > 0
        assert there["sourceFolder"] == record.location.removeprefix("file://")
        again = push(catalog, remote, pid, owner_group="group1", contact="a@b.se")
        assert again.existing
        pushes = [each for each in catalog.activities() if each.type == PUSH]
        assert len([each for each in pushes if each.state == "done"]) == 1
        edges = catalog.lineage(pid, up=False, down=True, depth=1).edges
        assert any(edge.subject == f"activity:{pushes[0].id}" for edge in edges)
        links = [each.link for each in catalog.entry(pid).annotations]
    assert links == [f"{remote.url}/v4/datasets/{pid}"]


def test_the_command_takes_the_token_from_the_environment_alone(
    tmp_path: Path, api: str, token: str, seeded: dict[str, Any]
) -> None:
    environment = {**os.environ, "HSC_HOME": str(tmp_path), "HSC_SCICAT_TOKEN": token}
    words = ["scicat", "pull", str(seeded["raw"].pid), "--url", api, "--json"]
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["datasets"][0]["remote_pid"] == str(seeded["raw"].pid)
    assert token not in done.stdout + done.stderr


def test_what_the_other_side_refuses_is_told_without_the_token(
    catalog: Catalog, api: str, seeded: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        pull(catalog, RemoteScicat(api, "a-secret-token"), str(seeded["raw"].pid), "local")
    assert "a-secret-token" not in str(refused.value)
    nobody = RemoteScicat("http://127.0.0.1:9/api", "a-secret-token")
    with pytest.raises(CatalogUnavailableError) as unreachable:
        pull(catalog, nobody, str(seeded["raw"].pid), "local")
    assert "a-secret-token" not in str(unreachable.value)


@pytest.mark.parametrize(
    "url", ["http://scicat.example/api", "ftp://x", "scicat", "https://a:b@scicat.example"]
)
def test_an_address_that_would_show_the_token_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        address(url)
