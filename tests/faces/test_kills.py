"""32 writers and readers on one server that is killed in the middle: nothing told is lost.

The short form kills once; ``HSC_SERVER_KILLS=10`` does it ten times over, on one catalog.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from faces.serving import Server, start

from hsc.model import Pid, Query
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog import SqlCatalog, open_catalog
from hsc_catalog.access import ALL_SCOPES, OPERATOR
from hsc_catalog.auditing import verify_chain
from hsc_catalog.identity import create_token, grant_role

# Read when the tests are collected: conftest clears the environment of a test.
KILLS = int(os.environ.get("HSC_SERVER_KILLS") or 1)
WRITERS, READERS = 16, 16
TECHNIQUES = ("SAXS", "WAXS", "XRF")
LIMITS = ("caller_per_s", "caller_burst", "address_per_s", "address_burst")
SETTINGS = "\n".join(["[limits]", *(f"{name} = 1e6" for name in LIMITS)])


class Crowd:
    """Writers that note what they were told is kept, and readers that find it."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}"}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.kept: list[str] = []
        self.wrong: list[str] = []
        self.later = 0

    def work(self, wanted: int, server: Server) -> None:
        """Let all work, and kill the server in the middle, when so many are kept."""
        works: list[Callable[[int], None]] = [self.write] * WRITERS + [self.read] * READERS
        with ThreadPoolExecutor(len(works)) as pool:
            running = [pool.submit(work, number) for number, work in enumerate(works)]
            patience_s = time.monotonic() + 60
            while len(self.kept) < wanted and time.monotonic() < patience_s:
                time.sleep(0.05)
            server.process.kill()
            server.process.wait(30)
            self._over.set()
            for each in running:
                each.result(60)

    def write(self, number: int) -> None:
        """Register datasets for as long as somebody answers; each second one is sent twice."""
        with httpx.Client(base_url=self._address, headers=self._headers, timeout=30) as client:
            for count in range(100_000):
                if self._over.is_set():
                    return
                dataset = example_dataset(technique=TECHNIQUES[count % 3], visibility="private")
                activity = example_activity()
                edges = [each.document() for each in generated(dataset, activity, ["blake3:cc"])]
                body = {"dataset": dataset.document(), "activity": activity.document()}
                sent = json.dumps({**body, "edges": edges})
                key = {"Idempotency-Key": f"{number}-{count}-{dataset.pid}"}
                for _ in range(1 + count % 2):
                    try:
                        answer = client.post("/v1/datasets", content=sent, headers=key)
                    except httpx.TransportError:
                        return
                    self._note(answer)

    def read(self, number: int) -> None:
        """Look for what was kept, and count."""
        with httpx.Client(base_url=self._address, headers=self._headers, timeout=30) as client:
            while not self._over.is_set():
                with self._lock:
                    pid = self.kept[-1 - number % READERS] if len(self.kept) > READERS else None
                path = "/v1/facets" if pid is None or number % 2 else f"/v1/datasets/{pid}"
                try:
                    answer = client.get(path)
                except httpx.TransportError:
                    return
                if answer.status_code not in (200, 503):
                    self.wrong.append(f"{path}: {answer.status_code} {answer.text}")

    def _note(self, answer: httpx.Response) -> None:
        with self._lock:
            if answer.status_code == 201:
                self.kept.append(answer.json()["pid"])
            elif answer.status_code == 503:
                self.later += 1
            else:
                self.wrong.append(f"{answer.status_code} {answer.text}")


def test_what_was_told_is_kept_outlives_a_killed_server(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    with open_catalog(url) as catalog:
        grant_role(catalog.database, OPERATOR, "robot", "ingestor")
        scopes = ALL_SCOPES - {"admin"}
        token = create_token(
            catalog.database, OPERATOR, name="x", scopes=scopes, subject="robot"
        ).text
    config = tmp_path / "serve.toml"
    config.write_text(SETTINGS)
    kept: set[str] = set()
    for _ in range(KILLS):
        server = start(tmp_path, "--config", str(config))
        crowd = Crowd(server.address, token)
        crowd.work(60, server)
        if server.process.stdout is not None:
            server.process.stdout.close()
        assert not crowd.wrong
        assert len(crowd.kept) >= 60, crowd.later
        kept |= set(crowd.kept)
        with open_catalog(url) as catalog:
            check_all(catalog, kept)


def check_all(catalog: SqlCatalog, kept: set[str]) -> None:
    """Hold a catalog against what was told: all there, the chain whole, the counts true."""
    for pid in kept:
        assert catalog.get(Pid.parse(pid)).pid == Pid.parse(pid).latest()
    with catalog.database.reading() as connection:
        verify_chain(connection)
    found = catalog.search(Query(limit=0)).total
    # What was kept and never told: one for each writer at most, each time.
    assert len(kept) <= found <= len(kept) + KILLS * WRITERS
    counted = catalog.facets()
    assert counted.total == found
    fresh = {
        technique: catalog.search(Query(technique=technique, limit=0)).total
        for technique in TECHNIQUES
    }
    assert counted.counts["technique"] == fresh
    assert sum(fresh.values()) == found
