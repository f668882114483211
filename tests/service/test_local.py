"""The program deploy/local/local.py: up, status, down, and what goes wrong in between."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hsc.client import connect
from hsc.model import ActivityState

# A server start costs 20 to 30 s, twice that on a busy machine.
pytestmark = [pytest.mark.prefect, pytest.mark.timeout(400)]


def is_gone(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return text.rpartition(")")[2].split()[0] in "ZX"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Give a program that `local.py` has not started."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as program:
        yield program
        program.kill()


def remember(local: Any, pid: int, started: str, mark: str) -> None:
    local.state.mkdir()
    log = str(local.state / "serving.log")
    daemon = {"name": "serving", "pid": pid, "started": started, "log": log, "mark": mark}
    text = json.dumps({"port": 20001, "daemons": [daemon]})
    (local.state / "state.json").write_text(text, encoding="utf-8")


def test_up_says_what_to_export_and_status_that_it_runs(served: Any) -> None:
    answer = served.local.answer("status")
    assert answer["up"]
    assert answer["api_url"] == served.api_url
    assert [each["runs"] for each in answer["daemons"]] == [True, True]
    assert served.local("status").returncode == 0
    assert f"export PREFECT_API_URL={served.api_url}" in served.local("up").stdout


def test_up_twice_starts_nothing_more(served: Any) -> None:
    again = served.local.answer("up")
    assert again["already"]
    assert again["daemons"] == served.first_answer["daemons"]


def test_up_with_another_port_says_that_it_runs_already(served: Any) -> None:
    done = served.local("up", "--port", "20002")
    assert done.returncode == 1
    assert "runs already" in done.stderr


def test_everything_is_kept_in_the_state_folder(served: Any) -> None:
    port = int(served.api_url.split(":")[2].split("/")[0])
    assert 20000 <= port < 32768
    kept = {path.name for path in served.local.state.iterdir()}
    assert {"state.json", "server.log", "serving.log", "prefect", "ui"} <= kept
    assert (served.local.state / "prefect" / "prefect.db").is_file()
    assert served.local.state.stat().st_mode & 0o077 == 0


def test_telemetry_is_off(served: Any) -> None:
    settings = served.get("/admin/settings")
    assert settings["server"]["analytics_enabled"] is False


def test_a_server_that_was_killed_is_told_and_taken_down(local: Any) -> None:
    up = local("up", "--json")
    assert up.returncode == 0, up.stderr
    server, serving = json.loads(up.stdout)["daemons"]
    os.kill(server["pid"], signal.SIGKILL)
    status = local("status", "--json")
    assert status.returncode == 1
    assert [each["runs"] for each in json.loads(status.stdout)["daemons"]] == [False, True]
    down = local("down", "--json")
    assert down.returncode == 0, down.stderr
    ended = {each["name"]: each["by"] for each in json.loads(down.stdout)["ended"]}
    assert ended["server"] == "had ended"
    assert ended["serving"].startswith("ended by")
    assert is_gone(server["pid"])
    assert is_gone(serving["pid"])
    assert local.answer("status")["daemons"] == []


def test_up_starts_what_was_killed_and_tells_of_the_runs_that_died_with_it(local: Any) -> None:
    up = local("up", "--json")
    assert up.returncode == 0, up.stderr
    first = json.loads(up.stdout)
    os.kill(first["daemons"][1]["pid"], signal.SIGKILL)
    api = first["api_url"]
    with httpx.Client(trust_env=False) as client:
        deployment = client.get(f"{api}/deployments/name/ingest/local").json()["id"]
        # As a run stands that was under way when its machine went down.
        lost = client.post(
            f"{api}/deployments/{deployment}/create_flow_run",
            json={"parameters": {"paths": ["/data/scan.h5"]}, "state": {"type": "RUNNING"}},
        ).json()
        again = local("up", "--json")
        assert again.returncode == 0, again.stderr
        second = json.loads(again.stdout)
        state = client.get(f"{api}/flow_runs/{lost['id']}").json()["state"]
    assert second["api_url"] == api
    assert not second["already"]
    assert state["type"] == "CRASHED"
    assert state["message"].startswith("the serving process ended while this ran")


def test_down_stops_a_flow_that_runs_and_the_catalog_knows_it(
    local: Any, tmp_path: Path, plain_file: Path
) -> None:
    # A Dask scheduler that answers nothing: the step "write" waits for it half a minute.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        scheduler = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        local.environment.update({"HSC_HOME": str(tmp_path / "home"), "HSC_DASK": scheduler})
        api = local.answer("up")["api_url"]
        with httpx.Client(trust_env=False) as client:
            deployment = client.get(f"{api}/deployments/name/ingest/local").json()["id"]
            client.post(
                f"{api}/deployments/{deployment}/create_flow_run",
                json={"parameters": {"paths": [str(plain_file)]}},
            ).raise_for_status()
            deadline = time.monotonic() + 60
            # The second task run is the step that waits.
            while client.post(f"{api}/task_runs/count", json={}).json() < 2:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        (serving, _) = local.answer("down")["ended"]
    assert serving["by"] == "ended by SIGTERM; SIGTERM ended what it had started"
    with connect(f"sqlite:///{tmp_path / 'home' / 'catalog.sqlite'}") as catalog:
        (activity,) = catalog.activities()
    assert activity.state == ActivityState.FAILED
    assert activity.failure is not None
    assert activity.failure.error == "TerminationSignal"


def test_a_pid_that_somebody_else_has_by_now_is_left_alone(
    local: Any, sleeper: subprocess.Popen[bytes]
) -> None:
    remember(local, sleeper.pid, "another-boot:1", "none has this mark")
    assert not local.answer("status")["daemons"][0]["runs"]
    down = local("down", "--json")
    assert down.returncode == 0, down.stderr
    assert json.loads(down.stdout)["ended"][0]["by"] == "had ended"
    assert sleeper.poll() is None


def test_what_a_killed_daemon_left_running_is_ended(local: Any) -> None:
    # A daemon that starts a program of its own, as serving starts flows, and is then killed.
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "HSC_LOCAL_DAEMON_MARK": "of this test"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment
    ) as daemon:
        assert daemon.stdout is not None
        child = int(daemon.stdout.readline())
        daemon.kill()
    remember(local, daemon.pid, "the moment is of no matter", "of this test")
    (ended,) = local.answer("down")["ended"]
    assert ended["by"] == "had ended; SIGTERM ended what it had started"
    assert is_gone(child)


def test_down_where_nothing_ever_ran_is_fine(local: Any) -> None:
    down = local("down")
    assert (down.returncode, down.stdout) == (0, "nothing ran\n")
    assert not local.state.exists()


def test_a_port_that_is_taken_is_named(local: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = local("up", "--json", "--port", str(port))
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "error": "UpError",
        "message": f"port {port} is taken; name another one, or none to have one chosen",
    }
    assert local.answer("status")["daemons"] == []


def test_a_start_that_takes_too_long_shows_the_log_and_leaves_nothing(local: Any) -> None:
    done = local("up", "--timeout", "0.1")
    assert done.returncode == 1
    assert "the server is not ready in time; the end of" in done.stderr
    assert local.answer("status")["daemons"] == []


def test_a_state_file_of_another_make_is_not_guessed_at(local: Any) -> None:
    local.state.mkdir()
    (local.state / "state.json").write_text("{]", encoding="utf-8")
    done = local("down")
    assert done.returncode == 1
    assert "state.json can't be read" in done.stderr


@pytest.mark.parametrize("options", [["up", "--port", "0"], ["up", "--limit", "0"], ["sideways"]])
def test_wrong_usage_is_exit_code_2(local: Any, options: list[str]) -> None:
    assert local(*options).returncode == 2
