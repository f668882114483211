"""Looking after what is there, by command: amend, annotate, access."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hsc.cli.main import app
from hsc.client import connect
from hsc.testing.contracts import example_activity, example_dataset

COMMAND = [sys.executable, "-m", "hsc.cli.main"]


def run(home: Path, *words: str, code: int = 0) -> Any:
    done = subprocess.run(
        [*COMMAND, *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "HSC_HOME": str(home)},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_a_dataset_is_amended_annotated_and_shared_with_reasons(tmp_path: Path) -> None:
    dataset = example_dataset(proposal=None)
    pid = str(dataset.pid)
    with connect(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        catalog.register(dataset, example_activity(), [])
    assert run(tmp_path, "access", pid)["flagged"] == "no proposal is known"
    words = ("--proposal", "20260123", "--person", "Anna Berg=0000-0002-1825-0097")
    amended = run(tmp_path, "amend", pid, *words, "--reason", "Found in the logbook.")
    assert amended["record"]["people"][0]["name"] == "Anna Berg"
    assert amended["access"]["visibility"] == "group"
    link = ("--link", "https://logbook.example.org/7", "--note", "page 7")
    assert len(run(tmp_path, "annotate", pid, *link)["annotations"]) == 2
    assert len(run(tmp_path, "annotate", pid, "--verdict", "bad")["annotations"]) == 3
    why = ("--reason", "The paper is out.")
    shared = run(tmp_path, "access", pid, "--share", "friends", "--embargo", "2999-01-01", *why)
    assert shared["access"]["groups"] == ["friends"]
    assert shared["access"]["embargo_until"].startswith("2999-01-01T00:00:00")
    public = run(tmp_path, "access", pid, "--publish", "--release", *why)
    assert public["access"]["visibility"] == "public"
    shown = run(tmp_path, "show", pid)
    assert shown["record"]["proposal"] == "20260123"
    assert shown["access"] == public["access"]
    kinds = [each["kind"] for each in shown["annotations"]]
    assert kinds == ["note", "link", "verdict", "note", "note"]
    reasons = [each["text"] for each in shown["annotations"] if each["kind"] == "note"]
    assert reasons[0].endswith("Found in the logbook.")
    assert all(reason.endswith("The paper is out.") for reason in reasons[1:])
    assert (shown["revision"], shown["stale"]) == (public["revision"], [])
    for wrong, error in (
        (("access", pid, "--publish"), "InvalidRecordError"),
        (("access", pid, "--embargo", "soon", *why), "ConfigurationError"),
        (("access", pid, "--publish", "--revision", "1", *why), "RevisionError"),
    ):
        assert run(tmp_path, *wrong, code=1)["error"] == error
    assert run(tmp_path, "annotate", pid, "--verdict", "fine", code=2)["error"] == "UsageError"


def test_a_search_that_finds_nothing_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    connect(url).close()
    monkeypatch.setenv("HSC_CATALOG", url)
    assert url in CliRunner().invoke(app, ["search"]).stdout
    found = CliRunner().invoke(app, ["search", "lysozyme"]).stdout
    assert found.startswith("no dataset matches")


def test_a_search_tells_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    monkeypatch.setenv("HSC_CATALOG", url)
    with connect(url) as catalog:
        for _ in range(2):
            catalog.register(example_dataset(), example_activity(), [])
    first = CliRunner().invoke(app, ["search", "--limit", "1"]).stderr
    assert first.startswith("more: the same with --cursor ")
    rest = CliRunner().invoke(app, ["search", "--limit", "1", "--cursor", first.split()[-1]])
    assert (rest.exit_code, rest.stderr) == (0, "")
