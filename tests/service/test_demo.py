"""The demo on a running server: real files, real flows, a reduction with a known answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def hsc(served: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give the command as somebody runs it who exported PREFECT_API_URL."""
    home = tmp_path_factory.mktemp("demo-home")
    environment = {
        **served.local.environment,
        "HSC_HOME": str(home),
        "PREFECT_API_URL": served.api_url,
    }

    def run(*words: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "hsc.cli.main", *words, "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=environment,
            cwd=home,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def outcome(hsc: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("demo-out")
    return hsc("demo", "--frames", "100", "--out", str(out))


def test_the_demo_finds_the_known_radius_of_gyration(outcome: dict[str, Any]) -> None:
    assert outcome["good"]
    assert abs(outcome["rg_found_nm"] / outcome["rg_known_nm"] - 1) < 0.01


def test_its_files_are_there(outcome: dict[str, Any]) -> None:
    files = {Path(file).name: Path(file).stat().st_size for file in outcome["files"]}
    pictures = {"iq.png", "guinier.png", "frame.png", "report.png"}
    assert set(files) == {"subtracted.h5", "report.html", *pictures}
    assert min(files.values()) > 1000


def test_its_activities_are_completed_runs_of_the_server(
    served: Any, hsc: Any, outcome: dict[str, Any]
) -> None:
    done = hsc("activities")["activities"]
    assert sorted(each["type"] for each in done) == ["ingest", "ingest", "reduce"]
    for activity in done:
        assert activity["runner"] == "prefect"
        flow_run = served.get(f"/flow_runs/{activity['flow_run_id']}")
        assert flow_run["state"]["type"] == "COMPLETED"


def test_the_curve_knows_both_measurements_it_came_from(hsc: Any, outcome: dict[str, Any]) -> None:
    reduced = outcome["reduced"]["pid"]
    history = hsc("lineage", reduced, "--up")
    roles = {edge["role"] for edge in history["edges"] if edge["predicate"] == "used"}
    assert {"sample", "buffer"} <= roles
    kinds = {node["kind"] for node in history["nodes"]}
    assert kinds == {"dataset", "activity", "agent", "source"}
