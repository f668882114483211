"""Backup and restore while a real server takes writes: nothing told is missing or replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from faces.serving import PROGRAM, serving

from hsc.model import Pid, Query
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog import open_catalog
from hsc_catalog.access import ALL_SCOPES, OPERATOR
from hsc_catalog.checking import check_catalog
from hsc_catalog.identity import create_token, grant_role

WRITERS = 4


class Writers:
    """Threads that register datasets over HTTP, and note what they were told is kept."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._headers = address, {"Authorization": f"Bearer {token}"}
        self.over = threading.Event()
        self.kept: list[str] = []

    def write(self, number: int) -> None:
        with httpx.Client(base_url=self._address, headers=self._headers, timeout=60) as client:
            while not self.over.is_set():
                dataset, activity = example_dataset(), example_activity()
                edges = [each.document() for each in generated(dataset, activity, ["blake3:cc"])]
                body = {"dataset": dataset.document(), "activity": activity.document()}
                answer = client.post("/v1/datasets", content=json.dumps({**body, "edges": edges}))
                if answer.status_code == 201:
                    self.kept.append(answer.json()["pid"])

    def wait(self, count: int) -> None:
        patience_s = time.monotonic() + 60
        while len(self.kept) < count and time.monotonic() < patience_s:
            time.sleep(0.05)
        assert len(self.kept) >= count


def run(home: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Run `hsc catalog` in a process of its own; give exit code and what it told."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "catalog", *words, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "HSC_HOME": str(home)},
        timeout=100,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def token(tmp_path: Path) -> str:
    """Give a token that may register anything, in a new catalog."""
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        grant_role(catalog.database, OPERATOR, "robot", "ingestor")
        scopes = ALL_SCOPES - {"admin"}
        made = create_token(catalog.database, OPERATOR, name="x", scopes=scopes, subject="robot")
    return made.text


def test_a_backup_of_a_served_catalog_has_all_that_was_told_and_is_restored_once_it_ends(
    tmp_path: Path, token: str
) -> None:
    copy = tmp_path / "copy.sqlite"
    (tmp_path / "serve.toml").write_text("[limits]\ncaller_per_s = 1e6\ncaller_burst = 1e6\n")
    with serving(tmp_path, "--config", str(tmp_path / "serve.toml")) as server:
        writers = Writers(server.address, token)
        with ThreadPoolExecutor(WRITERS) as pool:
            running = [pool.submit(writers.write, number) for number in range(WRITERS)]
            try:
                writers.wait(20)
                told = list(writers.kept)
                assert run(tmp_path, "backup", str(copy))[0] == 0
                # While it is served nothing is replaced, and it goes on.
                code, refused = run(tmp_path, "restore", str(copy), "--force")
                assert (code, refused["error"]) == (1, "CatalogUnavailableError")
                assert "open" in refused["message"]
                writers.wait(len(writers.kept) + 5)
            finally:
                writers.over.set()
            for each in running:
                each.result(60)
        server.end(signal.SIGTERM)
    with open_catalog(f"sqlite:///{copy}") as backup, backup.database.reading() as connection:
        assert check_catalog(connection).faults == []
        for pid in told:
            assert backup.get(Pid.parse(pid)).version == 1
        there = backup.search(Query(limit=0)).total
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        assert catalog.search(Query(limit=0)).total >= len(writers.kept) > there - WRITERS
    code, restored = run(tmp_path, "restore", str(copy), "--force")
    assert code == 0
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        assert catalog.search(Query(limit=0)).total == there
    with open_catalog(f"sqlite:///{restored['kept']}") as kept:
        assert all(kept.get(Pid.parse(pid)).version == 1 for pid in writers.kept)
