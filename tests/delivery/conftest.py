"""A run taken in at a facility, its catalog served to others, and those others."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
from servers.catalog import CatalogServer

import hsc
from hsc.model import Pid
from hsc_catalog.access import Caller
from hsc_catalog.databases import Database
from hsc_catalog.delivery import Delivery
from hsc_catalog.sql import open_database

FRAMES = np.random.default_rng(5).integers(0, 2**16, (6, 200, 200), dtype="u2")
PROPOSAL = "20260123"
READ = frozenset({"read"})


@dataclass(frozen=True)
class Facility:
    """What a facility has: a private run, and a catalog that delivers it."""

    pid: Pid
    other: Pid
    """Another run, of another proposal."""
    location: str
    server: CatalogServer
    tokens: dict[str, str]
    """By who holds it: member, stranger, link, ingestor."""
    database: Database

    def sign_in(self, monkeypatch: pytest.MonkeyPatch, home: Path, who: str | None) -> None:
        """Let this process be somebody's laptop: nothing of the facility's but a token."""
        for name in ("HSC_STORE", "HSC_TOKEN", "HSC_CACHE", *AWS):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HSC_HOME", str(home))
        monkeypatch.setenv("HSC_CATALOG", self.server.url)
        if who is not None:
            monkeypatch.setenv("HSC_TOKEN", self.tokens[who])


AWS = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
)


def take_in(folder: Path, name: str, proposal: str) -> Pid:
    """Take in a run with a stack and small arrays."""
    run = folder / name
    run.mkdir(parents=True)
    with h5py.File(run / "a.h5", "w") as file:
        frames = FRAMES + np.uint16(len(name))
        file.create_dataset(
            "entry/data/frames", data=frames, chunks=(1, 200, 200), compression="gzip"
        )
        file["entry/title"] = name
        file["entry/numbers"] = np.arange(5)
    (run / "note.txt").write_text("how it was measured\n")
    return hsc.ingest(run, facility="maxiv", proposal=proposal, verify="none", preview=True).pid


def open_facility(home: Path, store: str, valid_s: int = 900) -> Iterator[Facility]:
    """Take two runs in and serve them; the environment is the facility's while this begins."""
    pid, other = take_in(home / "runs", "one", PROPOSAL), take_in(home / "runs", "other", "99")
    with hsc.connect() as catalog:
        location = catalog.get(pid).location
    url = f"sqlite:///{home / 'catalog.sqlite'}"
    words = {who: f"hsc_{secrets.token_hex(8)}" for who in ("member", "stranger", "ingestor")}
    words["link"] = f"hscr_{secrets.token_hex(8)}"
    known = {
        words["member"]: Caller("bo", groups=frozenset({f"maxiv/{PROPOSAL}"}), scopes=READ),
        words["stranger"]: Caller("eve", groups=frozenset({"maxiv/77"}), scopes=READ),
        words["ingestor"]: Caller(
            "rig", roles=frozenset({"ingestor"}), scopes=frozenset({"read", "ingest"})
        ),
        words["link"]: Caller(datasets=frozenset({pid}), scopes=READ),
    }

    def delivery(database: Database) -> Delivery:
        return Delivery(database, stores=[store], valid_s=valid_s)

    with (
        closing(open_database(url)) as database,
        CatalogServer(database, known, delivery) as server,
    ):
        yield Facility(pid, other, location, server, words, database)


@pytest.fixture(scope="module")
def facility(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facility]:
    """Give a facility whose store is a directory."""
    home = tmp_path_factory.mktemp("facility")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSC_HOME", str(home))
        opened = open_facility(home, (home / "store").as_uri())
        yield next(opened)
        opened.close()


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    """Give an empty state directory."""
    return tmp_path / "laptop"
