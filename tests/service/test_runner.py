"""PrefectRunner: what a job gives and raises comes out as it was, and Prefect shows the run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hsc.client import connect
from hsc.model import ActivityState, Pid

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def made_up(served: Any) -> dict[str, Any]:
    """Give what came of jobs that do next to nothing, all from one program."""
    done = served.run("made_up_jobs.py")
    assert done.returncode == 0, done.stderr
    assert "ResourceWarning" not in done.stderr
    # One JSON document and nothing else, although a job printed and others failed.
    return json.loads(done.stdout)


def run_of(served: Any, case: dict[str, Any]) -> dict[str, Any]:
    return served.get(f"/flow_runs/{case['flow_run_id']}")


def task_runs_of(served: Any, case: dict[str, Any]) -> dict[str, str]:
    """Give state by name; the server learns of task runs by events, a little later."""
    query = {"flow_runs": {"id": {"any_": [case["flow_run_id"]]}}}
    deadline = time.monotonic() + 30
    while True:
        found = {each["name"]: each["state"]["type"] for each in served.find("task_runs", query)}
        ended = found and set(found.values()) <= {"COMPLETED", "FAILED", "CRASHED"}
        if ended or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def test_a_report_comes_back_whole(made_up: dict[str, Any]) -> None:
    report = made_up["fine"]["report"]
    assert [each["source"] for each in report["datasets"]] == ["/data/a{b}.h5", "/data/c.h5"]
    assert report["errors"] == []


def test_a_finished_job_is_a_completed_run_named_after_its_first_path(
    served: Any, made_up: dict[str, Any]
) -> None:
    flow_run = run_of(served, made_up["fine"])
    assert flow_run["state"]["type"] == "COMPLETED"
    assert flow_run["name"] == "ingest a{b}.h5 and 1 more"


def test_each_step_is_a_task_run_of_its_own_name(served: Any, made_up: dict[str, Any]) -> None:
    assert task_runs_of(served, made_up["fine"]) == {
        "inspect /data/a{b}.h5": "COMPLETED",
        "write /data/a{b}.h5": "COMPLETED",
        "inspect /data/c.h5": "COMPLETED",
        "write /data/c.h5": "COMPLETED",
    }


def test_only_reports_and_errors_are_kept_on_disk(served: Any, made_up: dict[str, Any]) -> None:
    kept = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (served.home / "prefect" / "storage").iterdir()
    ]
    assert kept
    assert all({"datasets", "__exc_type__", "reduction"} & set(each) for each in kept)


def test_a_failed_path_fails_the_run_and_not_the_others(
    served: Any, made_up: dict[str, Any]
) -> None:
    case = made_up["one failed"]
    assert [each["source"] for each in case["report"]["datasets"]] == ["/data/c.h5"]
    assert [each["error"] for each in case["report"]["errors"]] == ["SourceMissingError"]
    state = run_of(served, case)["state"]
    assert state["type"] == "FAILED"
    assert state["message"].startswith("FlowError: 1 of 2 paths failed")
    assert "\n" not in state["message"]
    assert task_runs_of(served, case)["inspect /data/absent.h5"] == "FAILED"


def test_the_table_of_a_run_says_what_became_of_each_path(
    served: Any, made_up: dict[str, Any]
) -> None:
    flow_run_id = made_up["one failed"]["flow_run_id"]
    of_this_run = {"flow_run_id": {"any_": [flow_run_id]}, "key": {"any_": ["ingested"]}}
    (table,) = served.find("artifacts", {"artifacts": of_this_run})
    assert (table["key"], table["type"]) == ("ingested", "table")
    good, bad = json.loads(table["data"])
    assert (good["path"], good["state"], good["GB_per_s"]) == ("/data/c.h5", "ingested", 1.0)
    assert (bad["path"], bad["state"]) == ("/data/absent.h5", "failed")
    assert "there is no such file" in bad["error"]


def test_an_error_of_a_job_comes_out_as_it_was_raised(served: Any, made_up: dict[str, Any]) -> None:
    case = made_up["catalog away"]
    assert case["raised"] == {
        "error": "CatalogUnavailableError",
        "message": "the catalog\nis away",
        "where": "sqlite:///there",
        "next": "wait for it",
    }
    assert case["from_the_job"]
    state = run_of(served, case)["state"]
    assert state["type"] == "FAILED"
    assert state["message"] == "CatalogUnavailableError: the catalog is away (sqlite:///there)"


def test_a_mistake_in_a_job_is_not_dressed_up(served: Any, made_up: dict[str, Any]) -> None:
    case = made_up["bug"]
    assert case["raised"] == {"error": "LookupError", "message": "a mistake in hsc"}
    assert run_of(served, case)["state"]["type"] == "FAILED"


def test_a_reduction_gets_its_roles_versions_and_parameters(
    served: Any, made_up: dict[str, Any]
) -> None:
    case = made_up["reduced"]
    assert case["reduced"]["inputs"] == [
        "=hsc.local/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "buffer=hsc.local/01ARZ3NDEKTSV4RRFFQ69G5FAV@2",
    ]
    flow_run = run_of(served, case)
    assert flow_run["name"] == "reduce azimuthal"
    assert flow_run["parameters"]["parameters"] == {"bins": 100}


def test_a_server_that_does_not_answer_is_named_without_its_password(served: Any) -> None:
    done = served.run("made_up_jobs.py", "fine", PREFECT_API_URL="http://me:secret@127.0.0.1:9/api")
    raised = json.loads(done.stdout)["fine"]["raised"]
    assert raised["error"] == "FlowError"
    assert raised["where"] == "http://127.0.0.1:9/api"
    assert raised["next"]
    assert "secret" not in done.stdout + done.stderr


def test_an_ingest_through_the_runner_is_in_the_catalog_with_its_flow_run(
    served: Any, plain_file: Path
) -> None:
    done = served.run("ingest_with_flow.py", plain_file)
    assert done.returncode == 0, done.stderr
    (dataset,) = json.loads(done.stdout)["datasets"]
    with connect(served.catalog) as catalog:
        record = catalog.get(Pid.parse(dataset["pid"]))
        activities = catalog.activities(state=ActivityState.DONE)
    assert record.root == dataset["root"]
    (activity,) = [each for each in activities if record.pid.at(1) in each.generated]
    assert activity.runner == "prefect"
    assert served.get(f"/flow_runs/{activity.flow_run_id}")["name"] == "ingest scan.h5"


def test_without_a_named_server_one_is_started_for_the_run_and_ended(
    tmp_path: Path, program: Callable[..., Any]
) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "HSC_HOME": str(home)}
    done = program("made_up_jobs.py", "fine", environment=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fine"]["report"]["errors"] == []
    assert "ResourceWarning" not in done.stderr
    assert (home / "prefect" / "prefect.db").is_file()
    left = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/environ")
        if str(home).encode() in _bytes_of(path)
    ]
    assert not left


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (PermissionError, ProcessLookupError, FileNotFoundError):
        # Somebody else's program, or one that has just ended.
        return b""
