"""What a catalog would not register is refused before a byte of it is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest
from servers.catalog import CatalogServer

from hsc import jobs
from hsc.errors import ForbiddenError, UnauthenticatedError
from hsc_catalog.access import ALL_SCOPES, Caller
from hsc_catalog.sql import open_database

ALL = ALL_SCOPES - {"admin"}
KNOWN = {
    "member": Caller("member", groups=frozenset({"maxiv/1"}), scopes=ALL),
    "other": Caller("other", groups=frozenset({"maxiv/2"}), scopes=ALL),
    "reader": Caller("member", groups=frozenset({"maxiv/1"}), scopes=frozenset({"read"})),
    "staff": Caller("staff", staff_of=frozenset({"maxiv/CoSAXS"}), scopes=ALL),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a home whose catalog is a server's."""
    with (
        closing(open_database(f"sqlite:///{tmp_path}/served.sqlite")) as database,
        CatalogServer(database, KNOWN) as server,
    ):
        monkeypatch.setenv("HSC_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HSC_CATALOG", server.url)
        monkeypatch.setenv("HSC_FACILITY", "maxiv")
        yield tmp_path


def run_file(folder: Path, value: int) -> Path:
    path = folder / f"run{value}.h5"
    with h5py.File(path, "w") as file:
        file["entry/counts"] = np.full((4, 5), value)
        file["entry/instrument/name"] = "CoSAXS"
        file["entry/instrument"].attrs["NX_class"] = "NXinstrument"
        file["entry"].attrs["NX_class"] = "NXentry"
    return path


def ingest(path: Path, proposal: str | None) -> jobs.IngestReport:
    return jobs.ingest(
        jobs.IngestRequest(paths=(str(path),), proposal=proposal, verify="none", workers=1)
    )


def in_store(home: Path) -> list[Path]:
    return [each for each in (home / "home").rglob("*") if each.is_file()]


def test_nothing_is_in_the_store_after_a_refusal(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run_file(home, 1)
    # Another's proposal, none at all, a token without the scope, one that is not known any more.
    for token, proposal in (("other", "1"), ("other", None), ("member", None)):
        monkeypatch.setenv("HSC_TOKEN", token)
        (failure,) = ingest(path, proposal).errors
        assert (failure.error, in_store(home)) == ("ForbiddenError", [])
        assert "may not register this dataset" in failure.message
    monkeypatch.setenv("HSC_TOKEN", "reader")
    (failure,) = ingest(path, "1").errors
    assert (failure.error, in_store(home)) == ("ForbiddenError", [])
    monkeypatch.setenv("HSC_TOKEN", "gone")
    with pytest.raises(UnauthenticatedError):
        ingest(path, "1")
    assert in_store(home) == []
    monkeypatch.setenv("HSC_TOKEN", "member")
    assert not ingest(path, "1").errors
    kept = in_store(home)
    assert kept
    # What is there is given to whoever sees it, and nothing is written for who doesn't.
    monkeypatch.setenv("HSC_TOKEN", "other")
    assert ingest(path, "1").errors[0].error == "ForbiddenError"
    assert in_store(home) == kept


def test_a_reduction_that_could_not_be_registered_does_not_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSC_TOKEN", "member")
    (made,) = ingest(run_file(home, 2), "1").datasets
    before = in_store(home)
    monkeypatch.setenv("HSC_TOKEN", "reader")
    with pytest.raises(ForbiddenError, match="ingest"):
        jobs.reduce(jobs.ReduceRequest(name="biosaxs", inputs=(("sample", str(made.pid)),)))
    assert in_store(home) == before


def test_the_morning_shows_staff_what_failed_on_their_instrument(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run_file(home, 3)
    (home / "blocked").write_text("a file is no store")
    monkeypatch.setenv("HSC_TOKEN", "member")
    monkeypatch.setenv("HSC_STORE", (home / "blocked" / "store").as_uri())
    assert ingest(path, "1").errors
    monkeypatch.delenv("HSC_STORE")
    for who, count in (("staff", 1), ("member", 1), ("other", 0)):
        shown = subprocess.run(
            [sys.executable, "-m", "hsc.cli.main", "activities", "--failed", "--json"],
            env={**os.environ, "HSC_TOKEN": who},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        listed = json.loads(shown.stdout)["activities"]
        assert len(listed) == count
        for each in listed:
            assert (each["facility"], each["instrument"]) == ("maxiv", "CoSAXS")
            assert each["proposal"] == "1"
