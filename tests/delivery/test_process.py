"""The whole way with a server of its own process: an administrator, a link, a reader's laptop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from delivery.conftest import FRAMES, take_in
from faces.serving import serving

import hsc
from hsc import jobs
from hsc.errors import DatasetNotFoundError, UnauthenticatedError
from hsc.model import Pid

COMMAND = [sys.executable, "-m", "hsc.cli.main"]


@dataclass(frozen=True)
class Served:
    """A served catalog."""

    pid: Pid
    address: str
    token: str
    """An administrator's."""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    home = tmp_path / "facility"
    monkeypatch.setenv("HSC_HOME", str(home))
    pid = take_in(tmp_path, "one", "20260123")
    told = {**os.environ, "HSC_HOME": str(home)}
    made = subprocess.run(
        [*COMMAND, "catalog", "administrator", "anna", "--json"],
        env=told, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    with serving(home) as running:
        yield Served(pid, running.address, json.loads(made.stdout)["token"])


def test_a_reviewer_reads_with_a_link_what_nobody_else_sees(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = f"{served.address}/v1/datasets/{served.pid}/links"
    admin = {"Authorization": f"Bearer {served.token}"}
    made = httpx.post(links, json={"note": "for the referee"}, headers=admin).json()
    monkeypatch.setenv("HSC_HOME", str(tmp_path / "laptop"))
    monkeypatch.setenv("HSC_CATALOG", served.address)
    with pytest.raises(DatasetNotFoundError):
        hsc.open(served.pid)
    for token in (made["link"], served.token):
        monkeypatch.setenv("HSC_TOKEN", token)
        frames = hsc.open(served.pid)["a.h5/entry/data/frames"]
        assert np.array_equal(frames.values, FRAMES + np.uint16(3))
        assert not jobs.verify(jobs.VerifyRequest(pid=served.pid)).damaged
    # Who may say where it lies has now said that it is whole there, where the server read it.
    with hsc.connect() as catalog:
        (replica,) = catalog.replicas(served.pid)
    assert replica.verified is not None
    httpx.delete(f"{links}/{made['id']}", headers=admin).raise_for_status()
    monkeypatch.setenv("HSC_TOKEN", made["link"])
    with pytest.raises(UnauthenticatedError, match="does not count any more"):
        hsc.open(served.pid)
