"""The contract that scripts lean on: JSON shapes, exit codes, only the document on stdout."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import pytest

from hsc.model import Pid

COMMANDS = (
    "inspect", "ingest", "search", "show", "lineage", "verify", "reduce", "reductions",
    "reproduce", "export", "replicate",
    "fetch", "files", "amend", "annotate", "access", "activities", "retry", "gc", "catalog",
    "login",
    "doctor", "demo", "account", "bench", "scicat", "serve", "token",
)  # fmt: skip
UNREADABLE = (
    "variable-length elements that h5py can't read: No NumPy equivalent for TypeTimeID exists"
)
ERROR = {"error", "message", "where", "next"}
ARRAY = {"path", "shape", "dtype", "chunks", "shards", "way"}
RECORD = {
    "format", "pid", "version", "kind", "title", "facility", "instrument", "proposal", "sample",
    "technique",
    "created", "collected", "visibility", "source_id", "root", "layout", "location", "bytes_in",
    "bytes_out", "arrays", "gaps", "quantities", "keywords",
}  # fmt: skip
SAID = {
    "description", "started", "ended", "people", "techniques", "scientific_metadata", "level",
    "license", "access_class", "embargo_until", "origin",
}  # fmt: skip
PID = re.compile(r"hsc\.[a-z]+/[0-9A-HJKMNP-TV-Z]{26}")
ROOT = re.compile(r"blake3:[0-9a-f]{64}")


@pytest.fixture(scope="module")
def raw(shared, pair) -> dict[str, Any]:
    """Ingest a run of buffer and one of sample."""
    report: dict[str, Any] = shared.json(
        "ingest", pair.buffer, pair.sample, "--facility", "desy", "--workers", "2"
    )
    return report


@pytest.fixture(scope="module")
def reduced(shared, raw) -> dict[str, Any]:
    """Reduce the sample, frame by frame."""
    pid = raw["datasets"][1]["pid"]
    made: dict[str, Any] = shared.json("reduce", "azimuthal", pid, "-p", "bins=40")
    return made


def test_ingest_answers_as_promised(raw) -> None:
    assert set(raw) == {"datasets", "errors"}
    assert raw["errors"] == []
    for each in raw["datasets"]:
        assert set(each) == {
            "pid", "version", "layout", "root", "bytes_in", "bytes_out", "seconds", "arrays",
            "gaps", "notes", "existing", "copied", "source",
        }  # fmt: skip
        assert PID.fullmatch(each["pid"])
        assert ROOT.fullmatch(each["root"])
        assert (each["version"], each["layout"], each["gaps"]) == (1, "dectris", [])
        assert {frozenset(array) for array in each["arrays"]} == {frozenset(ARRAY)}
        assert {array["way"] for array in each["arrays"]} <= {"passthrough", "rewrap", "recode"}


def test_inspect_answers_as_promised_and_writes_nothing(hsc, pair) -> None:
    told = hsc.json("inspect", pair.sample)
    assert set(told) == {
        "path", "layout", "complete", "missing", "notes", "gaps", "source_id", "files", "bytes_in",
        "shards", "objects", "bytes", "seconds", "arrays",
    }  # fmt: skip
    assert (told["layout"], told["complete"], told["missing"]) == ("dectris", True, [])
    assert {frozenset(array) for array in told["arrays"]} == {
        frozenset(ARRAY | {"objects", "bytes"})
    }
    assert told["files"] == 4
    assert list(hsc.home.iterdir()) == []


def test_what_inspect_foresees_is_what_ingest_makes(shared, raw, pair) -> None:
    told = shared.json("inspect", pair.sample)
    made = raw["datasets"][1]
    assert told["bytes_in"] == made["bytes_in"]
    assert [{key: array[key] for key in ARRAY} for array in told["arrays"]] == made["arrays"]
    with shared.catalog() as catalog:
        record = catalog.get(Pid.parse(made["pid"]))
    assert record.source_id == told["source_id"]


def test_search_and_show_answer_as_promised(shared, raw) -> None:
    words = ("spheres", "--where", "photon_energy > 12 keV", "--kind", "raw")
    found = shared.json("search", *words)
    assert set(found) == {"total", "next", "datasets"}
    assert found["total"] == len(found["datasets"]) == 1
    assert RECORD <= set(found["datasets"][0]) <= RECORD | SAID
    pid = found["datasets"][0]["pid"]
    shown = shared.json("show", pid)
    assert set(shown) == {
        "pid", "version", "root", "record", "location", "replicas", "arrays", "gaps",
        "access", "revision", "annotations", "stale",
    }  # fmt: skip
    assert shown["record"] == found["datasets"][0]
    assert shown["arrays"] == raw["datasets"][1]["arrays"]
    assert shown["location"].startswith(f"file://{shared.home}/store/desy/P12/2026/20260001/")
    assert shared.json("search", "nothing of the sort") == {
        "total": 0,
        "next": None,
        "datasets": [],
    }


def test_reduce_and_lineage_answer_as_promised(shared, raw, reduced) -> None:
    assert set(reduced) == {"pid", "reduction", "inputs", "root", "seconds", "results", "files"}
    assert reduced["inputs"] == [f"{raw['datasets'][1]['pid']}@1"]
    history = shared.json("lineage", reduced["pid"])
    assert set(history) == {"nodes", "edges"}
    assert {frozenset(node) for node in history["nodes"]} == {
        frozenset({"id", "kind", "title", "newer"})
    }
    assert {frozenset(edge) for edge in history["edges"]} == {
        frozenset({"subject", "predicate", "object", "role"})
    }


def test_activities_and_doctor_answer_as_promised(shared, raw, reduced) -> None:
    listed = shared.json("activities", "--since", "1h")["activities"]
    made = {each["generated"][0]: each for each in listed if each["generated"]}
    assert [made[f"{each['pid']}@1"]["type"] for each in raw["datasets"]] == ["ingest"] * 2
    reducing = made[f"{reduced['pid']}@1"]
    assert (reducing["type"], reducing["state"]) == ("reduce", "done")
    assert reducing["used"] == reduced["inputs"]
    assert set(reducing["environment"]) >= {"packages", "python", "platform", "host"}
    checks = shared.json("doctor")["checks"]
    assert {frozenset(check) for check in checks} == {frozenset({"name", "ok", "found", "next"})}
    assert all(check["ok"] for check in checks)


def test_export_answers_as_promised(shared, raw, reduced, pair, tmp_path: Path) -> None:
    buffer, sample = (each["pid"] for each in raw["datasets"])
    # A handful of frames on a small detector has no Guinier region worth the name; the curve is.
    curve = shared.json("reduce", "biosaxs", f"sample={sample}", f"buffer={buffer}")
    made = shared.json("export", curve["pid"], tmp_path / "curve.h5")
    assert set(made) == {"pid", "path", "form", "files", "bytes", "gaps", "notes"}
    assert made["form"] == "nxcansas"
    written = [tmp_path / "curve.h5", *(tmp_path / "curve_files").rglob("*.*")]
    assert made["files"] == len(written)
    assert made["bytes"] == sum(file.stat().st_size for file in written)
    again = shared.json("export", curve["pid"], tmp_path / "curve.h5", code=1)
    assert again["error"] == "ObjectExistsError"
    refused = shared.json("export", sample, tmp_path / "run", "--as", "nxcansas", code=1)
    assert (set(refused), refused["error"]) == (ERROR, "RoleMissingError")
    assert not (tmp_path / "run").exists()
    run = shared.json("export", sample, tmp_path / "run")
    assert (run["form"], run["gaps"]) == ("hdf5", [])
    assert run["files"] == len(list((tmp_path / "run").iterdir())) > 1


def test_gaps_end_with_three_and_are_told(hsc, with_unreadable) -> None:
    refused = hsc.json("ingest", with_unreadable, code=1)
    assert refused["error"] == "UnsupportedObjectError"
    assert "/table" in refused["errors"][0]["message"]
    assert "--policy quarantine" in refused["errors"][0]["next"]
    assert hsc.objects() == []
    report = hsc.json("ingest", with_unreadable, "--policy", "quarantine", code=3)
    gap = {"path": "/table", "reason": UNREADABLE}
    assert report["datasets"][0]["gaps"] == [gap]
    assert hsc.json("show", report["datasets"][0]["pid"])["gaps"] == [gap]
    assert f"/table: {UNREADABLE}" in hsc("inspect", with_unreadable).stdout


def test_wrong_usage_ends_with_two_and_one_document(hsc) -> None:
    for words in (["banana"], ["ingest"], ["show"], ["ingest", "x", "--verify", "some"]):
        answer = hsc(*words, "--json", code=2)
        assert answer.document["error"] == "UsageError"
        assert "Usage:" in answer.stderr
    assert hsc("ingest", code=2).stdout == ""


def test_help_lists_every_command_and_the_version_is_the_distributions(hsc) -> None:
    told = hsc("--help").stdout
    listed = re.findall(r"^  ([a-z]+)  +\S", told.split("Commands:")[1], re.MULTILINE)
    assert tuple(listed) == COMMANDS
    assert "not usable" not in told
    assert re.fullmatch(r"hsc \d+\.\d+\.\d+\n", hsc("--version").stdout)
    assert set(hsc.json("--version")) == {"version"}


def test_bars_and_logs_never_reach_stdout(hsc, make_run) -> None:
    """Progress bars are drawn on a terminal only, so stderr is one here."""
    from_terminal, for_command = pty.openpty()
    words = [sys.executable, "-m", "hsc.cli.main", "ingest", str(make_run(seed=9)), "--json"]
    with subprocess.Popen(
        words, env=hsc.environment(), stdout=subprocess.PIPE, stderr=for_command
    ) as running:
        os.close(for_command)
        drawn = _drain(from_terminal)
        stdout = running.stdout.read() if running.stdout else b""
    assert running.returncode == 0
    assert b"write" in drawn
    assert len(json.loads(stdout)["datasets"]) == 1


def _drain(descriptor: int) -> bytes:
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts)
        parts.append(part)


def test_tables_for_people_keep_identifiers_whole(shared, raw, pair) -> None:
    pid = raw["datasets"][1]["pid"]
    assert pid in shared("search").stdout
    assert "/entry/data/data" in shared("show", pid).stdout
    assert pid in shared("ingest", pair.sample).stdout
    assert "was there already" in shared("ingest", pair.sample).stdout


def test_every_json_document_is_plain_json_without_nan(shared, tmp_path: Path) -> None:
    path = tmp_path / "odd.h5"
    with h5py.File(path, "w") as file:
        file["value"] = float("nan")
        file["value"].attrs["limits"] = [float("-inf"), float("nan")]
        file.create_dataset("fill", (4,), "f4", chunks=(2,), fillvalue=float("nan"))
    pid = shared.json("ingest", path)["datasets"][0]["pid"]
    text = shared("show", pid, "--json").stdout
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
