"""Flows that are started by name on a server: what whoever started them is told."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hsc.client import connect
from hsc.jobs import IngestRequest, ReduceRequest, reduce
from hsc.model import ActivityState, Pid
from hsc.testing.reductions import EXAMPLES

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(400)]


def start(served: Any, flow: str, parameters: dict[str, Any]) -> Any:
    # The program imports Prefect by itself, which would make ~/.prefect.
    home = str(served.home / "started_from")
    return served.run("run_deployment.py", flow, json.dumps(parameters), PREFECT_HOME=home)


def run_deployment(served: Any, flow: str, **parameters: Any) -> dict[str, Any]:
    done = start(served, flow, parameters)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_deployed_ingest_answers_with_its_report(served: Any, plain_file: Path) -> None:
    answer = run_deployment(served, "ingest", paths=[str(plain_file)], facility="maxiv")
    assert answer["state"] == "COMPLETED", answer
    assert answer["name"] == "ingest scan.h5"
    (dataset,) = answer["result"]["datasets"]
    with connect(served.catalog) as catalog:
        record = catalog.get(Pid.parse(dataset["pid"]))
        activities = catalog.activities(state=ActivityState.DONE)
    assert (record.root, record.facility) == (dataset["root"], "maxiv")
    (activity,) = [each for each in activities if record.pid.at(1) in each.generated]
    assert (activity.runner, activity.flow_run_id) == ("prefect", answer["id"])
    # Nobody asked for it: a flow enters HDF5 in a child process by itself.
    assert activity.parameters["isolate"] is True


def test_a_path_that_is_no_hdf5_fails_run_and_activity_and_not_the_other_path(
    served: Any, plain_file: Path, tmp_path: Path
) -> None:
    text = tmp_path / "notes.h5"
    text.write_text("no HDF5 at all", encoding="utf-8")
    answer = run_deployment(served, "ingest", paths=[str(text), str(plain_file)])
    assert answer["state"] == "FAILED"
    assert answer["message"].startswith("FlowError: 1 of 2 paths failed; the first: NotHdf5Error")
    assert "\n" not in answer["message"]
    assert str(text) in answer["result"]
    with connect(served.catalog) as catalog:
        failed = catalog.activities(state=ActivityState.FAILED)
        done = catalog.activities(state=ActivityState.DONE)
    (activity,) = [each for each in failed if each.flow_run_id == answer["id"]]
    assert activity.runner == "prefect"
    assert activity.failure is not None
    assert activity.failure.error == "NotHdf5Error"
    assert [each.flow_run_id for each in done].count(answer["id"]) == 1


def test_a_wrong_parameter_is_refused_before_anything_starts(served: Any, plain_file: Path) -> None:
    done = start(served, "ingest", {"paths": [str(plain_file)], "policy": "lenient"})
    assert done.returncode != 0
    assert "'lenient' is not one of" in done.stderr


def test_a_deployed_reduction_gives_what_the_command_gives_and_a_failing_one_says_why_and_where(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSC_HOME", str(served.home))
    asked = EXAMPLES["biosaxs"](tmp_path)
    inputs = [f"{role}={pid}" for role, pid in asked.inputs]
    given = dict(asked.parameters)
    recipe = {"bins": given.pop("bins")}
    # Both at once, as the deployment lets them: the one of half the datasets fails.
    with ThreadPoolExecutor() as pool:
        whole = pool.submit(
            run_deployment, served, "reduce",
            name="biosaxs", inputs=inputs, parameters=given, recipe=recipe, workers=1,
        )  # fmt: skip
        half = pool.submit(
            run_deployment, served, "reduce", name="biosaxs", inputs=inputs[:1], parameters=given
        )
        answer, failed = whole.result(), half.result()
    plainly = reduce(asked)
    assert answer["state"] == "COMPLETED", answer
    assert answer["name"] == "reduce biosaxs"
    assert answer["result"]["results"] == plainly.document()["results"]
    with connect(served.catalog) as catalog:
        record = catalog.get(Pid.parse(answer["result"]["pid"]))
        known = {each.flow_run_id: each for each in catalog.activities(limit=50)}
    assert record.root == plainly.root
    activity = known[answer["id"]]
    assert (activity.runner, activity.generated) == ("prefect", (record.pid.at(1),))
    assert activity.parameters["sources"]["bins"] == "recipe"
    steps = served.find("task_runs", {"task_runs": {"flow_run_id": {"any_": [answer["id"]]}}})
    assert {each["name"] for each in steps} == {
        "reduce biosaxs", "write biosaxs", "register biosaxs",
    }  # fmt: skip

    assert failed["state"] == "FAILED"
    assert failed["message"].startswith("ParameterError: ")
    assert "'buffer'" in failed["message"]
    assert f"(biosaxs {inputs[0]})" in failed["message"]
    assert "\n" not in failed["message"]
    failure = known[failed["id"]].failure
    assert failure is not None
    assert failed["message"] == f"{failure.error}: {failure.message} ({failure.where})"


@pytest.mark.parametrize("name", ["ingest", "reduce"])
def test_every_parameter_is_explained_in_prefect_s_form(served: Any, name: str) -> None:
    deployment = served.get(f"/deployments/name/{name}/local")
    fields = deployment["parameter_openapi_schema"]["properties"]
    assert fields
    assert [key for key, field in fields.items() if not field.get("description")] == []


@pytest.mark.parametrize(
    ("name", "request_type"), [("ingest", IngestRequest), ("reduce", ReduceRequest)]
)
def test_a_flow_asks_for_what_its_job_asks_for(served: Any, name: str, request_type: Any) -> None:
    fields = served.get(f"/deployments/name/{name}/local")["parameter_openapi_schema"]["properties"]
    assert set(fields) == set(request_type.model_fields)
    # A flow runs beside others and takes files from anywhere: it enters HDF5 in a child by itself.
    meant = {"isolate": True}
    for key, field in request_type.model_fields.items():
        if not field.is_required():
            assert fields[key].get("default") in (field.default, meant.get(key), None), key
    assert all(fields[key]["default"] is value for key, value in meant.items() if key in fields)
