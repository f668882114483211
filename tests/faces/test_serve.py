"""`hsc serve` as a process: ready, told to end, its port taken, its advice."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from faces.serving import PROGRAM, serving
from servers.postgresql import Postgresql

from hsc_catalog import open_catalog
from hsc_catalog.access import OPERATOR
from hsc_catalog.identity import make_administrator


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_end(tmp_path: Path, sent: signal.Signals) -> None:
    with serving(tmp_path) as server:
        assert server.address.startswith("http://127.0.0.1:")
        answer = httpx.get(f"{server.address}/v1/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert "server" not in answer.headers
        assert server.end(sent) == 0
        log = server.log.read_text()
    assert "hsc catalog administrator" in log
    assert "GET /v1/health 200" in log
    assert "Traceback" not in log


def test_who_was_made_administrator_is_known_and_no_advice_is_given(tmp_path: Path) -> None:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        token = make_administrator(catalog.database, OPERATOR, "anna").text
    with serving(tmp_path) as server:
        headers = {"Authorization": f"Bearer {token}"}
        me = httpx.get(f"{server.address}/v1/me", headers=headers).json()
        assert (me["subject"], me["roles"]) == ("anna", ["administrator"])
        refused = httpx.get(f"{server.address}/v1/me", headers={"Authorization": "Bearer x"})
        assert refused.status_code == 401
        log = server.log.read_text()
    assert "hsc catalog administrator" not in log
    assert token not in log


def test_two_processes_serve_one_catalog(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as server:
        assert httpx.get(f"{server.address}/v1/health", timeout=60).status_code == 200
        assert server.end(signal.SIGTERM) == 0


def test_a_port_that_is_taken_is_an_error_of_its_own(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", PROGRAM, "serve", "--json", "--port", port]
        environment = {**os.environ, "HSC_HOME": str(tmp_path)}
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    told = json.loads(ended.stdout)
    assert (told["error"], told["where"]) == ("AddressUnavailableError", f"127.0.0.1:{port}")
    assert "Traceback" not in ended.stderr


def test_a_database_that_went_away_is_told_and_used_when_it_is_back(
    postgresql: Postgresql, database: str, tmp_path: Path
) -> None:
    with serving(tmp_path, HSC_CATALOG=database) as server:

        def ask() -> int:
            return httpx.get(f"{server.address}/v1/datasets", timeout=60).status_code

        assert ask() == 200
        postgresql.end()
        try:
            assert ask() == 503
        finally:
            postgresql.start()
        assert ask() == 200
        log = server.log.read_text()
    assert "Traceback" not in log
    assert "next:  check that the server runs there" in log
    assert "made a new catalog" not in log  # the tables are new, the database is its operator's


def test_a_catalog_that_is_made_and_settings_that_are_none_are_told(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert f"made a new catalog: sqlite:///{tmp_path}" in server.log.read_text()
    wrong = tmp_path / "serve.toml"
    wrong.write_text("[limits")
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", "--json", "--config", str(wrong)],
        env={**os.environ, "HSC_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["where"]) == (1, str(wrong))
    assert told["next"]
