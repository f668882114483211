"""Odd but possible input: what is left in the store, and what reaches the terminal."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest


@pytest.fixture
def one_rotten_of_many(tmp_path: Path) -> Path:
    """Give a file of many arrays, one with a chunk that gzip can't decode."""
    path = tmp_path / "rotten.h5"
    draw = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        for number in range(12):
            values = draw.integers(0, 999, (600, 600)).astype("u4")
            file.create_dataset(f"a{number}", data=values, chunks=(600, 600), compression="gzip")
        place = file["a0"].id.get_chunk_info(0)
    with path.open("r+b") as raw:
        raw.seek(place.byte_offset + 100)
        raw.write(bytes(200))
    return path


def test_one_rotten_array_among_many_leaves_nothing_in_the_store(
    hsc, one_rotten_of_many: Path
) -> None:
    for _ in range(3):  # a race between workers and the clearing would not show each time
        told = hsc.json("ingest", one_rotten_of_many, code=1)
        assert told["error"] == "DamagedSourceError"
        assert hsc.objects() == []


def test_a_file_name_that_is_no_utf_8_is_taken_in_and_shown(hsc, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.h5")
    with h5py.File(tmp_path / "good.h5", "w") as file:
        file["x"] = np.arange(3)
    (tmp_path / "good.h5").rename(path)
    made = hsc.json("ingest", path)["datasets"][0]
    assert made["source"].endswith("bad\\xff.h5")
    assert hsc.json("show", made["pid"])["record"]["title"] == "bad\\xff.h5"
    assert "bad\\xff.h5" in hsc("search").stdout
    assert hsc.json("ingest", path)["datasets"][0]["existing"] is True


def test_a_dataset_whose_objects_are_gone_is_not_told_as_there(hsc, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(300)
    hsc.json("ingest", path)
    (shard,) = [key for key in hsc.objects() if key.endswith("/x/c/0")]
    (hsc.home / "store" / shard).unlink()
    told = hsc.json("ingest", path, code=1)
    assert told["error"] == "MissingShardError"
    assert shard in told["errors"][0]["where"]


def test_a_prefect_server_that_is_away_is_told_to_the_catalog(hsc, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
    away = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    told = hsc.json("ingest", path, code=1, env=away)
    assert told["error"] == "FlowError"
    (failed,) = hsc.json("activities", "--failed")["activities"]
    assert failed["failure"]["error"] == "FlowError"
    assert failed["parameters"]["paths"] == [str(path)]


def test_escape_sequences_of_a_file_do_not_reach_the_terminal(hsc, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["title"] = "red \x1b[31m and\na line \x1b]0;owned\x07"
    made = hsc.json("ingest", path)["datasets"][0]
    for words in (["search"], ["show", made["pid"]], ["lineage", made["pid"]]):
        shown = hsc(*words).stdout
        assert "red" in shown
        assert "\x1b" not in shown
        assert "\x07" not in shown
    assert hsc.json("show", made["pid"])["record"]["title"].startswith("red \x1b[31m")
