"""What failed is run again by its id, with what was asked of it, or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsc.errors import NotRetriableError
from hsc.jobs import IngestRequest, ReduceRequest, request_again
from hsc.model import ActivityState, Pid
from hsc.testing.contracts import example_activity


def test_a_failed_ingest_is_run_again_by_its_id(hsc, tree_file: Path) -> None:
    away = tree_file.rename(tree_file.with_suffix(".away"))
    hsc("ingest", tree_file, "--sample", "water", code=1)
    (failed,) = hsc.json("activities", "--failed")["activities"]
    assert hsc.json("retry", failed["id"], code=1)["errors"]
    away.rename(tree_file)
    done = hsc.json("retry", failed["id"])
    pid = done["datasets"][0]["pid"]
    assert hsc.json("show", pid)["record"]["sample"] == "water"
    newest = hsc.json("activities")["activities"][0]
    assert (newest["state"], newest["retry_of"]) == ("done", failed["id"])
    assert newest["parameters"] == failed["parameters"] | {
        name: newest["parameters"][name] for name in ("facility", "store", "dask")
    }
    told = hsc.json("activities", "--failed")
    assert told["tried_again"][failed["id"]] == {"id": newest["id"], "state": "done"}
    assert "again: done)" in hsc("activities", "--failed").stdout
    table = hsc("activities").stdout
    assert failed["id"] in table
    assert hsc("activities", "--running").stdout.strip() == "no running activity"
    what, _, following = hsc("retry", newest["id"], code=1).error_parts()
    assert "only what failed" in what
    assert "hsc activities --failed" in following
    other = {"HSC_STORE": (hsc.home / "other").as_uri()}
    if "store" in failed["parameters"]:
        assert "HSC_STORE" in hsc("retry", failed["id"], code=1, env=other).stderr


def failed(**changes):
    return example_activity(state=ActivityState.FAILED, **changes)


def test_a_reduction_is_worded_again_from_before_and_after_its_inputs_were_found() -> None:
    pid = Pid.generate("hsc.x").at(1)
    begun = ReduceRequest(name="azimuthal", inputs=(("", pid),), parameters={"bins": 40})
    before = failed(type="reduce", parameters=begun.document())
    assert request_again(before) == begun
    later = {"name": "azimuthal", "version": "1", "inputs": {"": str(pid)}, "dask": "threads"}
    after = failed(type="reduce", parameters={**later, "parameters": {"bins": 40}})
    assert request_again(after) == begun


def test_a_reduction_is_worded_again_with_all_its_inputs_and_where_each_parameter_came_from():
    one, two = (Pid.generate("hsc.x").at(1) for _ in range(2))
    asked = ReduceRequest(
        name="biosaxs",
        inputs=(("sample", one), ("buffer", two), ("buffer", one)),
        parameters={"bins": 40},
        recipe={"buffer_scale": 0.9},
    )
    told = {
        "name": "biosaxs",
        "version": "2",
        "order": "int-exact",
        "cpu": "x86-64-v4",
        "inputs": [[role, str(pid)] for role, pid in asked.inputs],
        "parameters": {"bins": 40, "buffer_scale": 0.9, "q_min_per_nm": 0.0},
        "sources": {"bins": "-p", "buffer_scale": "recipe", "q_min_per_nm": "default"},
        "facts": {"masks_blake3": "0"},
        "dask": "threads",
    }
    assert request_again(failed(type="reduce", parameters=told)) == asked


def test_an_ingest_is_worded_again_as_it_was_asked() -> None:
    asked = IngestRequest(paths=("/data/a.h5",), proposal="1", policy="quarantine", workers=3)
    parameters = {**asked.model_dump(mode="json", exclude={"paths"}), "path": "/data/a.h5"}
    assert request_again(failed(parameters=parameters)) == asked


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "verify"},
        {"parameters": {"path": "/a", "surprise": 1}},
        {"parameters": {}},
        {"parameters": {"path": "/a", "store": "s3://elsewhere/bucket"}},
        {"type": "reduce", "parameters": {"name": "azimuthal", "inputs": [["", "no pid"]]}},
    ],
)
def test_what_cannot_be_known_is_refused(changes) -> None:
    with pytest.raises(NotRetriableError) as caught:
        request_again(failed(**changes))
    assert caught.value.next_step
    assert caught.value.where
