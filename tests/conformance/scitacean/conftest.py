"""A catalog that SciCat's clients may ask, as a process of its own, with the kit's seed in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from scitacean import Client
from scitacean.testing.backend import seed
from scitacean.testing.backend.config import USERS, SciCatAccess
from scitacean.testing.client import FakeClient
from servers.children import Child, free_port

SERVER = Path(__file__).with_name("server.py")


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server of our own, with the accounts of scitacean's test kit."""
    folder, port = tmp_path_factory.mktemp("scicat"), free_port()
    accounts = folder / "functionalAccounts.json"
    accounts.write_text(json.dumps([user.dump() for user in USERS.values()]), encoding="utf-8")
    words = [sys.executable, str(SERVER), str(port), str(folder), str(accounts)]
    server = Child(words, folder / "log")
    url = f"http://127.0.0.1:{port}/api/v3"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/instruments", timeout=5).is_success
        except httpx.TransportError:
            return False

    try:
        server.wait_until(ready, seconds=60)
        yield url
    finally:
        server.end()


@pytest.fixture(scope="session")
def clients(api: str) -> dict[str, Client]:
    """Give signed-in clients by the names of their accounts."""
    return {
        name: SciCatAccess(api, USERS[name]).make_client(Client)
        for name in ("user1", "user2", "ingestor")
    }


@pytest.fixture(scope="session")
def seeded(api: str, clients: dict[str, Client]) -> dict[str, object]:
    """Give the kit's datasets as our server answered when they were posted."""
    seed.seed_database(client=clients["user1"], scicat_access=SciCatAccess(api, USERS["user1"]))
    return dict(seed.INITIAL_DATASETS)


@pytest.fixture
def fake(seeded: dict[str, object]) -> FakeClient:
    """Give the kit's fake client, which holds the same: what it answers is what is right."""
    client = FakeClient.from_token(url="https://scicat.example", token="none")  # noqa: S106
    client.datasets.update({each.pid: each for each in seed.INITIAL_DATASETS.values()})
    client.orig_datablocks.update(
        {blocks[0].datasetId: blocks for blocks in seed.INITIAL_ORIG_DATABLOCKS.values()}
    )
    client.attachments.update(
        {each[0].relationships[0].targetId: each for each in seed.INITIAL_ATTACHMENTS.values()}
    )
    return client
